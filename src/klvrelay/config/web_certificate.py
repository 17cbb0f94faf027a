"""Loads the certificate of the web server."""

from __future__ import annotations

import os
import ssl

from klvrelay.config.small_file import PEM_MOST, check_regular
from klvrelay.config.web import WebSettings
from klvrelay.errors import ConfigError
from klvrelay.text import printable


def server_context(settings: WebSettings) -> ssl.SSLContext | None:
    """A TLS context with the certificate; None for plain http. Raises ConfigError, which names the key."""
    if settings.cert_file is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    load_certificate(context, settings)
    return context


def load_certificate(context: ssl.SSLContext, settings: WebSettings) -> None:
    """Read the certificate for connections from now on. Raises ConfigError, which names the key."""
    assert settings.cert_file is not None
    for key, path in (("cert_file", settings.cert_file), ("key_file", settings.key_file)):
        if path is not None:
            _check_file(f"http.{key}", path)
    try:
        context.load_cert_chain(settings.cert_file, settings.key_file, lambda: b"")  # never ask at a terminal
    except OSError:  # ssl.SSLError is one
        bad = "not a certificate with its key, in PEM without a passphrase"
        raise ConfigError(f"http.cert_file: {printable(settings.cert_file)}: {bad}") from None


def _check_file(key: str, path: str) -> None:
    """Raise ConfigError if the file cannot be opened."""
    check_regular(path, key, PEM_MOST)
    try:
        with open(path, "rb"):
            pass
    except (OSError, ValueError) as fault:
        reason = os.strerror(fault.errno).lower() if isinstance(fault, OSError) and fault.errno else str(fault)
        raise ConfigError(f"{key}: {printable(path)}: {reason}") from None
