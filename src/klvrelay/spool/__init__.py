"""Where records wait for sinks: one log, one cursor per sink."""
