"""Runs a long-lived task: one attempt after another until one returns or its fault is fatal.

Every exception of an attempt is contained and becomes an error that an operator can read. `is_retryable` decides if
another attempt follows. The pause grows with each failure, and is reset after a steady period. This module has the only
broad `except` of the pipeline.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from functools import partial

from klvrelay.backoff import STEADY, Backoff
from klvrelay.errors import (
    ConfigError,
    InternalError,
    KlvrelayError,
    OutputLost,
    Shortage,
    SinkRefused,
    SourceDown,
    describe_bug,
)

LOG = logging.getLogger("klvrelay.relay")

SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
"""No descriptor, memory or buffer is left. Retry: other processes release theirs sooner or later, and ending the relay
would not free what they hold."""

Attempt = Callable[[Callable[[], None]], Awaitable[None]]
"""One attempt: returns if nothing is left to do, raises what ended it. It calls its argument once it is connected, and
its steady period begins."""


class Standing(Enum):
    """What is known of a source or sink, which decides whether another attempt makes sense.

    LASTING   a live source, or a sink that was connected before: it may return at any time
    NEW       a sink that was never connected: if it refuses, the settings are wrong
    REMOTE    a recording on a server: it has an end, and the server may be unavailable
    UNREAD    a file of which nothing has been read
    READ      a file of which something has been read: its records would be repeated
    """

    LASTING = auto()
    NEW = auto()
    REMOTE = auto()
    UNREAD = auto()
    READ = auto()


def standing_of(scheme: str, *, live: bool, read: bool) -> Standing:
    """The standing of a source, by the scheme of its URL. `read`: bytes were received."""
    if live:
        return Standing.LASTING
    if scheme in ("file", "stdin"):
        return Standing.READ if read else Standing.UNREAD
    return Standing.REMOTE


def is_retryable(fault: BaseException, standing: Standing) -> bool:
    """Does another attempt make sense after this fault?

    ================================  =======  ===  ======  ======  ====
    fault                             LASTING  NEW  REMOTE  UNREAD  READ
    ================================  =======  ===  ======  ======  ====
    ConfigError, SinkRefused          yes      no   no      no      no
    SourceDown                        yes      yes  yes     no      no
    no descriptor or memory left      yes      yes  yes     yes     no
    standard output cannot be written no       no   no      no      no
    anything else                     yes      yes  no      no      no
    ================================  =======  ===  ======  ======  ====
    """
    if isinstance(fault, OutputLost):
        return False
    if standing is Standing.LASTING:
        return True
    if is_shortage(fault):
        return standing is not Standing.READ
    if standing is Standing.NEW:
        return not isinstance(fault, ConfigError | SinkRefused)
    return standing is Standing.REMOTE and isinstance(fault, SourceDown)


def is_shortage(fault: BaseException | None) -> bool:
    """Is a lack of descriptors, memory or buffers the fault or its cause?"""
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
    """Run `attempt` until it returns. Raises the KlvrelayError that is not retryable.

    standing  what is known of the source or sink, evaluated after each fault
    down      is called with each fault that is retried
    steady    seconds for which an attempt must be connected before the back-off is reset
    """
    uptime = _Uptime(clock)
    while (fault := await _fault_of(partial(attempt, uptime.begin), name)) is not None:
        if not is_retryable(fault, standing()):
            raise fault
        if uptime.end() >= steady:
            backoff.reset()
        contain(lambda fault=fault: down(fault), name)  # type: ignore[misc]
        await sleep(max(backoff.next(), fault.wait))


def contain(step: Callable[[], object], name: str) -> KlvrelayError | None:
    """Run a step whose failure must not end its caller. Returns the fault, or None."""
    try:
        step()
    except Exception as error:  # noqa: BLE001 (an internal error must end nothing else)
        return as_fault(error, name)
    return None


def as_fault(error: Exception, name: str) -> KlvrelayError:
    """The error for the operator; of an exception group, the first error."""
    first = _first(error)
    if isinstance(first, KlvrelayError):
        return first
    LOG.debug("%s", name, exc_info=first)
    fault = Shortage.of(first) if is_shortage(first) else InternalError(describe_bug(first))
    fault.__cause__ = first
    return fault


async def raised_by(work: Callable[[], Awaitable[None]]) -> Exception | None:
    """Run work in a task. Returns what it raised, or None.

    asyncio logs a task that raises while the loop closes, even if its exception is retrieved: a task that was cancelled
    then may raise, such as a task group that fails at the same time. So the task returns the exception, and the one who
    waits for it raises it.
    """
    try:
        await work()
    except Exception as error:  # noqa: BLE001 (an internal error must end nothing else)
        return error
    return None


async def _fault_of(attempt: Callable[[], Awaitable[None]], name: str) -> KlvrelayError | None:
    """Run an attempt. Returns the fault, or None.

    The attempt runs in a separate task, so that only a cancellation of the waiting task is a stop: a task group that
    fails while it is cancelled raises only its fault, and a library may cancel its own waits.
    """
    task = asyncio.create_task(raised_by(attempt), name=f"attempt {name}")
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    if task.cancelled():
        return InternalError("internal error: a wait was cancelled")
    error = task.result()
    return None if error is None else as_fault(error, name)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class _Uptime:
    """How long the current attempt has been connected."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: float | None = None

    def begin(self) -> None:
        self._since = self._clock()

    def end(self) -> float:
        """Seconds since `begin`, 0 without it; the next attempt begins."""
        since, self._since = self._since, None
        return 0.0 if since is None else self._clock() - since
