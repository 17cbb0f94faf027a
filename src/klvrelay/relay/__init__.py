"""The relay: streams, delivery to sinks, and the supervisor that keeps them running."""
