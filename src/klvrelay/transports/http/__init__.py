"""An HTTP client for sources, with limits on time, size and reachable hosts."""
