"""Addresses, name resolution and connections for sources, sinks and senders."""
