"""The report of a probe as immutable values, shared by the text, JSON and HTML output.

Unless a name says otherwise, times are in seconds, rates per second, sizes in bytes. None: unknown or not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from klvrelay.health.diagnosis import Diagnosis
from klvrelay.probe.charts import Plots
from klvrelay.probe.transport_report import Carriage, SpreadReport, Transport

SCHEMA = "klvrelay/probe/1"

Severity = Literal["error", "warning", "note"]
Level = Literal["good", "warnings", "errors", "no_klv"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault or remark that a rule reports.

    id        stable name of the rule
    severity  error: receivers lose data or show wrong data; warning: some do, or part of the data is missing;
              note: for information
    what      what is wrong and how often, as a sentence
    where     "PID 0x101, ST0601", "program 1", "stream"
    count     number of occurrences; 1 for a condition
    clause    the standard that requires it
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
    """Summary: the overall result, the first thing to do, and the exit code of the command."""

    level: Level
    text: str
    advice: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class ItemReport:
    """An item of a set. `share` of the records that hold it, `longest` seconds without it, `last` value as text."""

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
    """A decoder warning without array indices, and the number of records that it occurred in."""

    text: str
    records: int


@dataclass(frozen=True, slots=True)
class ImplausibleReport:
    """Records that cannot be true by one check.

    id      a key of `klvrelay.plausibility.CHECKS`
    what    the first of them, with its values and the limit
    records   their number; `first` and `last` are their seconds
    """

    id: str
    what: str
    records: int
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Against:
    """The record time relative to another clock: offset in seconds, drift in parts per million.

    varies            range of the offset between two jumps
    drift_error_ppm   standard error of the drift; both apply to the longest period without a jump, `over` seconds
    """

    clock: str
    offset: SpreadReport
    varies: float
    drift_ppm: float | None
    drift_error_ppm: float | None
    over: float


@dataclass(frozen=True, slots=True)
class Times:
    """Time stamps of the records.

    unit      "us"; "ns", "ms" or "s" if the numbers are plausible only in that unit; "?" if in none
    jumps     steps over half a second that no other clock made; `longest_jump` is the largest
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

    gaps      intervals longer than three usual ones and a quarter of a second
    nested    versions of nested sets: {"ST0903": (4, 6)}
    damaged   records received incomplete or out of order, excluded from the checksum counts. `cut_off` of them are
              incomplete because the recording ends
    items_left_out, remarks_left_out   lower bounds of those beyond the limit; `remarks` include `specials`
    passed    undamaged records that were counted without inspection, because they arrive faster than equipment sends
              them; items, times and remarks cover the others
    first_wrong, last_wrong   records that do not start with item 2, or that hold item 1 but do not end with it
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
    implausible: tuple[ImplausibleReport, ...] = ()


@dataclass(frozen=True, slots=True)
class Paired:
    """The records of one KLV stream compared with the frames of a video.

    matched   records, of `compared`, whose time equals that of a frame
    against   record time minus frame time at equal PTS
    """

    pid: int | None
    set: str
    compared: int
    matched: int
    against: SpreadReport


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of a video stream and their time stamps (ST 0603, ST 0604); `searched` false: not searched for stamps.

    beside    KLV streams of the same program; `compared` and `matched` are sums over them, `against` is that of the
              best match
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
    """The complete report.

    clock    basis of `seconds` and all rates: "arrival", "PCR", "PTS", "item 2" or "none"
    passage  "ts", "klv" (bare KLV) or "container" (read by libav: the transport is unknown)
    too_large  KLV packets above the limit, which were skipped
    nothing  why there is no KLV; None if there is some
    ended    "end", "time" (as long as requested), "stopped", or the fault that ended probing
    records_left_out  records of sets and PIDs beyond the limit
    plots    for the HTML page only; not in the JSON
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
