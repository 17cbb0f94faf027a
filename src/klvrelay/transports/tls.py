"""TLS for sources and brokers: trusted certificates, and each failure as one sentence with a remedy."""

from __future__ import annotations

import os
import ssl

from klvrelay.config.small_file import PEM_MOST, check_regular
from klvrelay.errors import ConfigError


def client_context(ca_file: str | None = None) -> ssl.SSLContext:
    """TLS 1.2 or later, with certificate and host name verified; `ca_file` replaces the system's certificate
    authorities.

    Raises ConfigError for an unusable `ca_file`.
    """
    if ca_file is not None:
        check_regular(ca_file, "ca_file", PEM_MOST)
        if not os.path.isfile(ca_file):
            raise ConfigError(f"ca_file {ca_file}: no such file")
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as fault:
        raise ConfigError(f"ca_file {ca_file}: it contains no PEM certificate") from fault
    except OSError as fault:
        raise ConfigError(f"ca_file {ca_file}: can't be read: {os.strerror(fault.errno or 0).lower()}") from fault
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def explain_untrusted(fault: ssl.SSLCertVerificationError) -> str:
    """Why a certificate is not trusted, and the remedy."""
    return _UNTRUSTED.get(fault.verify_code) or f"{fault.verify_message.rstrip('.')}: see the host name and ca_file"


def explain_alert(fault: ssl.SSLError) -> str | None:
    """What the peer's TLS alert means, and the remedy; None if it sent no alert."""
    reason = fault.reason or ""
    if "ALERT" not in reason and "UNRECOGNIZED_NAME" not in reason:
        return None
    for part, text in _ALERTS.items():
        if part in reason:
            return text
    return f"it refused TLS ({reason.replace('_', ' ').lower()}): see its log"


def explain_no_tls(fault: ssl.SSLError) -> str | None:
    """Why no TLS handshake took place, and the remedy; None for other causes."""
    return _NO_TLS.get(fault.reason or "")


_UNKNOWN_CA = "it is signed by an unknown authority: set ca_file or SSL_CERT_FILE to the authority's certificate"
_OTHER_HOST = "it is for another host name: use the name that is in the certificate"
_UNTRUSTED = {
    2: _UNKNOWN_CA,
    9: "it is not valid yet: check the clocks of both machines",
    10: "it has expired: renew it at the far end, or check this machine's clock",
    18: "it is self-signed: if you trust it, set ca_file or SSL_CERT_FILE to it",
    19: f"{_UNKNOWN_CA} (self-signed certificate in the chain)",
    20: _UNKNOWN_CA,
    21: _UNKNOWN_CA,
    23: "it is revoked: install another at the far end",
    62: _OTHER_HOST,
    64: f"{_OTHER_HOST} (IP address mismatch)",
}

_ALERTS = {
    "CERTIFICATE_REQUIRED": "it requires a client certificate: set cert_file and key_file",
    "CERTIFICATE_EXPIRED": "our client certificate has expired: renew cert_file",
    "CERTIFICATE_REVOKED": "our client certificate is revoked: get another cert_file",
    "UNKNOWN_CA": "unknown authority of our client certificate: use a cert_file that it trusts",
    "BAD_CERTIFICATE": "it rejects our client certificate as invalid: check cert_file",
    "CERTIFICATE_UNKNOWN": "it rejects our client certificate: check cert_file",
    "UNSUPPORTED_CERTIFICATE": "it does not support this kind of client certificate: check cert_file",
    "ACCESS_DENIED": "it denies our client certificate access: check cert_file and the access rights",
    "DECRYPT_ERROR": "our client certificate and key do not match: check cert_file and key_file",
    "PROTOCOL_VERSION": "it supports only TLS versions before 1.2: update it",
    "HANDSHAKE_FAILURE": "no common cipher, or it requires a client certificate: see its log",
    "UNRECOGNIZED_NAME": "it does not serve this host name: check the host",
    "NO_APPLICATION_PROTOCOL": "no common application protocol: is it the right port?",
}

_NO_TLS = {
    "WRONG_VERSION_NUMBER": "no TLS: the port uses another protocol",
    "HTTP_REQUEST": "no TLS: the port uses plain HTTP",
    "UNSUPPORTED_PROTOCOL": _ALERTS["PROTOCOL_VERSION"],
    "UNEXPECTED_EOF_WHILE_READING": "it closed the connection during the TLS handshake: is it a TLS port?",
    "RECORD_LAYER_FAILURE": "no TLS: the port uses another protocol",
    "PACKET_LENGTH_TOO_LONG": "no TLS: the port uses another protocol",
}
