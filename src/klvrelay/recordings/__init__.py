"""Recordings: content detection, segment names and timing."""
