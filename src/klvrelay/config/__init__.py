"""Settings as typed values: URLs, TOML files and secrets."""
