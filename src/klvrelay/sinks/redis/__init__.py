"""A sink that adds records to Redis Streams, and keeps latest values in hashes and strings.

    redis_streams.py  delivers                    connection.py  login, requests and their replies
    commands.py       commands of a publication   resp.py        the protocol RESP2
    faults.py         what an error reply means
"""

from __future__ import annotations

from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.sinks.publishing.far_end import FarEnd


def check(settings: FarEndSettings) -> None:
    """Raise ConfigError for certificates that cannot be used."""
    from klvrelay.config.sinks.redis import RedisSettings
    from klvrelay.sinks.dialing.dial import tls_context

    assert isinstance(settings, RedisSettings)
    if settings.tls:
        tls_context(settings)


def far_end(settings: FarEndSettings) -> FarEnd:
    """The far end, not connected yet."""
    from klvrelay.config.sinks.redis import RedisSettings
    from klvrelay.sinks.redis.redis_streams import RedisStreams

    assert isinstance(settings, RedisSettings)
    return RedisStreams(settings)
