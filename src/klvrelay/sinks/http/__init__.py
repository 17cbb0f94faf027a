"""Records to a web server, by POST.

server.py      the far end: posts what waits, and finds records that are refused
posts.py       which publications share a POST; its body and its header
connection.py  one connection, used on a thread
answers.py     what a status means
"""

from __future__ import annotations

from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.config.sinks.http import HttpSettings
from klvrelay.sinks.publishing.far_end import FarEnd


def check(settings: FarEndSettings) -> None:
    """Raise ConfigError if a certificate or key cannot be used."""
    assert isinstance(settings, HttpSettings)
    if settings.tls:
        from klvrelay.sinks.dialing.dial import tls_context

        tls_context(settings)


def far_end(settings: FarEndSettings) -> FarEnd:
    """The far end, not connected yet."""
    from klvrelay.sinks.http.server import WebServer

    assert isinstance(settings, HttpSettings)
    return WebServer(settings)
