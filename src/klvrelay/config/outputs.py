"""The settings of an output, [[sink.output]], and of the markings that a sink or an output may publish."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from klvrelay.config import kinds
from klvrelay.config.setting import Setting
from klvrelay.config.topic_template import check_template
from klvrelay.config.units import distance_text, parse_distance
from klvrelay.errors import ConfigError
from klvrelay.shape.items import check_dead_band, chosen_keys, selection_of
from klvrelay.shape.marking import CLASSIFICATIONS, NO_LIMIT, Limit, Unmarked, words
from klvrelay.shape.output import SNAPSHOT, Compression, Format, Output, Preset, Priority
from klvrelay.shape.presets import PRESETS

RATE_LEAST, RATE_MOST = 0.001, 1000.0
BATCH_MOST = 100
COARSE_LEAST, COARSE_MOST = 1.0, 100_000.0
TEXTS_MOST = 1000
"""Maximum number of expressions, patterns, ... of one setting."""


def _texts(check: Callable[[list[str]], object], valid: str, *, or_none: bool = False) -> kinds.Kind:
    """An array of texts, or a single one. `or_none`: it may be empty."""

    def read(value: Any) -> tuple[str, ...]:
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(one, str) and one.strip("!") for one in found):
            raise ConfigError(f"must be an array of texts, {valid}")
        if not found and not or_none:
            raise ConfigError("must not be empty")
        if len(found) > TEXTS_MOST:
            raise ConfigError(f"must have at most {TEXTS_MOST} texts")
        check(found)
        return tuple(found)

    array: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "maxItems": TEXTS_MOST}
    array |= {} if or_none else {"minItems": 1}
    return kinds.compound(read, valid, {"anyOf": [{"type": "string"}, array]})


def _check_patterns(patterns: Sequence[str]) -> None:
    for pattern in patterns:
        if not pattern.isprintable():
            raise ConfigError("a pattern must be printable")


def _check_codes(codes: Sequence[str]) -> None:
    for code in codes:
        if not re.fullmatch(r"[A-Za-z0-9]{2,8}", code, re.ASCII):
            raise ConfigError('must be country codes, such as ["DEU", "USA"]')


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,63}", name, re.ASCII):
        raise ConfigError("must be a name of at most 64 letters, digits, -, _ and ., such as position")


def _dead_band(value: Any) -> bool | dict[str, float]:
    if isinstance(value, bool):
        return value
    if not isinstance(value, dict):
        raise ConfigError("must be true, false, or a table of changes by item, {sensor_latitude = 0.0001}")
    for key, change in value.items():
        check_dead_band(key)
        if isinstance(change, bool) or not isinstance(change, int | float) or not 0 <= change < kinds.NUMBER_MOST:
            raise ConfigError(f"{key} must be a number of at least 0")
    return {key: float(change) for key, change in value.items()}


def _coarse(value: Any) -> float:
    found = parse_distance(value) if isinstance(value, str) else None
    if value == 0 and not isinstance(value, bool | str):
        return 0.0
    if found is None or not COARSE_LEAST <= found <= COARSE_MOST:
        low, high = distance_text(COARSE_LEAST), distance_text(COARSE_MOST)
        raise ConfigError(f'must be a distance from "{low}" to "{high}", such as "100m", or 0')
    return found


_ITEMS = _texts(selection_of, "keys, groups and wildcards, such as position or sensor_*, and exclusions with !")
_PATTERNS = _texts(_check_patterns, "patterns such as uav*, and exclusions with !")
_DEAD_BAND = kinds.compound(
    _dead_band, "true, false, or a table of changes by item",
    {"anyOf": [{"type": "boolean"}, {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}}]},
)  # fmt: skip
_COARSE = kinds.Kind(
    _coarse, f'from "{distance_text(COARSE_LEAST)}" to "{distance_text(COARSE_MOST)}", or 0',
    {"anyOf": [{"type": "string", "pattern": r"^\d{1,9}(\.\d{1,9})?(m|km)$"}, {"const": 0}]},
    shown=lambda metres: kinds.toml_text(distance_text(metres)) if metres else "0",
)  # fmt: skip

LIMITS = (
    Setting(
        "max_classification", kinds.one_of(*CLASSIFICATIONS, cutoff=0.9),  # "NATO SECRET" is not TOP SECRET
        "highest classification of records that are published", note="any", example='"RESTRICTED"',
    ),
    Setting(
        "caveats", _texts(lambda _: None, "texts such as FOUO", or_none=True),
        "caveats that records may have; one with another is withheld", note="any", example='["FOUO"]',
    ),
    Setting(
        "releasable_to", _texts(_check_codes, "country codes"), "countries to all of which a record must be releasable",
        note="none", example='["DEU", "USA"]',
    ),
    Setting(
        "unmarked", kinds.one_of(*get_args(Unmarked)), "records without a security marking",
        note="withhold if there is another limit, else pass", example='"pass"',
    ),
)  # fmt: skip
"""What may be published, of a sink or an output."""

OUTPUT_SETTINGS = (
    Setting("name", kinds.text(_check_name, "letters, digits, -, _ and ."), "names the output in messages and in"
            " {output}; unique in the sink", note="the preset, or the last level of the topic", example='"position"'),
    Setting("preset", kinds.one_of(*get_args(Preset)), "settings of a usual output, which the other keys override",
            example='"osd"'),
    Setting("topic", kinds.text(check_template, "levels with {prefix}, {stream}, {item}, {output}, {set}", wanted=None),
            "template of its topics", note="that of the preset, or {prefix}/{stream}/{output}",
            example='"{prefix}/{stream}/position"'),
    Setting("streams", _PATTERNS, "the streams, by name", note="all", example='["uav*", "!uav9"]'),
    Setting("items", _ITEMS, "the items", note="all", example='["position", "sensor_*", "!slant_range"]'),
    Setting("exclude", _texts(lambda given: selection_of([f"!{one}" for one in given]), "keys, groups and wildcards"),
            "items that are left out", note="none", example='["vmti"]'),
    Setting("rate", kinds.number(RATE_LEAST, RATE_MOST), "messages per second at most, of each stream: the newest"
            " record of each interval", note="every record", example="2"),
    Setting("on_change", kinds.FLAG, "publish only the items that changed", False),
    Setting("dead_band", _DEAD_BAND, "with on_change: smaller changes count as none; true: those of the tables", False,
            example="{sensor_latitude = 0.0001}"),
    Setting("snapshot", kinds.duration("100ms", "1d"), "with on_change: interval of records with all items", SNAPSHOT),
    Setting("format", kinds.one_of(*get_args(Format)), "format of the payloads", "json"),
    Setting("compression", kinds.one_of(*get_args(Compression)),
            "compression of the payloads; zstd needs klvrelay[zstd] before Python 3.14", "none"),
    Setting("batch", kinds.whole(1, BATCH_MOST), "records per message; they wait for each other at most 1 s", 1),
    Setting("retain", kinds.FLAG, "the broker keeps the last message for later subscribers", False),
    Setting("qos", kinds.one_of(0, 1, 2), "quality of service", note="that of the sink", example="0"),
    Setting("coarse", _COARSE, "round the positions of ST 0601 to a grid of this width in m or km, and leave out"
            " others, such as all of EG 0104 and the offsets of corners", 0.0, example='"100m"'),
    *LIMITS,
    Setting("class", kinds.one_of(*get_args(Priority)), "priority on an uplink with a budget", note="from its items",
            example='"position"'),
)  # fmt: skip

_FIELDS = {"dead_band": "dead_bands", "class": "priority"}
LIMIT_KEYS = tuple(setting.name for setting in LIMITS)


def setting_field(name: str) -> str:
    """The field of `Output` that has the value of a setting."""
    return _FIELDS.get(name, name)


class OutputFault(ConfigError):
    """Settings of an output that contradict each other. `key`: the one to change."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


