"""Checks the contents of the records: checksums, structure, required items (ST 0601, ST 0902, ST 0102)."""

from __future__ import annotations

from collections.abc import Iterator

from klvrelay.probe.metadata.items import item_at, tags_of
from klvrelay.probe.report import Finding, ItemReport, KlvStream, Report, Severity
from klvrelay.probe.rules.rule import MANY, Check, Rule, at_stream, list_text, plural, span
from klvrelay.standards.spec import SETS

NEWEST = 19
OLD_VMTI = 4
REFRESH = 30.0
FEW = 0.01

MINIMUM: tuple[tuple[int, ...], ...] = (
    (5,), (6, 90), (7, 91), (11,), (13,), (14,), (15, 75, 104), (16,), (17,), (18,), (19,), (20,), (21,),
    (23,), (24,), (25, 78), (48,),
)  # fmt: skip
"""Items of ST 0902's minimum set, besides 1, 2 and 65; any one item of a tuple is sufficient."""
SUCCESSORS = {6: 90, 7: 91, 22: 96, 50: 92, 52: 93}
"""Items, and their successors of wider range or finer steps."""
PLACES = ("sensor_latitude", "sensor_longitude", "frame_center_latitude", "frame_center_longitude")

DAMAGED = Rule(
    "records_damaged", "warning", "ISO/IEC 13818-1 2.4.3.3",
    "Packets were lost inside these records, and klvrelay never forwards them as valid: check the link first.",
)  # fmt: skip
CUT_OFF = Rule(
    "cut_off", "note", "SMPTE ST 336",
    "The last record is incomplete and omitted: let the recorder finish its file, or copy the file again.",
)  # fmt: skip
PART_MISSING = "Bytes are missing inside: the program that wrote the recording truncated these packets or lost data."
MISCOUNTED = (
    "The transport lost nothing, so the cause is the encoder: it writes a wrong KLV length, or truncates packets at a"
    " size limit."
)
CHECKSUM = Rule(
    "checksum_bad", "error", "ST 0601.19 item 1",
    "The encoder computes the checksum over the wrong bytes: it covers key, length and value, up to the length byte of"
    " item 1.",
)  # fmt: skip
SOME_BAD = "Bytes were changed in transit, or two senders share the stream: check the link for continuity errors."
NO_CHECKSUM = Rule(
    "checksum_missing", "error", "ST 0601.19 item 1",
    "Item 1 is mandatory and must be the last item: without it receivers can't detect corrupted bytes.",
)  # fmt: skip
NO_TIME = Rule(
    "time_missing", "error", "ST 0601.19 item 2; ST 0603",
    "Item 2 (Precision Time Stamp) is mandatory: without it no record can be matched to its frame.",
)  # fmt: skip
TIME_FIRST = Rule("time_not_first", "warning", "ST 0601.19 item 2", "Let the encoder write item 2 as the first item.")
SUM_LAST = Rule("checksum_not_last", "warning", "ST 0601.19 item 1", "Let the encoder write item 1 as the last item.")
NO_VERSION = Rule(
    "version_missing", "warning", "ST 0601.19 item 65",
    "Item 65 (version) is mandatory: without it receivers must guess the revision of the other items.",
)  # fmt: skip
ODD_VERSION = Rule(
    "version_odd", "warning", "ST 0601.19 item 65",
    f"Item 65 is the number of the revision, 1 to {NEWEST}: the encoder writes another value.",
)  # fmt: skip
VERSIONS = Rule(
    "versions_mixed", "note", "ST 0601.19 item 65",
    "Two encoders send on one PID, or one was updated: check the senders.",
)  # fmt: skip
SECURITY = Rule(
    "security_missing", "warning", "ST 0601.19 item 48; ST 0102",
    "Every stream must carry its classification: set the security metadata in the encoder (ST 0102, nested as item"
    " 48).",
)  # fmt: skip
MINIMUM_RULE = Rule(
    "minimum_set", "warning", "ST 0902, minimum metadata set",
    "Exploitation tools expect these items: enable them in the encoder, or connect the sensor that measures"
    " them.",
)  # fmt: skip
DEPRECATED = Rule("deprecated", "note", "ST 0601.19 and nested standards", "These items are withdrawn: omit them.")
SUPERSEDED = Rule(
    "superseded", "note", "ST 0601.19",
    "Valid, but of low resolution or range: also send the finer item, which receivers prefer.",
)  # fmt: skip
UNKNOWN = Rule(
    "unknown_items", "note", "ST 0601.19; ST 0107",
    "Private items, or items of a newer revision: they are kept as bytes under `unknown`.",
)  # fmt: skip
UNKNOWN_SET = Rule(
    "unknown_set", "note", "SMPTE ST 336",
    "The set is unknown to klvrelay: its key and bytes are forwarded unchanged.",
)  # fmt: skip
LEGACY = Rule(
    "legacy_set", "note", "EG 0104, withdrawn; ST 0601",
    "This is the predecessor of ST 0601: klvrelay reads it, but it has no checksum. Newer encoders send ST 0601.",
)  # fmt: skip
OLD_TARGETS = Rule(
    "old_vmti", "note", "ST 0903.6",
    "ST 0903 used other tags before version 4: klvrelay reads them, other receivers may not.",
)  # fmt: skip
SLOW = Rule(
    "slow_items", "note", "ST 0902, refresh about every 30 s",
    "A receiver that joins lacks these items for that long: repeat slowly changing items every 10 to 30 s.",
)  # fmt: skip
NO_NUMBER = Rule(
    "no_number", "note", "ST 0601.19, special values",
    "The encoder always sends these items as `value unknown`.",
)  # fmt: skip
IRREGULAR = Rule(
    "rate_irregular", "warning", "ST 0902; ST 0604, a record for each frame",
    "Metadata is interrupted at times: check the encoder's metadata input, and the network of a live source.",
)  # fmt: skip


