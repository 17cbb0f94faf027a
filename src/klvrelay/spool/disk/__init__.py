"""The log on disk: segments of records, one cursor file per sink."""
