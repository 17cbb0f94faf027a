"""A settings file as a user writes it."""

from __future__ import annotations

from pathlib import Path


def written(folder: Path, text: str | bytes) -> str:
    """The path of a new relay.toml, which no other user can read."""
    path = folder / "relay.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)
    return str(path)
