"""srt:// sources."""
