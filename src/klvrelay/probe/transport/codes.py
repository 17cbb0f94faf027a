"""Names of transport stream codes: stream types, descriptors, identifiers."""

from __future__ import annotations

from klvrelay.probe.transport_report import Kind

STREAM_TYPES: dict[int, tuple[str, Kind]] = {
    0x01: ("MPEG-1 video", "video"),
    0x02: ("MPEG-2 video", "video"),
    0x03: ("MPEG-1 audio", "audio"),
    0x04: ("MPEG-2 audio", "audio"),
    0x05: ("private sections", "data"),
    0x06: ("private data", "private"),
    0x0B: ("DSM-CC data", "data"),
    0x0D: ("DSM-CC sections", "data"),
    0x0F: ("AAC audio", "audio"),
    0x10: ("MPEG-4 video", "video"),
    0x11: ("AAC audio (LATM)", "audio"),
    0x15: ("metadata", "metadata"),
    0x16: ("metadata sections", "data"),
    0x1B: ("H.264 video", "video"),
    0x20: ("H.264 video (MVC)", "video"),
    0x21: ("JPEG 2000 video", "video"),
    0x24: ("H.265 video", "video"),
    0x33: ("H.266 video", "video"),
    0x42: ("AVS video", "video"),
    0x80: ("private video", "data"),
    0x81: ("AC-3 audio", "audio"),
    0x86: ("SCTE-35 cues", "data"),
    0x87: ("E-AC-3 audio", "audio"),
    0xEA: ("VC-1 video", "video"),
}
"""Stream types of ISO/IEC 13818-1, table 2-34, and others in common use."""

REGISTERED: dict[str, tuple[str, Kind]] = {
    "KLVA": ("KLV", "klv"),
    "HEVC": ("H.265 video", "video"),
    "VC-1": ("VC-1 video", "video"),
    "AC-3": ("AC-3 audio", "audio"),
    "EAC3": ("E-AC-3 audio", "audio"),
    "Opus": ("Opus audio", "audio"),
    "BSSD": ("PCM audio (SMPTE 302M)", "audio"),
    "CUEI": ("SCTE-35 cues", "data"),
    "ID3 ": ("timed ID3", "data"),
}

PRIVATE: dict[int, tuple[str, Kind]] = {
    0x56: ("teletext", "data"),
    0x59: ("subtitles", "data"),
    0x6A: ("AC-3 audio", "audio"),
    0x7A: ("E-AC-3 audio", "audio"),
    0x7B: ("DTS audio", "audio"),
    0x7C: ("AAC audio", "audio"),
}
"""Descriptors that identify the content of stream type 0x06 (ETSI EN 300 468)."""

STAMPED = {0x01: "mpeg1video", 0x02: "mpeg2video", 0x1B: "h264", 0x24: "hevc"}
"""Codecs that may carry frame time stamps (ST 0604), by stream type."""


def descriptor(tag: int, body: bytes) -> str:
    """Describe a descriptor as text."""
    match tag:
        case 0x05 if len(body) >= 4:
            return f"registration {identifier(body[:4])}"
        case 0x0A if len(body) >= 3:
            return f"language {identifier(body[:3])}"
        case 0x25:
            return "metadata_pointer_descriptor"
        case 0x26:
            return f"metadata_descriptor {metadata_format(body) or 'cut short'}"
        case 0x27:
            return "metadata_std_descriptor"
        case 0x52 if body:
            return f"component tag {body[0]}"
        case _ if tag in PRIVATE:
            return PRIVATE[tag][0]
        case _:
            return f"descriptor 0x{tag:02X}"


def metadata_format(body: bytes) -> str | None:
    """The metadata format of a metadata_descriptor (ISO/IEC 13818-1, 2.6.60): "KLVA" or its number."""
    at = 6 if body[:2] == b"\xff\xff" else 2
    if len(body) <= at:
        return None
    if body[at] != 0xFF:
        return f"0x{body[at]:02X}"
    return identifier(body[at + 1 : at + 5]) if len(body) >= at + 5 else None


def identifier(body: bytes) -> str:
    """An identifier as text if printable, otherwise as hex."""
    return body.decode("ascii") if body.isascii() and body.decode("ascii").isprintable() else f"0x{body.hex().upper()}"


def codec(
    stream_type: int, tags: tuple[int, ...], registration: tuple[str, ...], format_: str | None = None
) -> tuple[str, Kind]:
    """Codec and kind of a stream by stream type, descriptor tags, format identifiers and metadata format."""
    if stream_type == 0x15 and "KLVA" not in (format_, *registration):
        return next((REGISTERED[name] for name in (format_, *registration) if name in REGISTERED),
                    STREAM_TYPES[stream_type])  # fmt: skip
    if stream_type in (0x06, 0x80) or stream_type not in STREAM_TYPES:
        for name in registration:
            if name in REGISTERED:
                return REGISTERED[name]
        for tag in tags:
            if tag in PRIVATE:
                return PRIVATE[tag]
    return STREAM_TYPES.get(stream_type, (f"stream type 0x{stream_type:02X}", "data"))


def set_title(name: str, version: int | None = None) -> str:
    """Display name of a set, such as ST 0601.13."""
    title = f"ST {name[2:]}" if name[:2] == "ST" and name[2:3].isdigit() else name
    return title if version is None else f"{title}.{version}"


def hexpid(pid: int | None) -> str:
    """A PID in hex."""
    return "-" if pid is None else f"0x{pid:X}" if pid > 0xFF else f"0x{pid:02X}"
