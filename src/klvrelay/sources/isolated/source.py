"""Run a source in a separate process, by the same contract: if it hangs, floods or crashes, other streams are not
affected.

libav parses untrusted input. In a separate process, a crash costs one stream a reconnect, and a hang can be ended by
a signal; a thread cannot be killed.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from klvrelay.config.url import Url
from klvrelay.core import LIMIT
from klvrelay.errors import KlvrelayError, SourceDown
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet, Units
from klvrelay.sources.isolated.checked_status import CheckedStatus
from klvrelay.sources.isolated.limits import ProcessLimits
from klvrelay.sources.isolated.process import Process
from klvrelay.sources.parts import SMALL, parts
from klvrelay.sources.progress import progress
from klvrelay.sources.web.resume import Resume
from klvrelay.text import Secret

if TYPE_CHECKING:
    from klvrelay.sources.contract import Source

SEGMENT = 30.0
"""Maximum seconds of a live playlist's segment: no data arrives until it is complete."""
SILENT_LEAST = 2.0
"""Minimum seconds of silence after which a process counts as hung, even if the timeout is shorter."""
PER_TURN = 128
"""Packets or units after which other tasks get a turn; a single read may hold a thousand small ones. A part of a large
packet counts as many."""
SHOWN_VALUE = 5
"""Maximum characters of an option value that is not treated as a secret: "1", "tcp", "pull"."""

_NEVER_SILENT = ("rtsp", "rtsps", "http", "https")


class IsolatedSource:
    """A source that is read by a separate process while its packets are requested.

    plain     the same source, not isolated: its options have been checked, and it is never opened
    options   arguments of `open_source` besides the URL
    resume    state from earlier connections, which a new process does not have
    command   command to start instead, for tests
    """

    def __init__(
        self, plain: Source, options: Mapping[str, Any], *, command: Sequence[str] | None = None,
        resume: Resume | None = None,
    ) -> None:  # fmt: skip
        self.url = plain.url
        self._options = dict(options)
        self._command = command
        self._resume = Resume() if resume is None else resume
        self._checked = CheckedStatus(plain, self._resume)

    @property
    def live(self) -> bool:
        return self._checked.live

    @property
    def fixed(self) -> bool:
        return self._checked.fixed

    @property
    def dropped(self) -> int:
        return self._checked.dropped

    @property
    def link(self) -> LinkStats:
        return self._checked.link

    async def packets(self) -> AsyncGenerator[Packet | Units, None]:
        """What the source yields in its process; raises its errors, or SourceDown if the process fails."""
        hide = _SecretFilter(self.url, self._options)
        checked = self._checked
        checked.begin()
        limit = _SilenceLimit(self.url, float(self._options.get("timeout", 5.0)))
        process = Process(self.url, hide, ProcessLimits.of(self.url, self._options.get("packet_limit", LIMIT)))
        try:
            await process.start(self._settings(), self._command)
            while process.end is None:
                found = await process.next(limit.silence)
                checked.update(process.status)
                progress().opened = True  # its process runs, and reports
                if found:
                    checked.confirm()
                cost_sum = 0
                for packet, cost in _with_costs(found):
                    yield packet
                    cost_sum += cost
                    if cost_sum >= PER_TURN:
                        cost_sum = 0
                        await asyncio.sleep(0)
                if process.position is not None:
                    self._resume.reported = process.position
                if limit.exhausted(self, bool(found)):
                    process.kill()
                    raise SourceDown(
                        f"{self.url}: its process was killed: its reader hung, no data for {limit.stall:g} s"
                    )
            if process.end.fault is not None:
                raise _hide_secrets(process.end.fault, hide)
        finally:
            try:
                await process.close()
            finally:
                checked.update(process.status)

    def _settings(self) -> bytes:
        """The settings for the process, including secrets: one line of JSON, sent only to the process."""
        names = ("scheme", "host", "port", "path", "user", "password", "query")
        settings = {
            "url": {name: getattr(self.url, name) for name in names},
            "options": self._options,
            "level": logging.getLogger("klvrelay.sources").getEffectiveLevel(),
            "position": base64.b64encode(self._resume.packed_position).decode(),
        }
        return json.dumps(settings, default=_reveal).encode() + b"\n"


def _with_costs(found: Sequence[Packet | Units]) -> Iterator[tuple[Packet | Units, int]]:
    """The packets, large ones in parts, each with its cost in units of `PER_TURN`."""
    for packet in found:
        if isinstance(packet, Units):
            yield packet, len(packet.entries)
        elif len(packet.data) <= SMALL:
            yield packet, 1
        else:
            for part in parts(packet):
                yield part, PER_TURN


class _SilenceLimit:
    """Maximum seconds of silence of a process and of its source, derived from the timeout.

    A listening source may wait without limit, and a file is as slow as its disk. A source that should end after the
    timeout without bytes (up to three such waits before its first packet), and does not, hangs.
    """

    def __init__(self, url: Url, timeout: float) -> None:
        self.silence = max(timeout, SILENT_LEAST)
        self.stall = 3 * timeout + SILENT_LEAST + (SEGMENT if url.scheme in ("http", "https") else 0)
        self._bounded = url.scheme in _NEVER_SILENT or (
            url.scheme == "srt" and bool(url.host) and url.options.get("mode", "caller") == "caller"
        )
        self._up = False  # a message has arrived: start-up time does not count as silence of the source
        self._since = 0.0
        self._size = 0
        self._began = False

    def exhausted(self, source: IsolatedSource, arrived: bool) -> bool:
        """Has the source exceeded its limit? `arrived`: packets arrived."""
        now = time.monotonic()
        if not self._up or arrived or source.link.size != self._size:
            self._up, self._since, self._size = True, now, source.link.size
            self._began |= arrived
        counts = source.link.size or not self._began
        return bool(self._bounded and source.live and counts and now - self._since > self.stall)


class _SecretFilter:
    """Removes the secrets of a source from a text, in every form in which they may occur."""

    def __init__(self, url: Url, options: Mapping[str, Any]) -> None:
        texts = {value.reveal() for value in (url.password, *options.values()) if isinstance(value, Secret)}
        shown = str(url)
        values = (*url.options.values(), *url.hidden(), *url.secrets())
        texts |= {value for value in values if len(value) > SHOWN_VALUE and value not in shown}
        forms = {form for text in texts for form in (text, quote(text, safe=""), quote(text)) if text}
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, "***")
        return text


def _hide_secrets(fault: KlvrelayError, hide: _SecretFilter) -> KlvrelayError:
    text = hide(str(fault))
    return SourceDown(text, wait=fault.wait) if isinstance(fault, SourceDown) else type(fault)(text)


def _reveal(value: object) -> dict[str, str]:
    if isinstance(value, Secret):
        return {"secret": value.reveal()}
    raise TypeError(f"an option of type {type(value).__name__} cannot be passed to another process")
