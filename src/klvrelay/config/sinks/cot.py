"""Settings of a Cursor on Target sink: a TAK server, one client, or a multicast group."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self, get_args

from klvrelay.config import kinds
from klvrelay.config.setting import setting
from klvrelay.config.sinks.address import Scheme, check_tls_files, checked, options_of, shown, url_of
from klvrelay.config.sinks.far_end import PublishBad
from klvrelay.config.sinks.kind import OUTPUT_KEYS, Fault, SinkKind
from klvrelay.config.sinks.shared import CA_FILE, CERT_FILE, INTERFACE, KEY_FILE, TIMEOUT, TTL
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.json_output import Numbers
from klvrelay.shape.output import Output

TakCarrier = Literal["udp", "tcp", "tls"]
TakProtocol = Literal["xml", "protobuf"]
UidFrom = Literal["stream", "tail_number", "mission"]
EventTime = Literal["klv", "received"]
EventKind = Literal["platform", "spi", "footprint", "targets"]

EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
NAMES = ("stream", "platform_call_sign", "platform_tail_number", "platform_designation", "mission_id")
"""What a callsign may contain: the stream, and items 59, 4, 10 and 3."""
TEMPLATE_MOST = 500
"""Maximum characters of a template."""

_FORM = "cot+udp://host:port, cot+tcp://host[:8087], cot+tls://host[:8089]"
_SCHEMES = {"cot+udp": Scheme(), "cot+tcp": Scheme(8087), "cot+tls": Scheme(8089, tls=True)}
_NAME = re.compile(r"\{([^{}]*)\}")


def _check_type(text: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9.]+(-[A-Za-z0-9.]+)*", text, re.ASCII) or len(text) > 60:
        raise ConfigError("must be a type of Cursor on Target, such as a-f-A-M-F-Q or a-n-A-C-F")


def _check_uid_prefix(text: str) -> None:
    if not re.fullmatch(r"[\w.-]{1,60}", text, re.ASCII):
        raise ConfigError("must be at most 60 letters, digits, -, _ and .")


def _check_names(text: str, names: Collection[str]) -> None:
    if len(text) > TEMPLATE_MOST or not text.isprintable() or not text.strip():
        raise ConfigError(f"must be 1 to {TEMPLATE_MOST} printable characters")
    if set("{}") & set(_NAME.sub("", text)):
        raise ConfigError("has a { or } that is not part of a name such as {stream}")
    for name in _NAME.findall(text):
        if name not in names:
            hint = kinds.did_you_mean(name, names) or f"; valid names: {', '.join(names)}"
            raise ConfigError(f"{{{name}}} is unknown{hint}")


def _check_callsign(text: str) -> None:
    _check_names(text, NAMES)


def _check_video(text: str) -> None:
    _check_names(text, ("stream",))
    url = Url.parse(text.replace("{stream}", "stream"))
    if not url.host:
        raise ConfigError("must be a URL that TAK clients can play, such as rtsp://server:8554/{stream}")
    if url.user is not None or url.password is not None:
        raise ConfigError("has a user or a password, which every TAK client would get: leave it out")


def _events(value: Any) -> tuple[EventKind, ...]:
    found = value.split(",") if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not found:
        raise ConfigError(f"must be an array of {', '.join(EVENT_KINDS)}")
    for one in found:
        if one not in EVENT_KINDS:
            hint = kinds.did_you_mean(one, EVENT_KINDS) if isinstance(one, str) else ""
            raise ConfigError(f"must be an array of {', '.join(EVENT_KINDS)}{hint}")
    return tuple(one for one in EVENT_KINDS if one in found)


_EVENTS = kinds.compound(
    _events, f"an array of {', '.join(EVENT_KINDS)}",
    {"type": "array", "items": {"enum": list(EVENT_KINDS)}, "minItems": 1},
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CotSettings:
    """A TAK server over TCP or TLS, or the address of a client or group for datagrams."""

    role: ClassVar[str] = "TAK server"
    without_tls: ClassVar[str] = "cot+tcp://"
    prefix: ClassVar[str] = "klvrelay"
    numbers: ClassVar[Numbers] = "exact"
    publish_bad: ClassVar[PublishBad] = "drop"
    carrier: TakCarrier
    host: str
    port: int
    events: tuple[EventKind, ...] = setting(
        EVENT_KINDS,
        _EVENTS,
        "which events: the aircraft, where its sensor looks, the ground in the picture, VMTI targets",
    )
    cot_type: str = setting(
        "a-f-A-M-F-Q",
        kinds.text(_check_type, "a type"),
        "type of the aircraft: a-f friend, a-n neutral, a-h hostile, ...",
    )
    target_type: str = setting("a-u-G", kinds.text(_check_type, "a type"), "type of VMTI targets")
    max_targets: int = setting(50, kinds.whole(1, 1000), "VMTI targets per record at most; those of priority first")
    callsign: str | None = setting(
        None, kinds.text(_check_callsign, "text with names such as {stream} or {platform_call_sign}"),
        "label of the aircraft", note="item 59, else item 4, else the stream", example='"UAV {stream}"',
    )  # fmt: skip
    uid_prefix: str = setting(
        "klvrelay", kinds.text(_check_uid_prefix, "letters, digits, -, _ and ."), "begin of all uids; see uid_from"
    )
    uid_from: UidFrom = setting(
        "stream", kinds.one_of(*get_args(UidFrom)), "what identifies an aircraft: the name of the stream, item 4, or"
        " items 10 and 3. Relays with the same answer and the same uid_prefix update the same markers",
    )  # fmt: skip
    stale_after: float = setting(5.0, kinds.duration("1s", "1h"), "time after which clients show an event as old")
    event_time: EventTime = setting(
        "klv", kinds.one_of(*get_args(EventTime)), "time of events: klv: item 2; received: arrival, if the clock of the"
        " aircraft is wrong",
    )  # fmt: skip
    video: str | None = setting(
        None, kinds.text(_check_video, "a URL, with {stream}", wanted=None), "where clients find the video",
        example='"rtsp://media:8554/{stream}"',
    )  # fmt: skip
    tak_protocol: TakProtocol = setting(
        "xml",
        kinds.one_of(*get_args(TakProtocol)),
        "protobuf: TAK protocol 1; over TCP and TLS once the server offers it",
    )
    interface: str | None = field(default=None, metadata=INTERFACE)
    ttl: int = field(default=16, metadata=TTL)
    ca_file: str | None = field(default=None, metadata=CA_FILE)
    cert_file: str | None = field(default=None, metadata=CERT_FILE)
    key_file: str | None = field(default=None, metadata=KEY_FILE)
    timeout: float = field(default=10.0, metadata=TIMEOUT)

    def __post_init__(self) -> None:
        checked(self)
        check_tls_files(self, tls=self.tls)
        if self.interface is not None and self.carrier != "udp":
            raise ConfigError("interface: applies to cot+udp:// only")

    @property
    def tls(self) -> bool:
        return self.carrier == "tls"

    @property
    def url(self) -> str:
        """The address for messages."""
        return shown(f"cot+{self.carrier}", self.host, self.port)

    @classmethod
    def from_url(cls, text: str, settings: Mapping[str, Any]) -> Self:
        """Settings from a URL; `settings` override it. Raises ConfigError."""
        url = url_of(text, _SCHEMES, _FORM)
        if url.user is not None or url.path.strip("/"):
            raise ConfigError(f"url: has no user and no path: {_FORM}")
        carrier: TakCarrier = "udp" if url.scheme == "cot+udp" else "tls" if url.scheme == "cot+tls" else "tcp"
        return cls(carrier=carrier, host=url.host, port=url.port or 0, **{**options_of(url, cls), **settings})


def _outputs(_: CotSettings) -> tuple[Output, ...]:
    return (Output("telemetry", "{prefix}/{stream}/telemetry", rate=1.0, format="klv"),)


def _faults(settings: CotSettings, outputs: Sequence[Output]) -> list[Fault]:
    """An event must not be old before the next one follows."""
    text = f"events would be old after {settings.stale_after:g} s, before the next one: set stale_after of the sink"
    return [
        (number, "rate", text)
        for number, output in enumerate(outputs)
        if output.rate is not None and 1 / output.rate >= settings.stale_after
    ]


COT = SinkKind(
    name="cot",
    schemes=tuple(_SCHEMES),
    form=_FORM,
    text="Cursor on Target events for TAK servers and clients (MISB ST 0805)",
    settings=CotSettings,
    from_url=CotSettings.from_url,
    outputs=_outputs,
    module="klvrelay.sinks.cot",
    output_keys=OUTPUT_KEYS - {"format", "on_change", "dead_band", "snapshot"},
    formats=("klv",),
    check=_faults,
)
