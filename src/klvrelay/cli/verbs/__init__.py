"""What each verb of the command does; loaded when it runs."""
