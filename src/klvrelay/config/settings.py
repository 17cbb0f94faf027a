"""The settings of a relay and of its sources, as typed values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from klvrelay.config import kinds
from klvrelay.config.alerts import AlertsSettings
from klvrelay.config.choice import Choice
from klvrelay.config.incidents import IncidentSettings
from klvrelay.config.log import LogSettings
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.names import PROGRAM_MOST, checked_name, distinct_names, name_candidates, program_number
from klvrelay.config.output_changes import PATTERNS
from klvrelay.config.setting import described, setting
from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.config.sinks.kind import SinkKind
from klvrelay.config.sinks.known import kind_of
from klvrelay.config.url import Url
from klvrelay.config.web import WebSettings
from klvrelay.core import LIMIT, LIMIT_LEAST, LIMIT_MOST
from klvrelay.errors import ConfigError
from klvrelay.shape.marking import NO_LIMIT, Limit
from klvrelay.shape.output import Output
from klvrelay.text import Secret, printable

Order = Literal["strict", "live-first"]

COALESCE = 0.008
"""Default maximum of seconds between two reads of busy datagram sockets."""
RECORD_SIZE = 64 << 20
"""Bytes after which a segment of a source's recording ends."""
SPOOL_LEAST = 1 << 20
"""Least bytes of a spool."""
DEFAULT_SINK = "mqtt"
"""Name of an MQTT sink that has no other; those of other kinds have the name of their kind."""

_COALESCE = kinds.duration("0.5ms", "100ms", or_zero=True)
_ONLY_MQTT = ("mqtt",)
_AGE = kinds.duration("1s", "3650d")
_SECONDS = kinds.number(0.1)
_FILE = kinds.text(wanted="the name of a file")


def _check_stream(name: str) -> None:
    checked_name(name, "")


