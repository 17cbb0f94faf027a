"""How KLV is declared and how it is carried, as numbers and as text (MISB ST 1402)."""

from __future__ import annotations

from klvrelay.probe import transport_report
from klvrelay.probe.transport.pes import FoundCarriage
from klvrelay.probe.transport.pmt_stream import PmtStream

ASYNC_TYPE, SYNC_TYPE = 0x06, 0x15
ASYNC_ID, SYNC_ID = 0xBD, 0xFC
_IDS = {ASYNC_ID: "private_stream_1 (asynchronous)", SYNC_ID: "metadata stream (synchronous)"}
_TYPES = {ASYNC_TYPE: "asynchronous", SYNC_TYPE: "synchronous"}


def carriage_of(declared: PmtStream | None, found: FoundCarriage) -> transport_report.Carriage:
    """Combine the declaration and the findings for one PID."""
    return transport_report.Carriage(
        declared=declared_text(declared),
        found=found_text(found),
        stream_type=declared.stream_type if declared else None,
        registration=declared.registration if declared else (),
        metadata_format=declared.metadata_format if declared else None,
        metadata_std=declared.metadata_std if declared else False,
        pes=found.pes,
        stream_ids={f"0x{number:02X}": count for number, count in found.stream_ids.most_common()},
        with_pts=found.with_pts,
        with_dts=found.with_dts,
        cells=found.cells,
        cell_gaps=found.cell_gaps,
        bare=found.bare,
        continued=found.continued,
        unsized=found.unsized,
        too_short=found.lengths.short,
        too_long=found.lengths.long,
        length_off=found.lengths.off.freeze(),
        content=found.content,
        ahead=found.ahead.freeze(),
        against_video=found.against_video.freeze(),
        on_frame=found.on_frame,
    )


def declared_text(declared: PmtStream | None) -> str:
    """The declaration in the PMT as text."""
    if declared is None:
        return "not in any PMT"
    kind = _TYPES.get(declared.stream_type)
    text = f"stream type 0x{declared.stream_type:02X}" + (f" ({kind})" if kind else f" ({declared.codec})")
    descriptors = ", ".join(declared.descriptors)
    return f"{text}, {descriptors}" if descriptors else f"{text}, no descriptors"


def found_text(found: FoundCarriage) -> str:
    """The PES packets found, as text."""
    if not found.pes:
        return "no PES packet seen"
    parts = [
        f"PES stream_id 0x{number:02X}" + (f", {_IDS[number]}" if number in _IDS else "")
        for number, _ in found.stream_ids.most_common(2)
    ]
    parts.append(_share(found.with_pts, found.pes, "PTS"))
    if found.cells and found.bare:
        parts.append(f"metadata AU cells in {found.cells}, bare KLV in {found.bare}")
    elif found.cells or found.bare:
        parts.append("metadata AU cells" if found.cells else "bare KLV")
    else:
        parts.append(found.content or "no KLV key")
    return ", ".join(parts)


def _share(count: int, of: int, what: str) -> str:
    if count == of:
        return f"with {what}"
    return f"{what} in {count} of {of}" if count else f"no {what}"
