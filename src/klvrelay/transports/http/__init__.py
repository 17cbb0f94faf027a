"""An HTTP client for sources, bounded in time, size and reach."""