def _check_sink(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][\w-]{0,31}", name, re.ASCII):
        raise ConfigError("must be a name of at most 32 letters, digits, - and _, such as mqtt")


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One source: its URL, its stream name, and how it is opened.

    url   a path, `-`, or udp://, rtp://, tcp://, srt://, rtsp://, rtsps://, http://, https://
    pids  stream names by PID; the first of all other PIDs is named `stream`, the rest have their PID as suffix
    only  selected PIDs; empty: all
    """

    url: Url
    stream: str | None = setting(
        None, kinds.text(_check_stream, "a name of at most 96 characters", wanted="a name such as uav1"),
        "name in topics and records", note="from the URL", example='"uav1"',
    )  # fmt: skip
    interface: str | None = setting(None, kinds.text(), "network interface for multicast", example='"eth0"')
    sender: str | None = setting(None, kinds.text(), "accept datagrams from this address only", example='"192.0.2.7"')
    timeout: float = setting(5.0, _SECONDS, "seconds to wait for a connection, and for bytes on it")
    ca_file: str | None = setting(
        None, _FILE, "CA certificates to trust for rtsps:// and https://", note="those of the system",
        example='"/etc/klvrelay/ca.pem"',
    )  # fmt: skip
    speed: float | None = setting(
        None, kinds.number(0.001), "files only: pace of the recording, times this", example="1.0",
        note="as fast as the sinks accept it",
    )  # fmt: skip
    loop: bool = setting(False, kinds.FLAG, "files only: repeat until stopped")
    follow: bool = setting(False, kinds.FLAG, "files only: wait for more data at the end")
    stall: float = setting(4.5, _SECONDS, "seconds without bytes, or without KLV, after which the stream is stale")
    demux: Literal["native", "libav"] = setting(
        "native", kinds.one_of("native", "libav"), "demultiplexer of MPEG-TS: native (the C core) or libav"
    )
    isolate: bool | None = setting(
        None, kinds.FLAG, "read the source in a separate process, which contains a hang, a crash or an intrusion",
        note="true for http, https, rtsp and rtsps", example="true",
    )  # fmt: skip
    passphrase: Secret | None = setting(
        None, kinds.SECRET, "srt:// only: its passphrase", elsewhere=True, note="KLVRELAY_SRT_PASSPHRASE"
    )
    packet_limit: int = setting(
        LIMIT,
        kinds.whole(LIMIT_LEAST, LIMIT_MOST),
        "maximum bytes of the value of a KLV packet; larger ones are skipped",
    )
    record: Path | None = setting(
        None, kinds.FOLDER, "also write the bytes as received to segments in this folder, as klvrelay record does",
        example='"/var/lib/klvrelay/tapes"',
    )  # fmt: skip
    record_segment: float = setting(60.0, kinds.duration("1s", "1d"), "with record: time of a segment")
    record_total: int = setting(
        10 << 30, kinds.size(2 * RECORD_SIZE), "with record: maximum bytes of segments: the oldest are deleted first"
    )
    record_age: float | None = setting(
        None, kinds.duration("1m", "3650d"), "with record: maximum age of segments", note="not limited", example='"7d"'
    )
    pids: Mapping[int, str] = field(default_factory=dict)
    only: frozenset[int] = frozenset()
    program: int | None = setting(
        None, kinds.whole_or_text(program_number, "from 1 to 65535", 1, PROGRAM_MOST), "only the KLV of this program",
        example="2",
    )  # fmt: skip

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
class SinkSettings:
    """One sink, and how records are delivered to it.

    far_end    where it delivers to, by the kind of the sink
    fallbacks  MQTT brokers to use while the first cannot be
    outputs    what it publishes of the records; empty: those of its kind, see `published`
    limit      the markings of what it may publish at all
    """

    name: str = field(
        metadata=described(
            kinds.text(_check_sink, "letters, digits, - and _"),
            "names the position of the sink in the spool, which stays valid if the far end moves",
            note="the kind of sink, such as mqtt", example='"mqtt"',
        )
    )  # fmt: skip
    far_end: FarEndSettings
    fallbacks: tuple[MqttSettings, ...] = ()
    order: Order = setting(
        "strict", kinds.one_of(*get_args(Order)),
        "after an outage: strict: the backlog first; live-first: the backlog beside the live records",
    )  # fmt: skip
    replay_rate: float = setting(200.0, kinds.number(1, 1e6), "with live-first: records of the backlog per second")
    batch: float | None = setting(
        None, kinds.duration("10ms", "10s"), "gather records for this time, and deliver them together; to an MQTT"
        " broker as one message per stream, of JSON Lines", note="each record has its own message", example='"100ms"',
    )  # fmt: skip
    set: tuple[str, ...] = setting(
        (), PATTERNS, "what subscribers may change at run time, by a message on {prefix}/{stream}/set",
        example='["telemetry.rate", "*.items"]',
        only=_ONLY_MQTT,
    )  # fmt: skip
    budget: float | None = setting(
        None, kinds.bit_rate("1kbit/s", "10Gbit/s"), "what the sink sends at most, with all headers: urgent outputs"
        " first, and less of the others if it does not suffice", note="not limited", example='"64kbit/s"',
        only=_ONLY_MQTT,
    )  # fmt: skip
    budget_later: bool = setting(
        False, kinds.FLAG, "with a budget: records that it left out follow on .../later when the uplink is idle",
        only=_ONLY_MQTT,
    )  # fmt: skip
    outputs: tuple[Output, ...] = ()
    limit: Limit = NO_LIMIT

    def __post_init__(self) -> None:
        if self.outputs and any(broker.raw for broker in self.brokers):
            raise ConfigError(
                "mqtt raw: publishes whole packets, whatever the outputs leave out; instead of it, give an output"
                ' format = "klv"'
            )

    @property
    def kind(self) -> SinkKind:
        """The kind of its far end."""
        return kind_of(self.far_end)

    @property
    def published(self) -> tuple[Output, ...]:
        """All outputs, also those that other settings add, or that a sink without others has."""
        return self.outputs or self.kind.outputs(self.far_end)

    @property
    def mqtt(self) -> MqttSettings | None:
        """Its first broker; None for other kinds of sinks."""
        return self.far_end if isinstance(self.far_end, MqttSettings) else None

    @property
    def brokers(self) -> tuple[MqttSettings, ...]:
        """All brokers, in the order in which they are tried."""
        return () if self.mqtt is None else (self.mqtt, *self.fallbacks)

    @property
    def url(self) -> str:
        """The addresses of the far end, for messages."""
        return ",".join((self.far_end.url, *(broker.url for broker in self.fallbacks)))


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """Where records wait on disk."""

    path: Path = field(
        metadata=described(kinds.FOLDER, "a folder of this relay only", example='"/var/lib/klvrelay/spool"')
    )
    size: int = setting(
        1 << 30, kinds.size(SPOOL_LEAST), "maximum bytes; beyond that the oldest records are discarded, and counted"
    )
    commit: float = setting(
        0.05, kinds.duration("10ms", "10s"), "interval of writes: a crash loses what is younger and unanswered"
    )
    age: float | None = setting(
        None, _AGE, "maximum time that a record waits; older ones are shed", note="any", example='"24h"'
    )


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Settings of `klvrelay run`. `spool` None: records wait in memory only."""

    sources: tuple[SourceSettings, ...] = ()
    sinks: tuple[SinkSettings, ...] = ()
    waiting: int = setting(
        10_000, kinds.whole(1), "maximum records that wait in memory for a sink; beyond that the oldest are shed"
    )
    waiting_size: int = setting(64 << 20, kinds.whole(1), "maximum bytes of these records")
    age: float | None = setting(
        None, _AGE, "without a spool: maximum time that a record waits in memory; older ones are shed", note="any",
        example='"24h"',
    )  # fmt: skip
    coalesce: float = setting(
        COALESCE, _COALESCE, "longest interval at which many busy datagram sockets are read together; 0: read each"
        " datagram at once",
    )  # fmt: skip
    spool: SpoolSettings | None = None
    http: WebSettings | None = None
    log: LogSettings = field(default_factory=LogSettings)
    state: Path | None = setting(
        None, kinds.FOLDER, "the state directory, of this relay only: it keeps the ledger of incidents over restarts",
        note="STATE_DIRECTORY of systemd, else incidents are in memory", example='"/var/lib/klvrelay/state"',
    )  # fmt: skip
    incidents: IncidentSettings = field(default_factory=IncidentSettings)
    watch: bool = setting(False, kinds.FLAG, "reload the settings when their files change")
    alerts: AlertsSettings = field(default_factory=AlertsSettings)

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