def _damaged(report: Report) -> Iterator[Finding]:
    for s in report.klv:
        damaged = s.damaged - s.cut_off
        severity: Severity | None = "error" if damaged > MANY * s.records else None
        if s.cut_off:
            text = "The recording ends within " + ("its only packet" if s.records == 1 else "a packet")
            only: Severity | None = "error" if s.records == s.cut_off else None
            yield CUT_OFF.finding(text, at_stream(s), s.cut_off, severity=only)
        if damaged and _lossless(report):
            text = f"{damaged:,} of {plural(s.records, 'record')} truncated or running into the next"
            hint = PART_MISSING if report.transport is None else MISCOUNTED
            yield DAMAGED.finding(text, at_stream(s), damaged, severity=severity, hint=hint)
        elif damaged:
            text = f"{damaged:,} of {plural(s.records, 'record')} damaged in transit"
            yield DAMAGED.finding(text, at_stream(s), damaged, severity=severity)


def _lossless(report: Report) -> bool:
    """Whether the transport shows no loss and can be ruled out as the cause. libav hides losses."""
    t = report.transport
    if t is None:
        return report.passage == "klv"
    return not t.sync_losses and not any(pid.gaps or pid.transport_errors or pid.duplicates for pid in t.pids)


def _checksums(report: Report) -> Iterator[Finding]:
    for s in report.klv:
        if s.checksum_bad:
            few: Severity | None = "warning" if s.checksum_bad < FEW * s.records else None
            text = f"The checksum is wrong in {_all_of(s.checksum_bad, s)}"
            hint = "" if s.checksum_bad == s.records - s.damaged else SOME_BAD
            yield CHECKSUM.finding(text, at_stream(s), s.checksum_bad, severity=few, hint=hint)
        if s.checksum_absent and s.set == "ST0601":
            text = f"No checksum in {_all_of(s.checksum_absent, s)}"
            yield NO_CHECKSUM.finding(text, at_stream(s), s.checksum_absent)


def _all_of(count: int, stream: KlvStream) -> str:
    """`count` of the undamaged records, as text."""
    return _of(count, stream.records - stream.damaged)


def _of_read(count: int, stream: KlvStream) -> str:
    """`count` of the inspected records, as text."""
    return _of(count, stream.records - stream.damaged - stream.passed)


def _of(count: int, whole: int) -> str:
    if count == whole:
        return f"all {plural(count, 'record')}" if count > 1 else "the only record"
    return f"{count:,} of {plural(whole, 'record')}"


def _structure(report: Report) -> Iterator[Finding]:
    for s in report.klv:
        where = at_stream(s)
        if s.last_wrong:
            text = f"Item 1 (checksum) is not last in {_of_read(s.last_wrong, s)}"
            yield SUM_LAST.finding(text, where, s.last_wrong)
        if s.set != "ST0601":
            continue
        if s.times.missing:
            yield NO_TIME.finding(f"No time stamp in {_of_read(s.times.missing, s)}", where, s.times.missing)
        if s.first_wrong:
            text = f"Item 2 (time) is not first in {_of_read(s.first_wrong, s)}"
            yield TIME_FIRST.finding(text, where, s.first_wrong)
        if s.unversioned:
            yield NO_VERSION.finding(f"No version in {_of_read(s.unversioned, s)}", where, s.unversioned)


def _versions(report: Report) -> Iterator[Finding]:
    for s in report.klv:
        if s.set != "ST0601":
            continue
        odd = [str(version) for version in s.versions if not 0 < version <= NEWEST]
        if odd:
            yield ODD_VERSION.finding(f"Unknown version {list_text(odd)} of ST 0601", at_stream(s))
        if len(s.versions) > 1:
            text = f"Versions {list_text([str(v) for v in s.versions])} of ST 0601 in one stream"
            yield VERSIONS.finding(text, at_stream(s), len(s.versions))


