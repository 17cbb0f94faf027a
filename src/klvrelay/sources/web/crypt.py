"""Decrypt HLS segments with AES-128 (RFC 8216, 5.2) using libav; Python's standard library has no AES."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import suppress

from klvrelay.transports.http.faults import WebFault


def decrypt(pieces: Iterable[bytes], key: bytes, iv: bytes) -> bytearray:
    """Decrypt a whole segment (CBC, PKCS 7); raises WebFault if it is not a whole number of blocks."""
    import av

    options = {"protocol_whitelist": "crypto,file", "decryption_key": key.hex(), "decryption_iv": iv.hex()}
    data = bytearray()
    for piece in pieces:
        data += piece
    if not data or len(data) % 16:
        raise WebFault("an encrypted segment is incomplete: its size is not a multiple of 16", "cut")
    # libav decrypts in a protocol that wraps another one; `data` is its demuxer for plain bytes.
    descriptor, way_in = os.pipe()
    feeding = threading.Thread(target=_feed, args=(way_in, data), name="klvrelay-segment", daemon=True)
    feeding.start()
    try:
        plain = bytearray()
        with av.open(f"crypto:file:/proc/self/fd/{descriptor}", format="data", options=options) as container:
            for packet in container.demux():
                plain += bytes(packet)
        return plain
    except (av.FFmpegError, OSError):
        raise WebFault("a segment cannot be decrypted: is the key correct?", "cut") from None
    finally:
        os.close(descriptor)
        feeding.join()


def _feed(way_in: int, data: bytearray) -> None:
    with suppress(OSError), open(way_in, "wb", buffering=0) as file:  # libav may stop reading early
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
