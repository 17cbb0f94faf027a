"""Addresses and connections, shared by sources, sinks and senders."""
