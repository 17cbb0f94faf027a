"""The log of records that wait for sinks, with one cursor per sink."""