def _sets(report: Report) -> Iterator[Finding]:
    for s in report.klv:
        old = [str(version) for version in s.nested.get("ST0903", ()) if version < OLD_VMTI]
        if s.set in ("ST0104", "EG0104"):
            yield LEGACY.finding("Universal sets of EG/ST 0104", at_stream(s), s.records)
        if s.set.startswith("key "):
            text = f"{plural(s.records, 'packet')} of a set with the {s.set}"
            yield UNKNOWN_SET.finding(text, at_stream(s), s.records)
        if old:
            yield OLD_TARGETS.finding(f"VMTI of ST 0903 version {list_text(old)}", at_stream(s))


def _main(report: Report) -> Iterator[tuple[KlvStream, dict[int, ItemReport]]]:
    """Each ST 0601 stream with inspected records, and its items by tag."""
    for s in report.klv:
        if s.set == "ST0601" and s.records > s.damaged + s.passed:
            yield s, {item.tag: item for item in s.items if item.tag is not None and "." not in item.path}


def _minimum(report: Report) -> Iterator[Finding]:
    for s, items in _main(report):
        missing = [either for either in MINIMUM if not any(tag in items for tag in either) and either != (48,)]
        if missing:
            names = [f"{'/'.join(map(str, tags))} {SETS['ST0601'][tags[0]].name}" for tags in missing]
            text = f"{plural(len(missing), 'item')} of the minimum set not received: {list_text(names, 8)}"
            yield MINIMUM_RULE.finding(text, at_stream(s), len(missing))
        if 48 not in items and not any(other.set.startswith("ST0102") for other in report.klv):
            yield SECURITY.finding("No security metadata: the classification of the stream is missing", at_stream(s))


def _superseded(report: Report) -> Iterator[Finding]:
    for s, items in _main(report):
        coarse = [
            f"{old} {items[old].name} ({new})" for old, new in SUCCESSORS.items() if old in items and new not in items
        ]
        if coarse:
            yield SUPERSEDED.finding(f"Without their finer successors: {list_text(coarse)}", at_stream(s), len(coarse))
    for s in report.klv:
        known = [(item.path, item_at(item.path, s.set)) for item in s.items]
        withdrawn = [(path, found) for path, found in known if found is not None and found.deprecated]
        if withdrawn:
            names = list_text([f"{tags_of(path, s.set)} {found.name}" for path, found in withdrawn])
            yield DEPRECATED.finding(f"Withdrawn items: {names}", at_stream(s), len(withdrawn))


def _unknown(report: Report) -> Iterator[Finding]:
    for s in report.klv:
        table = SETS.get(s.set, {})
        kept = [item for item in s.items if item.path.startswith("unknown.") and item.tag not in table]
        unknown = [item.path.removeprefix("unknown.") for item in kept]  # the others are known but malformed
        if unknown and s.set in SETS:
            text = f"{plural(len(unknown), 'unknown item')}: {list_text(unknown, 8)}"
            yield UNKNOWN.finding(text, at_stream(s), len(unknown))


def _slow(report: Report) -> Iterator[Finding]:
    for s, items in _main(report):
        slow = [item for item in items.values() if item.longest > REFRESH]
        if slow:
            names = list_text([f"{item.tag} {item.name} ({span(item.longest)})" for item in slow])
            yield SLOW.finding(f"Refreshed less often than every 30 s: {names}", at_stream(s), len(slow))


def _no_number(report: Report) -> Iterator[Finding]:
    for s in report.klv:
        never = [item for item in s.items if item.no_number >= item.count]
        if never:
            places = any(item.path in PLACES for item in never)
            names = list_text([f"{tags_of(item.path, s.set)} {item.name}".strip() for item in never])
            yield NO_NUMBER.finding(
                f"Always without a value: {names}", at_stream(s), len(never), severity="warning" if places else None
            )


def _rate(report: Report) -> Iterator[Finding]:
    for s in report.klv:
        longest = s.intervals.high
        if s.gaps and longest is not None and s.intervals.median is not None:
            yield IRREGULAR.finding(
                f"{plural(s.gaps, 'gap')} in the records, the longest {span(longest)} at second {s.longest_at:.1f}"
                f" (usual: {span(s.intervals.median)})",
                at_stream(s), s.gaps,
            )  # fmt: skip


CHECKS: tuple[Check, ...] = (
    _checksums, _damaged, _structure, _rate, _minimum, _versions, _no_number, _sets, _superseded, _unknown, _slow,
)  # fmt: skip
