"""tcp://: bytes over one connection."""
