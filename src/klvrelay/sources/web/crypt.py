"""AES-128 of HLS segments (RFC 8216, 5.2), by libav: Python's own library has no AES."""

from __future__ import annotations

import os

from klvrelay.sources.web.faults import WebFault


def decrypted(data: bytes, key: bytes, iv: bytes) -> bytes:
    """A whole segment decrypted (CBC, PKCS 7); raises WebFault where it is not a whole number of blocks."""
    import av

    if not data or len(data) % 16:
        raise WebFault("an encrypted segment is not whole: its size is no multiple of 16", "cut")
    options = {"protocol_whitelist": "crypto,file", "decryption_key": key.hex(), "decryption_iv": iv.hex()}
    # libav decrypts in a protocol that reads another one; `data` is its demuxer for plain bytes.
    descriptor = os.memfd_create("segment", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        path = f"crypto:file:/proc/self/fd/{descriptor}"
        with av.open(path, format="data", options=options) as plain:
            return b"".join(bytes(packet) for packet in plain.demux() if packet.size)
    except (av.FFmpegError, OSError):
        raise WebFault("a segment can not be decrypted: is it the right key?", "cut") from None
    finally:
        os.close(descriptor)
