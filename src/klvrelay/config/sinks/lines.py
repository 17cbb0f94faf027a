"""Settings of a sink without messages: a TCP, UDP or Unix socket, or standard output."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self, get_args

from klvrelay.config import kinds
from klvrelay.config.setting import setting
from klvrelay.config.sinks.address import Scheme, checked, options_of, shown, url_of
from klvrelay.config.sinks.far_end import PublishBad
from klvrelay.config.sinks.kind import Fault, SinkKind
from klvrelay.config.sinks.shared import INTERFACE, NUMBERS, PUBLISH_BAD, TIMEOUT, TTL
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.json_output import Numbers
from klvrelay.shape.output import Output

Framing = Literal["json", "klv"]
Carrier = Literal["tcp", "udp", "unix", "stdout"]

_FORM = "tcp://host:port, udp://host:port, unix:///path or - (standard output)"
_SCHEMES = {"tcp": Scheme(), "udp": Scheme()}
_PATH_MOST = 107
"""Maximum bytes of the path of a Unix socket (sun_path of unix(7) without its final zero byte)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesSettings:
    """A TCP, UDP or Unix socket, or standard output.

    carrier     which of them
    host, port  of tcp and udp
    path        of unix
    """

    prefix: ClassVar[str] = "klvrelay"
    role: ClassVar[str] = "receiver"
    without_tls: ClassVar[str] = "tcp://"
    carrier: Carrier
    host: str = ""
    port: int = 0
    path: str = ""
    framing: Framing = setting(
        "json", kinds.one_of(*get_args(Framing)), "json: a line of JSON per record; klv: the KLV packets"
    )
    interface: str | None = field(default=None, metadata=INTERFACE)
    ttl: int = field(default=16, metadata=TTL)
    timeout: float = field(default=10.0, metadata=TIMEOUT)
    publish_bad: PublishBad = field(default="rejected", metadata=PUBLISH_BAD)
    numbers: Numbers = field(default="exact", metadata=NUMBERS)

    def __post_init__(self) -> None:
        checked(self)
        if self.interface is not None and self.carrier != "udp":
            raise ConfigError("interface: applies to udp:// only")
        if len(os.fsencode(self.path)) > _PATH_MOST:
            raise ConfigError(f"url: the path of a Unix socket has at most {_PATH_MOST} bytes; use a shorter one")

    @property
    def url(self) -> str:
        """The address for messages."""
        if self.carrier in ("tcp", "udp"):
            return shown(self.carrier, self.host, self.port)
        return "standard output" if self.carrier == "stdout" else f"unix://{self.path}"

    @classmethod
    def from_url(cls, text: str, settings: Mapping[str, Any]) -> Self:
        """Settings from a URL; `settings` override it. Raises ConfigError."""
        url = Url.parse(text)
        if url.scheme == "stdin":
            return cls(carrier="stdout", **settings)
        if url.scheme == "unix":
            if not url.path or url.host:
                raise ConfigError(f"url: needs an absolute path: {_FORM}")
            return cls(carrier="unix", path=url.path, **{**options_of(url, cls), **settings})
        url = url_of(text, _SCHEMES, _FORM)
        if url.user is not None or url.path.strip("/"):
            raise ConfigError(f"url: has no user and no path: {_FORM}")
        carrier: Carrier = "tcp" if url.scheme == "tcp" else "udp"
        return cls(carrier=carrier, host=url.host, port=url.port or 0, **{**options_of(url, cls), **settings})


def _outputs(settings: LinesSettings) -> tuple[Output, ...]:
    return (Output("telemetry", "{prefix}/{stream}/telemetry", format=settings.framing),)


def _faults(settings: LinesSettings, outputs: Sequence[Output]) -> list[Fault]:
    """All outputs share one stream of bytes, so a reader must be able to separate them."""
    return [
        (number, "format", f'must be "{settings.framing}", as framing: all outputs share one stream of bytes')
        for number, output in enumerate(outputs)
        if output.format != settings.framing
    ]


LINES = SinkKind(
    name="lines",
    schemes=("tcp", "udp", "unix", "stdin"),
    titles=("tcp", "udp", "unix", "-"),
    form=_FORM,
    text="JSON Lines or KLV packets over a socket or on standard output",
    settings=LinesSettings,
    from_url=LinesSettings.from_url,
    outputs=_outputs,
    module="klvrelay.sinks.lines",
    formats=("json", "klv"),
    check=_faults,
)