def limit_of(values: Mapping[str, Any]) -> Limit:
    """The limit that typed values describe."""
    highest = values.get("max_classification")
    caveats = values.get("caveats")
    return Limit(
        None if highest is None else CLASSIFICATIONS.index(highest) + 1,
        None if caveats is None else frozenset().union(*map(words, caveats)),
        frozenset(code.upper() for code in values.get("releasable_to", ())),
        values.get("unmarked"),
    )


def limit_values(limit: Limit) -> dict[str, Any]:
    """The values that a limit has as settings; None where there is none."""
    return {
        "max_classification": None if limit.level is None else CLASSIFICATIONS[limit.level - 1],
        "caveats": None if limit.caveats is None else tuple(sorted(limit.caveats)),
        "releasable_to": tuple(sorted(limit.releasable_to)) or None,
        "unmarked": limit.unmarked,
    }


def output_of(values: Mapping[str, Any]) -> Output:
    """The output that typed values describe. Raises OutputFault if they contradict each other."""
    preset = values.get("preset")
    given: dict[str, Any] = {**(PRESETS[preset] if preset else {}), **values}
    given["items"] = (*given.get("items", ()), *(f"!{one}" for one in given.pop("exclude", ())))
    given["topic"] = given.get("topic", "{prefix}/{stream}/{output}")
    given["name"] = given.get("name") or preset or _name_of(given["topic"])
    limits = {key: given.pop(key) for key in LIMIT_KEYS if key in given}
    output = Output(limit=limit_of(limits) if limits else NO_LIMIT, **{_FIELDS.get(k, k): v for k, v in given.items()})
    check_output(output, values)
    return output


