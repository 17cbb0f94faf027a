"""The part of the report on the transport stream: programs, PIDs, and how the KLV is carried.

Unless a name says otherwise, times are in seconds, rates per second, sizes in bytes. None: unknown or not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["video", "audio", "klv", "metadata", "private", "data", "tables", "null", "unlisted"]


@dataclass(frozen=True, slots=True)
class SpreadReport:
    """Statistics of `count` numbers; the other fields are None if there were none."""

    count: int
    low: float | None
    median: float | None
    mean: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class RepeatReport:
    """Repetition of a table or PCR: number of occurrences and their intervals."""

    count: int
    interval: float | None
    longest: float | None
    late: int


@dataclass(frozen=True, slots=True)
class DeclaredStream:
    """A stream as declared in a PMT, and the packets found.

    descriptors      as text
    registration     format identifiers of its registration descriptors, as text
    metadata_format  of its metadata_descriptor: "KLVA", another text or number; None without one
    """

    pid: int
    stream_type: int
    codec: str
    kind: Kind
    descriptors: tuple[str, ...]
    registration: tuple[str, ...]
    metadata_format: str | None
    metadata_std: bool
    packets: int
    bit_rate: float | None


@dataclass(frozen=True, slots=True)
class Carriage:
    """How the KLV of a PID is declared, and how its PES packets carry it.

    declared, found   as text
    stream_type       None: not in any PMT
    stream_ids        PES stream_id -> number of PES packets
    cells, bare       PES packets that start with a metadata AU cell, or with a KLV key; `continued`: with neither
    unsized           PES packets without a length
    too_short         PES packets whose declared length is below the received size (`too_long`: above it); `length_off`
                      is the difference in bytes
    content           name of the content that replaces KLV, if known
    ahead             PTS minus PCR at that packet: how long before its presentation time it arrives
    against_video     PTS minus that of the preceding video frame
    on_frame          PES packets with the PTS of a video frame
    """

    declared: str
    found: str
    stream_type: int | None
    registration: tuple[str, ...]
    metadata_format: str | None
    metadata_std: bool
    pes: int
    stream_ids: dict[str, int]
    with_pts: int
    with_dts: int
    cells: int
    cell_gaps: int
    bare: int
    continued: int
    unsized: int
    too_short: int
    too_long: int
    length_off: SpreadReport
    content: str
    ahead: SpreadReport
    against_video: SpreadReport
    on_frame: int


@dataclass(frozen=True, slots=True)
class PidCount:
    """Packets of one PID. `gaps`: continuity errors; `lost`: lower bound of lost packets; `label`: description.

    carriage   set where the PID may carry KLV but none was read
    """

    pid: int
    kind: Kind
    label: str
    program: int | None
    packets: int
    bit_rate: float | None
    gaps: int
    lost: int
    duplicates: int
    scrambled: int
    transport_errors: int
    holds_klv: bool
    carriage: Carriage | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """A program: its PMT, clock and streams. `changes`: PMTs that differ from the previous one.

    streams_left_out   streams of its PMT beyond the limit
    """

    number: int
    pmt_pid: int
    pcr_pid: int | None
    pmt: RepeatReport
    pcr: RepeatReport
    pcr_jumps: int
    changes: int
    streams: tuple[DeclaredStream, ...]
    streams_left_out: int = 0


@dataclass(frozen=True, slots=True)
class Transport:
    """The MPEG transport stream (ISO/IEC 13818-1).

    programs_left_out   programs named in a PAT and not among `programs`
    """

    packet_size: int
    packets: int
    sync_losses: int
    skipped: int
    pat: RepeatReport
    bad_tables: int
    programs: tuple[Program, ...]
    pids: tuple[PidCount, ...]
    programs_left_out: int = 0
