"""A folder of files for the contract suite."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.config.sinks.known import kind_of_url


class FilesFolder:
    """A folder that vanishes as that of a disk that is not mounted, and returns with its files."""

    confirms: ClassVar[bool] = True

    def __init__(self, folder: Path, port: int) -> None:
        self._disk, self._away = folder / "disk", folder / "away"
        self._link = folder / "flights"
        self._link.symlink_to(self._disk)
        self.url = f"file://{self._link}"

    def settings(self) -> FarEndSettings:
        return kind_of_url(self.url).from_url(self.url, {"timeout": 4.0, "sync": 0.01})

    async def start(self) -> None:
        if self._away.exists():
            self._away.rename(self._disk)
        self._disk.mkdir(exist_ok=True)

    async def stop(self) -> None:
        self._disk.rename(self._away)

    async def close(self) -> None:
        """Its files stay."""

    async def documents(self) -> list[bytes]:
        files = sorted(self._link.glob("*/*/*.jsonl*"), key=lambda path: path.name.removesuffix(".part"))
        return [line for path in files for line in path.read_bytes().splitlines()]
