"""Finds out from the decoder's counters why a stream has no KLV, and what to do about it.

`decode`, `run`, `replay` and `probe` all report this diagnosis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from klvrelay.core import Counters

FEW = 0.1
"""Share of scrambled KLV packets above which scrambling is the cause, if the others contain only stuffing."""
MOST = 0.5
"""Share of packets marked as damaged above which damage is the cause."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why there is no KLV.

    id      stable identifier of the cause
    cause   clause to follow "no KLV: "
    advice  what to do, in sentences
    """

    id: str
    cause: str
    advice: str

    @property
    def sentence(self) -> str:
        """Cause and advice, to follow "no KLV: "."""
        return f"{self.cause}. {self.advice}"


METADATA_HINT = (
    "Switch metadata on in the encoder (KLV, MISB ST 0601, STANAG 4609). If it is on, something on the way drops it:"
    " restreamers and media servers pass on video only by default (ffmpeg needs `-map 0 -c copy`)."
)
SCRAMBLED_HINT = "Send the metadata in the clear, or descramble the stream before klvrelay receives it."
DAMAGED_HINT = (
    "A receiver before this one (radio, modem) could not correct these packets: improve the link, or its error"
    " correction."
)
CONTENT_HINT = "See that it is KLV (MISB ST 0601) or MPEG-TS, and that the recording is complete."
PAT_HINT = "Let the multiplexer send the PAT on PID 0 at least every 0.5 s."
PMT_HINT = "Let the multiplexer send the PMT of each program at least every 0.5 s."
TABLES_HINT = "Tables are damaged in transit, or the multiplexer computes a wrong CRC: check both."
ENCODER_HINT = (
    "See what the encoder sends there (`klvrelay probe` shows it): its metadata input (autopilot, gimbal) may be"
    " disconnected, or set to another format."
)


def no_klv(counters: Counters) -> Diagnosis:
    """The cause for a stream without records: the first that explains all counters."""
    return next(found for cause in _CAUSES if (found := cause(counters)) is not None)


def _too_large(c: Counters) -> Diagnosis | None:
    if not c.too_large:
        return None
    noun = "KLV packet is" if c.too_large == 1 else "KLV packets are"
    return Diagnosis("too_large", f"{c.too_large:,} {noun} larger than the limit",
                     "Set a larger --packet-limit (packet_limit in the settings) if this size is expected.",
                     )  # fmt: skip


def _no_transport(c: Counters) -> Diagnosis | None:
    if c.ts_packets:
        return None
    if c.passed_over:
        return Diagnosis("no_packet", f"{c.passed_over:,} bytes received, but no complete KLV packet", CONTENT_HINT)
    return Diagnosis("no_packet", "no complete KLV packet", METADATA_HINT)


def _marked(c: Counters) -> Diagnosis | None:
    """transport_error_indicator set on all packets, or on the KLV."""
    count, of, where = c.transport_errors, c.ts_packets, "TS packets"
    if count < MOST * of:
        count, of, where = c.klv_transport_errors, c.klv_packets, "KLV packets"
    if not count or count < MOST * of:
        return None
    return Diagnosis("transport_error", f"{_of(count, of, where)} are marked as damaged (transport_error_indicator)",
                     DAMAGED_HINT)


def _scrambled(c: Counters) -> Diagnosis | None:
    if c.klv_scrambled and c.klv_scrambled >= FEW * c.klv_packets:
        return Diagnosis("scrambled", f"the KLV is scrambled ({_of(c.klv_scrambled, c.klv_packets, 'packets')})",
                         SCRAMBLED_HINT)  # fmt: skip
    others = c.scrambled - c.klv_scrambled
    if others and not c.klv_packets and others >= MOST * (c.private_packets or c.ts_packets):
        return Diagnosis("scrambled", f"the stream is scrambled ({others:,} of {c.ts_packets:,} TS packets)",
                         SCRAMBLED_HINT)  # fmt: skip
    return None


def _followed(c: Counters) -> Diagnosis | None:
    """Packets were received on a PID with KLV or with a KLV key."""
    if not c.klv_packets:
        return None
    if c.fill:
        return Diagnosis("only_fill", f"the KLV stream contains only Fill items ({c.fill:,})", ENCODER_HINT)
    if c.unlisted_packets == c.klv_packets:
        return Diagnosis("no_whole_packet", "there is a KLV key on an unlisted PID, but no complete packet",
                         "Record more of the stream and try again.")  # fmt: skip
    cause = f"no complete KLV packet on the PID that is labelled as KLV ({_packets(c.klv_packets)})"
    return Diagnosis("not_klv", cause, ENCODER_HINT)


def _tables(c: Counters) -> Diagnosis | None:
    missing = "PAT" if not c.pat_sections else "PMT" if not c.pmt_sections else ""
    if not missing:
        return None
    if c.crc_errors:
        cause = f"no {missing} with a valid CRC ({c.crc_errors:,} invalid), and no KLV recognised"
        return Diagnosis("bad_tables", cause, TABLES_HINT)
    return Diagnosis(f"no_{missing.lower()}", f"no {missing} received, and no KLV recognised without it",
                     PAT_HINT if missing == "PAT" else PMT_HINT)  # fmt: skip


def _private(c: Counters) -> Diagnosis | None:
    if not c.private_packets:
        return None
    return Diagnosis("private", f"the private data in it has no KLV key ({_packets(c.private_packets)})", ENCODER_HINT)


def _nothing(c: Counters) -> Diagnosis | None:
    return Diagnosis("no_klv", "no KLV key is on any PID that may carry KLV", METADATA_HINT)


_CAUSES: tuple[Callable[[Counters], Diagnosis | None], ...] = (
    _too_large, _no_transport, _marked, _scrambled, _followed, _tables, _private, _nothing
)  # fmt: skip


def _of(count: int, of: int, noun: str) -> str:
    return f"all {of:,} {noun}" if count >= of else f"{count:,} of {of:,} {noun}"


def _packets(count: int) -> str:
    return f"{count:,} packet" + ("" if count == 1 else "s")
