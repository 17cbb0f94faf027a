"""A sink that publishes to NATS: to JetStream, or to subscribers of the moment.

    nats_subjects.py  delivers                       connection.py  the client of nats-py, and its end
    publishing.py     messages and their answers     transport.py   what the client reads and writes
    jetstream.py      the stream of the server       subjects.py    subjects of topics
    faults.py         what an answer means           nkey_login.py  NKey and JWT
"""

from __future__ import annotations

from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.errors import ConfigError
from klvrelay.sinks.publishing.far_end import FarEnd


def check(settings: FarEndSettings) -> None:
    """Raise ConfigError for certificates or credentials that cannot be used, or if the library is missing."""
    from klvrelay.config.sinks.nats import NatsSettings
    from klvrelay.sinks.dialing.dial import tls_context
    from klvrelay.sinks.nats.nkey_login import NkeyLogin

    assert isinstance(settings, NatsSettings)
    try:
        import nats.aio.client  # noqa: F401
        import nkeys  # noqa: F401
    except ImportError:
        raise ConfigError("nats: needs packages: pip install 'klvrelay[nats]'") from None
    if settings.tls:
        tls_context(settings)
    if settings.credentials_file is not None:
        NkeyLogin.read(settings.credentials_file)


def far_end(settings: FarEndSettings) -> FarEnd:
    """The far end, not connected yet."""
    from klvrelay.config.sinks.nats import NatsSettings
    from klvrelay.sinks.nats.nats_subjects import NatsSubjects

    assert isinstance(settings, NatsSettings)
    return NatsSubjects(settings)
