"""The settings of a relay and of its sources, as typed values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from klvrelay.config.choice import Choice
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.names import checked_name, distinct_names, name_candidates
from klvrelay.config.url import Url
from klvrelay.core import LIMIT
from klvrelay.errors import ConfigError
from klvrelay.text import Secret, printable

COALESCE = 0.008
"""Default maximum of seconds between two reads of busy datagram sockets."""
_COALESCE_LEAST, _COALESCE_MOST = 0.0005, 0.1
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s)", re.ASCII)


def coalesce_seconds(text: str) -> float:
    """`2ms`, `0.005s` or `0` in seconds. Raises ConfigError for anything else."""
    found = _DURATION.fullmatch(text)
    seconds = 0.0 if found is None else float(found[1]) * (0.001 if found[2] == "ms" else 1.0)
    if text != "0" and not (found and _COALESCE_LEAST <= seconds <= _COALESCE_MOST):
        raise ConfigError(f'coalesce {printable(text)}: give a time from "0.5ms" to "100ms", or 0')
    return seconds


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One source: its URL, its stream name, and how it is opened.

    url           a path, `-`, or udp://, rtp://, tcp://, srt://, rtsp://, rtsps://, http://, https://
    stream        name in topics and records; None: derived from the URL
    interface     network interface for multicast
    sender        address that datagrams must come from
    timeout       seconds to wait for a connection, and for bytes on it
    ca_file       CA certificates for rtsps:// and https://
    speed         replay a file at this multiple of its original pace; None: as fast as the sinks accept it
    loop          replay it in a loop
    follow        wait for more data at the end of a file
    stall         seconds without bytes or KLV after which the stream is stale
    demux         MPEG-TS demultiplexer: "native" (the C core) or "libav"
    isolate       read the source in a separate process; None: only http://, https://, rtsp:// and rtsps://
    passphrase    that of srt://
    packet_limit  maximum bytes of the value of a KLV packet
    pids          stream names by PID; the first of all other PIDs is named `stream`, the rest have their PID as suffix
    only          selected PIDs; empty: all
    program       number of the selected program; None: all
    """

    url: Url
    stream: str | None = None
    interface: str | None = None
    sender: str | None = None
    timeout: float = 5.0
    ca_file: str | None = None
    speed: float | None = None
    loop: bool = False
    follow: bool = False
    stall: float = 5.0
    demux: Literal["native", "libav"] = "native"
    isolate: bool | None = None
    passphrase: Secret | None = None
    packet_limit: int = LIMIT
    pids: Mapping[int, str] = field(default_factory=dict)
    only: frozenset[int] = frozenset()
    program: int | None = None

    def __post_init__(self) -> None:
        if self.stream is not None:
            checked_name(self.stream)
        for name in self.pids.values():
            checked_name(name, "pids")

    def details(self) -> tuple[str, ...]:
        """What distinguishes it from other sources with the same URL."""
        pids = ",".join(map(str, sorted((*self.only, *self.pids))))
        program = "" if self.program is None else str(self.program)
        return self.interface or "", self.sender or "", program, pids


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """Where records wait on disk.

    path    the folder
    size    maximum bytes of the segments
    commit  seconds from one write to the next: a crash loses what is younger and unanswered
    """

    path: Path
    size: int = 1 << 30
    commit: float = 0.05


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Settings of `klvrelay run`.

    spool         None: records wait in memory only
    waiting       maximum records that wait in memory for a sink before the oldest are shed
    waiting_size  maximum bytes of those records
    coalesce      maximum seconds between two reads of the datagram sockets when many are busy; 0: each datagram is
                  read at once
    watch         reload the settings when their files change
    """

    sources: tuple[SourceSettings, ...] = ()
    mqtt: MqttSettings | None = None
    waiting: int = field(default=10_000)
    waiting_size: int = 64 << 20
    coalesce: float = COALESCE
    spool: SpoolSettings | None = None
    watch: bool = False

    def named(self) -> list[tuple[str, SourceSettings]]:
        """The sources with their stream names. Raises ConfigError if two sources are set to the same name.

        If several sources would have the same derived name, each gets a suffix, which does not depend on their order.
        """
        explicit = [s.stream for s in self.sources if s.stream is not None]
        if repeated := _first_repeated(explicit):
            raise ConfigError(f"stream {printable(repeated)}: two sources have this name; names must be unique")
        derived = [name_candidates(s.url, *s.details()) for s in self.sources if s.stream is None]
        names = iter(distinct_names(derived, frozenset(explicit)))
        return [(s.stream if s.stream is not None else next(names), s) for s in self.sources]

    def choices(self) -> list[Choice]:
        """The selected KLV and the stream names of each source. Raises ConfigError for a repeated name."""
        named = self.named()
        owner = {name: place for place, (name, _) in enumerate(named)}
        for place, (_, source) in enumerate(named):
            for name in source.pids.values():
                if owner.setdefault(name, place) != place or list(source.pids.values()).count(name) > 1:
                    raise ConfigError(f"pids: {printable(name)} is the name of another stream; names must be unique")
        taken = frozenset(owner)
        return [Choice(source.only, source.program, source.pids, taken) for _, source in named]


def _first_repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]