def _name_of(topic: str) -> str:
    """The last level of a template; without names in it."""
    last = topic.rpartition("/")[2]
    try:
        _check_name(last)
    except ConfigError:
        raise OutputFault("name", "missing: give a name, a preset, or a topic whose last level is one") from None
    return last


def check_output(output: Output, values: Mapping[str, Any]) -> None:
    """Raise OutputFault if the settings of an output contradict each other. `values`: those that were given."""
    by_item = "{item}" in output.topic
    if by_item != (output.content == "items"):
        wrong = '{item} needs preset = "items"' if by_item else "must contain {item}: preset items has a topic for each"
        raise OutputFault("topic", wrong)
    _check_content(output, values)
    if output.compression == "zstd":
        _check_zstd()
    if output.batch > 1 and output.retain:
        raise OutputFault("batch", "must be 1 with retain = true: only the last message is kept")
    if output.on_change and output.retain and output.content == "records":
        raise OutputFault("retain", "must be false with on_change: a later subscriber would get the last change only")
    try:
        selection_of(output.items)
    except ConfigError as fault:
        raise OutputFault("exclude" if "exclude" in values else "items", str(fault)) from None


def _check_zstd() -> None:
    from klvrelay.shape.encoding.compression import zstd_module  # here, since few outputs compress

    try:
        zstd_module()
    except ConfigError as fault:
        raise OutputFault("compression", str(fault)) from None


def _check_bands(bands: Mapping[str, float], output: Output) -> None:
    """A dead band of an item that the output has not would have no effect."""
    without = next((key for key in bands if key not in chosen_keys(output.items)), None)
    if without is not None:
        raise OutputFault("dead_band", f"{without} is not among the items of the output: without effect")


def _check_content(output: Output, values: Mapping[str, Any]) -> None:
    """What a preset cannot be combined with."""
    for key in ("dead_band", "snapshot"):
        if values.get(key) and not output.on_change:
            raise OutputFault(key, "needs on_change = true")
    if isinstance(bands := values.get("dead_band"), dict):
        _check_bands(bands, output)
    if output.content != "records":
        for key, usual in (("format", "json"), ("compression", "none"), ("batch", 1)):
            if values.get(key, usual) != usual:
                raise OutputFault(key, f"must be {kinds.toml_text(usual)} with preset {output.content}")
    if output.is_merged and output.on_change:
        raise OutputFault("on_change", f"must be false with preset {output.content}, which merges the records")
    if output.content == "homeassistant" and not output.retain:
        raise OutputFault("retain", "must be true with preset homeassistant, which needs the values after a restart")
    if output.content == "homeassistant" and "{set}" in output.topic:
        raise OutputFault("topic", "must not contain {set} with preset homeassistant, which merges the sets")
    if output.content == "items" and not output.on_change:
        raise OutputFault("on_change", "must be true with preset items")


def output_values(output: Output) -> dict[str, Any]:
    """The values that an output has as settings; None where there is none."""
    names = [setting.name for setting in OUTPUT_SETTINGS]
    found = {name: getattr(output, _FIELDS.get(name, name), None) for name in names}
    found |= {"streams": output.streams or None, "items": output.items or None}
    return found | limit_values(output.limit)
