"""Why there is no TCP or TLS connection to a far end: one line with the cause and a remedy."""

from __future__ import annotations

import os
import socket
import ssl

from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.sinks.dialing.reachable import Reachable
from klvrelay.transports import tls


def dial_fault(far_end: Reachable, fault: OSError) -> SinkError:
    """Why there is no TCP connection."""
    where = far_end.url
    if isinstance(fault, socket.gaierror):
        return SinkDown(f"{where}: the host name is unknown: check its spelling and the name server")
    if isinstance(fault, ConnectionRefusedError):
        return SinkDown(f"{where}: connection refused: check that a {far_end.role} is running on that port")
    if isinstance(fault, TimeoutError):
        return SinkDown(f"{where}: no answer within {far_end.timeout:g} s: check address, port and firewall")
    return SinkDown(f"{where}: can't connect: {plain(fault)}")


def tls_fault(far_end: Reachable, fault: OSError) -> SinkError:
    """Why the TLS handshake failed."""
    where, role = far_end.url, far_end.role
    if isinstance(fault, ssl.SSLCertVerificationError):
        return SinkRefused(f"{where}: the {role}'s certificate is not trusted: {tls.explain_untrusted(fault)}")
    if isinstance(fault, TimeoutError):
        plain_url = far_end.without_tls.partition(" ")[0]
        return SinkDown(f"{where}: no TLS answer within {far_end.timeout:g} s: is it a TLS port? try {plain_url}")
    if isinstance(fault, ssl.SSLError) and (reason := tls.explain_alert(fault)):
        return SinkRefused(f"{where}: the {role} refused TLS: {reason}")
    if isinstance(fault, ssl.SSLError) and fault.reason == "UNSUPPORTED_PROTOCOL":
        return SinkRefused(f"{where}: the {role} refused TLS: {tls.explain_no_tls(fault)}")
    return SinkDown(f"{where}: no TLS there: is it a TLS port? try {far_end.without_tls}")


def lost(far_end: Reachable, fault: OSError | None = None) -> SinkDown:
    """Why an established connection was lost. None: the far end closed it."""
    if fault is None:
        return SinkDown(f"{far_end.url}: the {far_end.role} closed the connection")
    if isinstance(fault, TimeoutError):
        return SinkDown(f"{far_end.url}: the {far_end.role} no longer answers")
    return SinkDown(f"{far_end.url}: connection lost: {plain(fault)}")


def plain(fault: OSError) -> str:
    """The cause in words."""
    return os.strerror(fault.errno).lower() if fault.errno else type(fault).__name__
