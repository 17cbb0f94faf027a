"""The causes of outages, and how an error is assigned to one."""

from __future__ import annotations

import errno
from typing import Literal

from klvrelay.errors import InternalError, OutOfMemory, Shortage

Cause = Literal["source", "network", "transport", "klv", "clock", "broker", "disk", "relay"]

CAUSES: dict[str, str] = {
    "source": "the sender ended, refused, or sends nothing",
    "network": "the far end cannot be reached, or does not answer in time",
    "transport": "the transport stream is damaged, scrambled or without valid tables",
    "klv": "bytes are received, but no KLV",
    "clock": "a certificate is not valid at the time of this machine",
    "broker": "the far end of a sink ended, refused, or does not answer",
    "disk": "a disk is full, or fails",
    "relay": "the relay was stopped, was killed, or has an internal error or a shortage",
}

_NETWORK = frozenset(
    (errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ETIMEDOUT, errno.ENONET)
)
_DISK = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG))
_EXPIRED, _NOT_YET_VALID = 10, 9
"""Codes of OpenSSL in the `verify_code` of an error of the module `ssl`."""


def cause_of(fault: BaseException, otherwise: Cause) -> Cause:
    """The cause that an error shows; `otherwise` if it shows none."""
    seen: BaseException | None = fault
    while seen is not None:
        if (cause := _shown_by(seen)) is not None:
            return cause
        seen = seen.__cause__ or seen.__context__
    return otherwise


def _shown_by(fault: BaseException) -> Cause | None:
    if isinstance(fault, InternalError | Shortage | OutOfMemory):
        return "relay"
    if getattr(fault, "verify_code", None) in (_EXPIRED, _NOT_YET_VALID):
        return "clock"
    if isinstance(fault, TimeoutError):
        return "network"
    if not isinstance(fault, OSError):
        return None
    if fault.errno in _DISK:
        return "disk"
    return "network" if fault.errno in _NETWORK or _is_unresolved(fault) else None


def _is_unresolved(fault: OSError) -> bool:
    """Is the name of a host unknown (`socket.gaierror`, which this module does not load)?"""
    return type(fault).__name__ == "gaierror"
