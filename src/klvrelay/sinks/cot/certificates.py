"""Checks the certificates of a TAK server. TAK servers hand them out as PKCS#12 files, which must be converted."""

from __future__ import annotations

from klvrelay.config.sinks.cot import CotSettings
from klvrelay.config.small_file import PEM_MOST, read_small
from klvrelay.errors import ConfigError
from klvrelay.sinks.dialing.dial import tls_context
from klvrelay.text import printable

_SEQUENCE = 0x30  # the first byte of any DER file
_CONVERSIONS = {
    "ca_file": "openssl pkcs12 -legacy -in {} -nokeys -cacerts -out ca.pem",
    "cert_file": "openssl pkcs12 -legacy -in {} -nokeys -clcerts -out relay.pem",
    "key_file": "openssl pkcs12 -legacy -in {} -nocerts -nodes -out relay.key",
}


def check_certificates(settings: CotSettings) -> None:
    """Raise ConfigError for files that are missing or not PEM, with the command that converts PKCS#12."""
    for key, command in _CONVERSIONS.items():
        path = getattr(settings, key)
        if path is not None and read_small(path, key, PEM_MOST)[0][:1] == bytes([_SEQUENCE]):
            name = printable(path)
            raise ConfigError(f"{key} {name}: is PKCS#12 or DER, not PEM: convert it with `{command.format(name)}`")
    tls_context(settings)
