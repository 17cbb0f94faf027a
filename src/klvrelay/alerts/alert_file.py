"""The file `alerts.json` of the state directory: what is raised, and which destinations know of it.

A relay that is killed cannot end its alerts. The next run reads them here, and continues them with the same ids. The
file is replaced as a whole, so a kill leaves the old one or the new one. A thread writes it, since a disk may block.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, get_args

from klvrelay import threads
from klvrelay.alerts.alert import Alert
from klvrelay.alerts.rule import AlertRule
from klvrelay.backoff import Repeats
from klvrelay.config.alert_rules import SEVERITIES, AlertSubject
from klvrelay.json_output import dumps
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.alerts")

NAME = "alerts.json"
SCHEMA = "klvrelay/raised-alerts/1"
SIZE_MOST, KEPT_MOST = 4 << 20, 2000
"""Maximum size of the file in bytes, and maximum number of alerts in it."""
LAST_WRITE = 1.0
"""Maximum seconds for the last write."""
_TEXTS = ("id", "rule", "subject", "name", "severity", "unit", "text", "advice")
_NUMBERS = ("value", "worst", "threshold")
_TIMES = ("since_us", "raised_us")


class KeptAlert(NamedTuple):
    """A raised alert, and the names of the destinations that were notified of it."""

    alert: Alert
    notified: tuple[str, ...] = ()


def read_alerts(folder: Path) -> list[KeptAlert]:
    """What the run before had raised and did not end. A file that is damaged is ignored, with a log line."""
    try:
        with (folder / NAME).open("rb") as file:
            data = file.read(SIZE_MOST + 1)
        if len(data) > SIZE_MOST:
            raise ValueError(f"more than {SIZE_MOST} bytes")
        return [_kept(one) for one in json.loads(data)["alerts"][:KEPT_MOST]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as fault:
        LOG.warning("alerts of the run before are not known: file=%s error=%r", printable(str(folder / NAME)),
                    printable(f"{type(fault).__name__}: {fault}")[:200])  # fmt: skip
        return []


def _kept(found: Any) -> KeptAlert:
    """Raises ValueError, TypeError or KeyError for anything else."""
    values: dict[str, Any] = {name: _of(str, found[name]) for name in _TEXTS}
    values |= {name: float(_of((int, float), found[name])) for name in _NUMBERS}
    values |= {name: _of(int, found[name]) for name in _TIMES}
    if values["severity"] not in SEVERITIES or values["subject"] not in get_args(AlertSubject):
        raise ValueError("unknown severity or subject")
    return KeptAlert(Alert(**values), tuple(_of(str, name) for name in _of(list, found["notified"])))


def _of(kind: type | tuple[type, ...], value: Any) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError("a value of another type")
    return value


def write_alerts(folder: Path, kept: Sequence[KeptAlert]) -> None:
    """Replace the file. Raises OSError."""
    found = [_members(one) for one in kept[:KEPT_MOST]]
    new = folder / f"{NAME}.new"
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    with open(fd, "wb") as file:
        file.write(dumps({"schema": SCHEMA, "alerts": found}))
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, folder / NAME)


def _members(kept: KeptAlert) -> dict[str, Any]:
    return {name: getattr(kept.alert, name) for name in (*_TEXTS, *_NUMBERS, *_TIMES)} | {"notified": kept.notified}


class AlertFile:
    """Keeps the file up to date. `folder` None: there is none. A fault of the disk is logged."""

    def __init__(self, folder: Path | None) -> None:
        self._folder, self._worker = folder, threads.Worker("klvrelay-alerts-file")
        self._repeats = Repeats()
        self._changes = 0
        self._written: object = (0, 0)
        self._writing: asyncio.Future[None] | None = None

    def note(self, alert: Alert, rule: AlertRule) -> None:
        """An alert was raised, cleared or ended: the file is out of date."""
        self._changes += 1

    def update(self, kept: Callable[[], Sequence[KeptAlert]], sent: int) -> None:
        """Write the file if anything changed since the last write, one write at a time. `sent`: notifications."""
        is_busy = self._writing is not None and not self._writing.done()
        if self._folder is None or is_busy or self._written == (self._changes, sent):
            return
        self._written = self._changes, sent
        self._writing = self._worker.run(partial(self._write, self._folder, kept()))

    async def close(self, kept: Sequence[KeptAlert]) -> None:
        """Write the file a last time; the wait is bounded."""
        if self._folder is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WRITE):
                    await self._worker.run(partial(self._write, self._folder, kept))
            self._worker.close()

    def _write(self, folder: Path, kept: Sequence[KeptAlert]) -> None:
        try:
            write_alerts(folder, kept)
        except OSError as fault:
            if (line := self._repeats.add(str(fault.strerror))) is not None:
                advice = "after a kill, the next run reports what is raised with other ids"
                LOG.warning("raised alerts can't be written: file=%s error=%r advice=%r",
                            printable(str(folder / NAME)), line, advice)  # fmt: skip
        else:
            self._repeats.over()
