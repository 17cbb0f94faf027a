"""Opens the log in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from klvrelay import threads
from klvrelay.errors import ConfigError
from klvrelay.spool.disk.files import OsFolder, why_refused
from klvrelay.spool.disk.log import COMMIT, DiskLog
from klvrelay.spool.disk.store import Store
from klvrelay.spool.memory import WAITING, WAITING_SIZE


async def open_log(
    path: Path, relay: str, size: int, *, commit: float = COMMIT, limit: int = WAITING, size_limit: int = WAITING_SIZE,
    age: float | None = None, others: Sequence[str] = (),
) -> DiskLog:  # fmt: skip
    """The log in a folder, which is created if absent.

    relay   name of the relay that owns the spool
    size    maximum bytes of the segments
    others  further names of this relay, see `Store`; for the other arguments see `DiskLog`

    Raises ConfigError if another process uses the folder, if it cannot be used, or for a spool of another version or
    relay.
    """
    worker = threads.Worker("klvrelay-spool")
    try:
        store = await worker.run(partial(_open_store, path, relay, size, others))
    except BaseException:
        worker.close()
        raise
    return DiskLog(store, worker, commit=commit, limit=limit, size_limit=size_limit, age=age)


def _open_store(path: Path, relay: str, size: int, others: Sequence[str]) -> Store:
    try:
        path.mkdir(mode=0o750, parents=True, exist_ok=True)
        with ExitStack() as opened:
            folder = OsFolder(path)
            opened.callback(folder.close)
            store = Store(folder, relay, size, str(path), others)
            opened.pop_all()  # the store closes it
            return store
    except BlockingIOError:
        raise ConfigError(f"{path}: another klvrelay uses this spool; give each its own folder") from None
    except ConfigError as fault:
        raise ConfigError(f"{path}: {fault}") from None
    except OSError as fault:
        raise ConfigError(f"{fault.filename or path}: {why_refused(fault)}") from None
