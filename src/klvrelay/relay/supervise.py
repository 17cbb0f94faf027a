"""Keeps a long-lived task going: runs one attempt after another until one returns or its fault is fatal.

What an attempt raises is contained, whatever it is, as an error that an operator can read; `is_retryable` says whether
another attempt follows. The pause between two grows with each failure, and is short again once an attempt has stood for
a steady period. This module holds the only broad `except` of the pipeline.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from collections.abc import Awaitable, Callable
from enum import Enum, auto

from klvrelay.backoff import STEADY, Backoff
from klvrelay.errors import ConfigError, InternalError, KlvrelayError, Shortage, SinkRefused, SourceDown, blunder

LOG = logging.getLogger("klvrelay.relay")

SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
"""No descriptor, memory or buffer is left. Others give theirs back sooner or later, so these are waited out: to end the
relay would not free what the rest of the machine holds."""

Attempt = Callable[[Callable[[], None]], Awaitable[None]]
"""One attempt: returns where nothing is left to do, raises what ended it. It calls its argument once it stands, from
where its steady period is measured."""


class Standing(Enum):
    """What is known of a far end, which decides whether another attempt is worth it.

    LASTING   a live source, or a sink that was connected before: it may be back at any time
    NEW       a sink that never was connected: if it refuses, somebody has to mend the settings
    REMOTE    a recording on a server: it has an end, and the server may be away
    UNREAD    a file of which nothing has been read
    READ      a file of which something has been read: its records would come twice
    """

    LASTING = auto()
    NEW = auto()
    REMOTE = auto()
    UNREAD = auto()
    READ = auto()


def standing_of(scheme: str, *, live: bool, read: bool) -> Standing:
    """That of a source, by the scheme of its URL; read: something came of it."""
    if live:
        return Standing.LASTING
    if scheme in ("file", "stdin"):
        return Standing.READ if read else Standing.UNREAD
    return Standing.REMOTE


def is_retryable(fault: BaseException, standing: Standing) -> bool:
    """Is another attempt worth it after this fault?

    ================================  =======  ===  ======  ======  ====
    fault                             LASTING  NEW  REMOTE  UNREAD  READ
    ================================  =======  ===  ======  ======  ====
    ConfigError, SinkRefused          yes      no   no      no      no
    SourceDown                        yes      yes  yes     no      no
    no descriptor or memory left      yes      yes  yes     yes     no
    anything else                     yes      yes  no      no      no
    ================================  =======  ===  ======  ======  ====
    """
    if standing is Standing.LASTING:
        return True
    if is_shortage(fault):
        return standing is not Standing.READ
    if standing is Standing.NEW:
        return not isinstance(fault, ConfigError | SinkRefused)
    return standing is Standing.REMOTE and isinstance(fault, SourceDown)


def is_shortage(fault: BaseException | None) -> bool:
    """Did it fail, or what caused it, since the machine has run out of something?"""
    while fault is not None:
        if isinstance(fault, Shortage) or (isinstance(fault, OSError) and fault.errno in SHORTAGES):
            return True
        fault = fault.__cause__
    return False


async def supervise(
    attempt: Attempt,
    *,
    name: str,
    backoff: Backoff,
    standing: Callable[[], Standing],
    down: Callable[[KlvrelayError], None],
    steady: float = STEADY,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Run `attempt` until it returns; raises the KlvrelayError after which no other is worth it.

    standing  what is known of the far end, asked for after each fault
    down      is called with each fault that is retried
    steady    seconds that an attempt must have stood before the next pause is short again
    """
    stood = _Stood(clock)
    while (fault := await _fault_of(attempt(stood.begin), name)) is not None:
        if not is_retryable(fault, standing()):
            raise fault
        if stood.end() >= steady:
            backoff.reset()
        contained(lambda fault=fault: down(fault), name)  # type: ignore[misc]
        await sleep(max(backoff.next(), fault.wait))


def contained(step: Callable[[], object], name: str) -> KlvrelayError | None:
    """Run a step that must not end what is around it; what it raised, or None."""
    try:
        step()
    except Exception as error:  # noqa: BLE001 (what nobody foresaw ends nothing else)
        return as_fault(error, name)
    return None


def as_fault(error: Exception, name: str) -> KlvrelayError:
    """The error as an operator may read it; of those that came together, the first."""
    first = _first(error)
    if isinstance(first, KlvrelayError):
        return first
    LOG.debug("%s", name, exc_info=first)
    fault = Shortage.of(first) if is_shortage(first) else InternalError(blunder(first))
    fault.__cause__ = first
    return fault


async def _fault_of(attempt: Awaitable[None], name: str) -> KlvrelayError | None:
    """Await an attempt; what it raised, or None.

    In a separate task: a task group that fails at the moment when it is cancelled raises its fault only, and a library
    may cancel what it waits for itself. Only what cancels the task that waits here is a stop.
    """
    task = asyncio.create_task(_outcome(attempt, name), name=f"attempt {name}")
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return InternalError("internal error: a wait was cancelled") if task.cancelled() else task.result()


async def _outcome(attempt: Awaitable[None], name: str) -> KlvrelayError | None:
    """A value, since asyncio would report a task that fails while the loop shuts down."""
    try:
        await attempt
    except Exception as error:  # noqa: BLE001 (what nobody foresaw ends nothing else)
        return as_fault(error, name)
    return None


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class _Stood:
    """How long the present attempt has stood."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: float | None = None

    def begin(self) -> None:
        self._since = self._clock()

    def end(self) -> float:
        """Seconds, 0 where it never stood; the next attempt begins."""
        since, self._since = self._since, None
        return 0.0 if since is None else self._clock() - since
