"""What is needed to reach a far end over TCP or TLS."""

from __future__ import annotations

from typing import Protocol


class Reachable(Protocol):
    """Settings of a far end that is reached over TCP.

    url          for messages, without credentials
    role         what it is: "broker", "receiver", ...
    without_tls  the form of its URL without TLS, for messages
    timeout      seconds for each step
    """

    @property
    def url(self) -> str: ...

    @property
    def role(self) -> str: ...

    @property
    def without_tls(self) -> str: ...

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def timeout(self) -> float: ...


class Secured(Reachable, Protocol):
    """The same with TLS, if `tls` is set."""

    @property
    def tls(self) -> bool: ...

    @property
    def ca_file(self) -> str | None: ...

    @property
    def cert_file(self) -> str | None: ...

    @property
    def key_file(self) -> str | None: ...
