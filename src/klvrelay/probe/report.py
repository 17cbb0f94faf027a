"""What a probe found: the frozen values that the text, the JSON and the page share; next door, `inquiry.py` makes them.

Times are seconds, rates per second, sizes bytes, unless a name says otherwise. None: not known, or not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from klvrelay.health.diagnosis import Diagnosis
from klvrelay.probe.drawn import Plots

SCHEMA = "klvrelay/probe/1"

Severity = Literal["error", "warning", "note"]
Level = Literal["good", "warnings", "errors", "no_klv"]
Kind = Literal["video", "audio", "klv", "metadata", "private", "data", "tables", "null", "unlisted"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule has to say.

    id        stable name of the rule
    severity  error: receivers lose data or show wrong data; warning: some will, or part is missing; note: good to know
    what      what is wrong and how often, in a sentence
    where     "PID 0x101, ST0601", "program 1", "stream"
    count     how often; 1 for what is so or not
    clause    the standard that asks for it
    hint      how to fix it
    """

    id: str
    severity: Severity
    what: str
    where: str
    count: int
    clause: str
    hint: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first lines: how it is, what to do first, and the command's exit code."""

    level: Level
    text: str
    advice: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class SpreadReport:
    """Many numbers in five: `count` of them, and None for the rest where there was none."""

    count: int
    low: float | None
    median: float | None
    mean: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class RepeatReport:
    """A table or clock stamp that has to come again and again: how often it came, and at which intervals."""

    count: int
    interval: float | None
    longest: float | None
    late: int


@dataclass(frozen=True, slots=True)
class DeclaredStream:
    """One stream as a PMT declares it, and what of it was there.

    descriptors    in words
    registration   format identifiers of its registration descriptors, as text
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
class Program:
    """One program: its map, its clock, its streams. `changes`: PMTs that said something else than the one before.

    streams_left_out   those of its map beyond the first
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
class PidCount:
    """One PID's packets. `gaps`: continuity errors, `lost` packets at least; `label`: what it is.

    carriage   where it may carry KLV, and nothing of it was read
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
class Transport:
    """The MPEG transport stream (ISO/IEC 13818-1).

    programs_left_out   those that a PAT named, and are not among `programs`
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


@dataclass(frozen=True, slots=True)
class Carriage:
    """How a PID's KLV is declared, and how its PES packets really are.

    declared, found   in words
    stream_type       None: in no PMT
    stream_ids        PES stream_id -> PES packets
    cells, bare       PES packets that begin with a metadata AU cell, with a KLV key; `continued`: with neither
    unsized           PES packets without a length
    too_short         PES packets whose length is less than what came, or more (`too_long`), `length_off` by so many
                      bytes
    content           what begins there instead of KLV, where that has a name
    ahead             PTS less the PCR there: how long before its time it arrives
    against_video     PTS less the video's that was sent before it
    on_frame          PES packets whose PTS is that of a video frame
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
class ItemReport:
    """One item of a set. `share` of the records that have it, `longest` seconds without it, `last` value as text."""

    path: str
    tag: int | None
    name: str
    units: str
    count: int
    rate: float | None
    share: float
    longest: float
    last: str
    no_number: int


@dataclass(frozen=True, slots=True)
class Remark:
    """A warning of the decoder, with the numbers of array elements left out, and in how many records it came."""

    text: str
    records: int


@dataclass(frozen=True, slots=True)
class Against:
    """The records' time held against another clock: offset in seconds, drift in parts per million.

    varies            how far the offset goes up and down between two jumps
    drift_error_ppm   how sure the drift is; both are of the longest time without a jump, `over` seconds
    """

    clock: str
    offset: SpreadReport
    varies: float
    drift_ppm: float | None
    drift_error_ppm: float | None
    over: float


@dataclass(frozen=True, slots=True)
class Times:
    """The records' own time stamps.

    unit      "us"; "ns", "ms", "s" where the numbers make sense only so; "?" where in none
    jumps     steps that no other clock made, over half a second; `longest_jump` the largest of them
    """

    stamped: int
    missing: int
    first: str | None
    last: str | None
    first_us: int | None
    last_us: int | None
    unit: str
    repeated: int
    backwards: int
    jumps: int
    longest_jump: float
    pts_missing: int
    pts_wraps: int
    pts_backwards: int
    pts_jumps: int
    references: tuple[Against, ...]


@dataclass(frozen=True, slots=True)
class KlvStream:
    """The records of one set on one PID.

    gaps      intervals of more than three usual ones and a quarter second
    nested    versions of sets inside: {"ST0903": (4, 6)}
    damaged   records that arrived in part or out of order; their checksums are not among the others. Of these `cut_off`
              are those that the recording ends within
    items_left_out, remarks_left_out   those beyond the first, at least; `remarks` with `specials`
    passed    records, of those that are not damaged, that were counted and not looked into, since they come closer than
              equipment sends them: items, times and remarks are of the others
    first_wrong, last_wrong   records that do not begin with item 2, or do not end with item 1 though they have it
    """

    pid: int | None
    set: str
    key: str
    versions: tuple[int, ...]
    records: int
    rate: float | None
    intervals: SpreadReport
    gaps: int
    longest_at: float
    sizes: SpreadReport
    checksum_ok: int
    checksum_bad: int
    checksum_absent: int
    checksum_partial: int
    damaged: int
    cut_off: int
    passed: int
    first_wrong: int
    last_wrong: int
    unversioned: int
    nested: dict[str, tuple[int, ...]]
    carriage: Carriage | None
    times: Times
    items: tuple[ItemReport, ...]
    remarks: tuple[Remark, ...]
    specials: tuple[Remark, ...]
    items_left_out: int
    remarks_left_out: int


@dataclass(frozen=True, slots=True)
class Paired:
    """The records of one KLV stream beside a video's frames.

    matched   records whose time is exactly that of a frame, of `compared`
    against   record time less frame time where both have one PTS
    """

    pid: int | None
    set: str
    compared: int
    matched: int
    against: SpreadReport


@dataclass(frozen=True, slots=True)
class Frames:
    """A video stream's frames, and the time stamps inside them (ST 0603, ST 0604); `searched` false: not looked for.

    beside    each KLV stream of the same program; `compared` and `matched` are their sums, `against` of the one that
              matches best
    """

    pid: int
    codec: str
    searched: bool
    frames: int
    rate: float | None
    stamped: int
    first: str | None
    nanoseconds: int
    compared: int
    matched: int
    against: SpreadReport
    beside: tuple[Paired, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All of it.

    clock    what `seconds` and all rates are measured by: "arrival", "PCR", "PTS", "item 2", "none"
    passage  "ts", "klv" (bare), "container" (through libav: nothing is known of the transport)
    too_large  KLV packets above the limit, which were passed over
    nothing  why there is no KLV at all; None where there is
    ended    "end", "time" (as long as was asked for), "stopped", or the fault that ended it
    records_left_out  of sets and PIDs beyond the first that came
    plots    for the page only: they are not in the JSON
    """

    klvrelay: str
    source: str
    live: bool
    passage: str
    began: str
    seconds: float
    clock: str
    size: int
    bit_rate: float | None
    dropped: int
    skipped: int
    too_large: int
    ended: str
    nothing: Diagnosis | None
    verdict: Verdict
    findings: tuple[Finding, ...]
    transport: Transport | None
    klv: tuple[KlvStream, ...]
    records_left_out: int
    frames: tuple[Frames, ...]
    plots: tuple[Plots, ...]
