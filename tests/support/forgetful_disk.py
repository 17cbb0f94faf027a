"""A folder in memory that forgets what was not synced, fills up, and fails: the disk of the tests of the spool."""

from __future__ import annotations

import errno
from random import Random

SECTOR = 512


class ForgetfulFile:
    """What a process sees (`data`), and what survives a loss of power (`durable`, and any of the dirty sectors)."""

    def __init__(self, folder: ForgetfulFolder) -> None:
        self._folder = folder
        self.data, self.durable = bytearray(), bytearray()
        self._dirty: set[int] = set()

    def size(self) -> int:
        return len(self.data)

    def read(self, size: int, at: int) -> bytes:
        self._folder.check()
        return bytes(self.data[at : at + size])

    def write(self, data: bytes, at: int) -> None:
        """As much as fits on the disk, like pwrite, before it raises ENOSPC."""
        self._folder.check()
        growth = max(0, at + len(data) - len(self.data))
        missing = max(0, growth - self._folder.free)
        kept = data[: len(data) - missing]
        self._put(kept, at)
        if missing:
            raise OSError(errno.ENOSPC, "No space left on device")

    def _put(self, data: bytes, at: int) -> None:
        if not data:
            return
        growth = max(0, at + len(data) - len(self.data))
        self._folder.used += growth
        if at > len(self.data):
            self.data.extend(bytes(at - len(self.data)))
        self.data[at : at + len(data)] = data
        self._dirty.update(range(at // SECTOR, (at + len(data) - 1) // SECTOR + 1))

    def reserve(self, size: int) -> None:
        self._folder.check()
        if size - len(self.data) > self._folder.free:
            raise OSError(errno.ENOSPC, "No space left on device")

    def sync(self) -> None:
        self._folder.check()
        self.durable = bytearray(self.data)
        self._dirty.clear()

    def close(self) -> None:
        pass

    def lose_power(self, random: Random) -> None:
        """Each sector that was not synced is old or new."""
        after = bytearray(self.durable)
        for sector in sorted(self._dirty):
            if random.random() < 0.5:
                start, end = sector * SECTOR, min((sector + 1) * SECTOR, len(self.data))
                if len(after) < end:
                    after.extend(bytes(end - len(after)))
                after[start:end] = self.data[start:end]
        self.data, self.durable = after, bytearray(after)
        self._dirty.clear()


class ForgetfulFolder:
    """A folder; `size` is that of the disk, and while `failing` is set every call raises EIO."""

    def __init__(self, size: int = 1 << 40) -> None:
        self.size, self.used, self.failing = size, 0, False
        self.files: dict[str, ForgetfulFile] = {}
        self._durable: dict[str, ForgetfulFile] = {}

    @property
    def free(self) -> int:
        return self.size - self.used

    def check(self) -> None:
        if self.failing:
            raise OSError(errno.EIO, "Input/output error")

    def names(self) -> list[str]:
        self.check()
        return list(self.files)

    def open(self, name: str, *, create: bool = False) -> ForgetfulFile:
        self.check()
        if create:
            self.files[name] = ForgetfulFile(self)
        elif name not in self.files:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", name)
        return self.files[name]

    def rename(self, old: str, new: str) -> None:
        self.check()
        self.files[new] = self.files.pop(old)

    def remove(self, name: str) -> None:
        self.check()
        self.used -= len(self.files.pop(name).data)

    def sync(self) -> None:
        self.check()
        self._durable = dict(self.files)

    def is_removed(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def lose_power(self, random: Random) -> None:
        """Each change of the folder that was not synced happened or did not."""
        files = {}
        for name in sorted(self.files.keys() | self._durable.keys()):
            old, new = self._durable.get(name), self.files.get(name)
            if (file := old if old is new or random.random() < 0.5 else new) is not None:
                files[name] = file
        for file in files.values():
            file.lose_power(random)
        self.files, self._durable = files, dict(files)
        self.used = sum(len(file.data) for file in files.values())
