"""Sinks: the contract, and one package per kind of sink."""
