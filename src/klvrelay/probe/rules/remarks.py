"""Groups the warnings of the decoder into one finding per kind, with the affected items."""

from __future__ import annotations

import re
from collections.abc import Iterator

from klvrelay.probe.report import Finding, KlvStream, Remark, Report
from klvrelay.probe.rules.rule import Check, Rule, at_stream, list_text, plural
from klvrelay.standards.spec import SETS

REMARKS = 8
"""Maximum number of remarks listed individually per item."""

_LENGTH = Rule(
    "item_length", "warning", "ST 0601.19 and nested standards, length of the item",
    "The length of these items differs from the standard; klvrelay decodes what it can.",
)  # fmt: skip
_ZERO = Rule(
    "item_empty", "warning", "ST 0601.19; ST 0107",
    "Length 0 means `value unknown`, which is not allowed for these items: omit them instead.",
)  # fmt: skip
_REPEATED = Rule(
    "item_repeated", "warning", "ST 0601.19; ST 0107",
    "An item may occur once per packet (except 100, 101, 102, 115): receivers differ in which one they keep.",
)  # fmt: skip
_MALFORMED = Rule(
    "item_malformed", "warning", "ST 0601.19 and nested standards, format of the item",
    "These items can't be decoded and are kept as bytes: compare the encoder's format with the standard.",
)  # fmt: skip
_STRUCTURE = Rule(
    "set_malformed", "error", "ST 0107; SMPTE ST 336",
    "Tags or lengths inside the set are wrong, so the rest of the set is lost: the encoder computes a length wrongly,"
    " or bytes were lost in transit.",
)  # fmt: skip
_TEXT = Rule(
    "text_invalid", "warning", "ST 0107; ST 0601.19",
    "Text must be UTF-8 (ISO 7-bit in older items): the encoder uses another character encoding.",
)  # fmt: skip
_PADDING = Rule(
    "text_padded", "note", "ST 0107; ST 0601.19",
    "The encoder pads text with zero bytes: send the text without padding.",
)  # fmt: skip
_RESERVED = Rule(
    "reserved_bits", "note", "ST 0601.19 and nested standards",
    "The encoder sets bits that the standard reserves as zero.",
)
_OID = Rule(
    "not_ber_oid", "warning", "ST 0107, BER-OID",
    "The item must be BER-OID but is a plain integer: receivers decode a different number.",
)  # fmt: skip
_KEY = Rule(
    "unknown_key", "note", "SMPTE ST 336", "The set is unknown to klvrelay: it is kept as bytes, not decoded."
)
_LIMIT = Rule(
    "limits", "warning", "klvrelay's limits: 1,024 items, 8 sets deep, 65,536 array elements",
    "This exceeds the capacity of receivers: send fewer items or targets per packet.",
)  # fmt: skip
_OTHER = Rule("remark", "warning", "ST 0107", "The decoder reported this and continued.")

KINDS: tuple[tuple[re.Pattern[str], Rule, str], ...] = tuple(
    (re.compile(pattern), rule, lead)
    for pattern, rule, lead in (
        (r"\d+ bytes?, expected", _LENGTH, "Items of wrong length"),
        (r"length 0 is not legal", _ZERO, "Empty items that must not be empty"),
        (r"repeated", _REPEATED, "Repeated items"),
        (r"runs past|tag is malformed|cut short|item is malformed|series is malformed", _STRUCTURE, "Broken sets"),
        (r"malformed|target without id", _MALFORMED, "Malformed items"),
        (r"text is not valid", _TEXT, "Text in another encoding"),
        (r"NUL padding", _PADDING, "Padded text"),
        (r"reserved bits", _RESERVED, "Reserved bits"),
        (r"no BER-OID", _OID, "Numbers that are not BER-OID"),
        (r"in no table", _KEY, "Unknown sets"),
        (r"too many|too deep|too large", _LIMIT, "Limits exceeded"),
        (r"", _OTHER, "Other remarks"),
    )
)  # fmt: skip
"""Pattern of the decoder's warning, its rule, and the start of the finding; the first match applies."""

_REPORTED_ELSEWHERE = re.compile(r"more remarks left out|not microseconds; time is converted")
_ITEM = re.compile(r"item ([0-9a-f.\[\]]+): (.*)")


def kind_of(text: str) -> tuple[Rule, str]:
    """The rule for a remark, and the start of its finding."""
    return next((rule, lead) for pattern, rule, lead in KINDS if pattern.search(text))


def _remarks(report: Report) -> Iterator[Finding]:
    for stream in report.klv:
        kinds: dict[tuple[Rule, str], list[Remark]] = {}
        for remark in stream.remarks:
            if not _REPORTED_ELSEWHERE.search(remark.text):
                kinds.setdefault(kind_of(remark.text), []).append(remark)
        for (rule, lead), remarks in kinds.items():
            most = max(remark.records for remark in remarks)
            text = list_text(_merge(stream, remarks), 5)
            read = stream.records - stream.passed
            share = "all" if most == read else f"up to {most:,} of"
            yield rule.finding(f"{lead}: {text}; in {share} {plural(read, 'record')}", at_stream(stream), most)


def _merge(stream: KlvStream, remarks: list[Remark]) -> list[str]:
    """Merge remarks of equal text on the same item."""
    by_item: dict[str, list[str]] = {}
    for remark in remarks:
        found = _ITEM.fullmatch(remark.text)
        item, what = (found[1], found[2]) if found else ("", remark.text)
        by_item.setdefault(item, []).append(what)
    return [
        f"{named} ({what})" if (named := _item_title(stream.set, item)) else what
        for item in sorted(by_item, key=_tags)
        for what in [_join_texts(sorted(by_item[item]))]
    ]


def _join_texts(texts: list[str]) -> str:
    """Merge `1 byte, expected 3` and `2 bytes, expected 3` into `1 or 2 bytes, expected 3`."""
    split = [re.fullmatch(r"(\d+) bytes?, (expected .*)", text) for text in texts]
    if len(texts) > 1 and all(split) and len({found[2] for found in split if found}) == 1:
        sizes = sorted(int(found[1]) for found in split if found)
        return f"{', '.join(map(str, sizes[:-1]))} or {sizes[-1]} bytes, {split[0][2] if split[0] else ''}"
    return "; ".join(texts[:REMARKS] + ([f"and {len(texts) - REMARKS} more"] if len(texts) > REMARKS else []))


def _item_title(set_name: str, path: str) -> str:
    """Item path with its name: `22` of ST 0601 becomes `22 Target Width`."""
    if not path:
        return ""
    item = None
    for part in path.split("."):
        tag = part.partition("[")[0]
        item = SETS.get(set_name, {}).get(int(tag)) if tag.isdigit() else None
        kind = item.kind if item is not None else ""
        set_name = kind.partition(":")[2].replace("VTargetPack", "VTarget")
    return path.replace("[]", "") + (f" {item.name}" if item is not None else "")


def _tags(path: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", path)[:8]]


CHECKS: tuple[Check, ...] = (_remarks,)
