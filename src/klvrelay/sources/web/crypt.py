"""AES-128 of HLS segments (RFC 8216, 5.2), by libav: Python's own library has no AES."""

from __future__ import annotations

import os
from collections.abc import Iterable

from klvrelay.sources.web.faults import WebFault


def decrypted(pieces: Iterable[bytes], key: bytes, iv: bytes) -> bytearray:
    """A whole segment decrypted (CBC, PKCS 7); raises WebFault where it is not a whole number of blocks."""
    import av

    options = {"protocol_whitelist": "crypto,file", "decryption_key": key.hex(), "decryption_iv": iv.hex()}
    # libav decrypts in a protocol that reads another one; `data` is its demuxer for plain bytes.
    descriptor = os.memfd_create("segment", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            for piece in pieces:
                file.write(piece)
            size = file.tell()
        if not size or size % 16:
            raise WebFault("an encrypted segment is not whole: its size is no multiple of 16", "cut")
        plain = bytearray()
        with av.open(f"crypto:file:/proc/self/fd/{descriptor}", format="data", options=options) as container:
            for packet in container.demux():
                plain += bytes(packet)
        return plain
    except (av.FFmpegError, OSError):
        raise WebFault("a segment can not be decrypted: is it the right key?", "cut") from None
    finally:
        os.close(descriptor)
