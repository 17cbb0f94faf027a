"""tcp:// sources."""
