"""A signature by which a web server knows that a request is from this relay, and recent.

    Klvrelay-Signature: t=1796130000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd

t   seconds since 1970 UTC
v1  HMAC-SHA256 (RFC 2104) of `{t}.` and the body as sent, in hexadecimal
"""

from __future__ import annotations

import hashlib
import hmac

from klvrelay.text import Secret

HEADER = "Klvrelay-Signature"


def signature(key: Secret, body: bytes, seconds: int) -> str:
    """The value of the header for a body that is sent at this time."""
    digest = hmac.new(key.reveal().encode(), b"%d." % seconds + body, hashlib.sha256)
    return f"t={seconds},v1={digest.hexdigest()}"
