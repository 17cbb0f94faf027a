"""Settings: URLs, TOML files and secrets, as typed values."""
