"""A sink that adds records to Redis Streams, and keeps latest values in hashes and strings.

    redis_streams.py  delivers                    connection.py  login, commands and their replies (redis-py)
    commands.py       commands of a publication   faults.py      what an error reply means
"""

from __future__ import annotations

from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.errors import ConfigError
from klvrelay.sinks.publishing.far_end import FarEnd


def check(settings: FarEndSettings) -> None:
    """Raise ConfigError for certificates that cannot be used, or if the library is missing."""
    from klvrelay.config.sinks.redis import RedisSettings
    from klvrelay.sinks.dialing.dial import tls_context

    assert isinstance(settings, RedisSettings)
    try:
        import hiredis  # noqa: F401
        import redis.asyncio  # noqa: F401
    except ImportError:
        raise ConfigError("redis: needs packages: pip install 'klvrelay[redis]'") from None
    if settings.tls:
        tls_context(settings)


def far_end(settings: FarEndSettings) -> FarEnd:
    """The far end, not connected yet."""
    from klvrelay.config.sinks.redis import RedisSettings
    from klvrelay.sinks.redis.redis_streams import RedisStreams

    assert isinstance(settings, RedisSettings)
    return RedisStreams(settings)
