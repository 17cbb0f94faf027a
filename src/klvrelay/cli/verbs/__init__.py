"""The work of each verb, loaded when the verb runs."""
