"""Finds what several sources or sinks have in common, although each needs its own: names, ports and topics."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from klvrelay.config.entries import TableEntry
from klvrelay.config.faults import Faults
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.ports import collisions
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.topic_template import DISCOVERY, overlap, pattern_of, reserved
from klvrelay.errors import ConfigError
from klvrelay.shape.output import Output, is_whole
from klvrelay.text import printable

Sources = Sequence[tuple[TableEntry, SourceSettings]]
ReadSink = tuple[TableEntry, SinkSettings]


def check_sources(sources: Sources, faults: Faults) -> None:
    """Add the faults of names that two streams would have, and of ports that two sources would receive on."""
    _check_streams(sources, faults)
    _check_pids(sources, faults)
    for number, text in collisions([source for _, source in sources]):
        sources[number][0].add_fault(faults, "url", text)


def _check_streams(sources: Sources, faults: Faults) -> None:
    seen: set[str] = set()
    for entry, source in sources:
        if source.stream in seen:
            text = f"{printable(source.stream or '')} is used by two sources; names must be unique"
            entry.add_fault(faults, "stream", text)
        if source.stream is not None:
            seen.add(source.stream)


def _check_pids(sources: Sources, faults: Faults) -> None:
    """A stream of a PID may have the name of its source, but not that of another stream."""
    try:
        named = RelaySettings(tuple(source for _, source in sources)).named()
    except ConfigError:
        return  # two sources have the same name
    owner = {name: number for number, (name, _) in enumerate(named)}
    for number, (entry, source) in enumerate(sources):
        names = list(source.pids.values())
        for name in names:
            if owner.setdefault(name, number) != number or names.count(name) > 1:
                text = f"{printable(name)} is the name of another stream; names must be unique"
                entry.add_fault(faults, "pids", text)


def check_sinks(entries: Sequence[TableEntry], sinks: Sequence[ReadSink], faults: Faults) -> None:
    """Add the faults of names that two sinks have. `sinks`: those without other faults, whose kind is known."""
    names = {id(entry): sink.name for entry, sink in sinks}
    seen: set[str] = set()
    for entry in entries:
        name = entry.values.get("name", names.get(id(entry)))
        if not isinstance(name, str):
            continue
        if name in seen:
            entry.add_fault(faults, "name", _repeated(name, is_default="name" not in entry.values))
        seen.add(name)


def _repeated(name: str, *, is_default: bool) -> str:
    cause = ", the name of this sink unless it has another," if is_default else ""
    return f"{printable(name)}{cause} is used by two sinks; give each its own name"


def check_far_ends(sinks: Sequence[ReadSink], faults: Faults) -> None:
    """Add the faults of sinks that publish the same to the same far end: records would arrive twice."""
    seen: set[tuple[str, str]] = set()
    for entry, sink in sinks:
        if (place := _far_end_of(sink)) in seen:
            key = entry.first_of((*entry.table.setting_of("url")[0].keys, "host")) or "url"
            entry.add_fault(faults, key, _shared(sink))
        seen.add(place)


def check_no_shared_far_end(sinks: Sequence[SinkSettings]) -> None:
    """Raise ConfigError if two sinks publish the same to the same far end."""
    seen: set[tuple[str, str]] = set()
    for sink in sinks:
        if (place := _far_end_of(sink)) in seen:
            raise ConfigError(_shared(sink))
        seen.add(place)


def _far_end_of(sink: SinkSettings) -> tuple[str, str]:
    return sink.far_end.url.lower(), sink.far_end.prefix


def _shared(sink: SinkSettings) -> str:
    if sink.mqtt is None:
        return f"{sink.far_end.url} is used by two sinks; give each its own"
    prefix = printable(sink.mqtt.prefix)
    return f"{sink.mqtt.url} with prefix {prefix} is used by two sinks; give each its own broker or prefix"


def check_outputs(outputs: Sequence[Output], broker: MqttSettings) -> list[tuple[int, str, str]]:
    """The faults of outputs that have the same name or topic, or do not fit the broker: number, key and text of each.
    """
    found: list[tuple[int, str, str]] = []
    names: set[str] = set()
    owners = reserved(broker.prefix)
    if any(output.content == "homeassistant" for output in outputs):
        owners |= {DISCOVERY: "discovery of Home Assistant"}
    for number, output in enumerate(outputs):
        if output.name in names:
            found.append((number, "name", f"{output.name} is used by two outputs of this sink; give each its own name"))
        names.add(output.name)
        if output.content == "homeassistant" and (other := _announced_by(output, outputs[:number])) is not None:
            text = f"{other.name} announces the same streams to Home Assistant; give each its own streams, by name"
            found.append((number, "streams" if output.streams else "preset", text))
        if output.qos == 2 and broker.qos != 2:
            found.append((number, "qos", "2 needs qos = 2 of the sink: the session with the broker is one"))
        pattern = pattern_of(output.topic, broker.prefix, output.name)
        if (owner := next((owners[one] for one in owners if overlap(one, pattern)), None)) is not None:
            found.append((number, "topic", f"is also that of {owner}; give each its own topic"))
        owners[pattern] = output.name
    return found


def _announced_by(output: Output, others: Sequence[Output]) -> Output | None:
    """Another output for Home Assistant that may have the same stream."""
    rivals = (other for other in others if other.content == "homeassistant")
    return next((other for other in rivals if _may_share(output, other)), None)


def _may_share(one: Output, two: Output) -> bool:
    """May both have the same stream? Wildcards with different beginnings do not, such as uav* and ship*."""
    return any(_may_both(a, b, one, two) for a in _included(one) for b in _included(two))


def _may_both(a: str, b: str, one: Output, two: Output) -> bool:
    begins = [re.split(r"[*?[]", pattern, maxsplit=1)[0] for pattern in (a, b)]
    for pattern, begin in zip((a, b), begins, strict=True):
        if begin == pattern:
            return one.wants(pattern) and two.wants(pattern)
    return begins[0].startswith(begins[1]) or begins[1].startswith(begins[0])


def _included(output: Output) -> list[str]:
    return [pattern for pattern in output.streams if not pattern.startswith("!")] or ["*"]


def streams_without_effect(settings: RelaySettings) -> list[str]:
    """A warning for each output whose `streams` match no stream of the sources.

    A source with several PIDs has further streams, whose names begin with its own.
    """
    try:
        names = [name for name, _ in settings.named()]
    except ConfigError:
        return []
    names += [name for source in settings.sources for name in source.pids.values()]
    return [
        f"sink {sink.name}: output {output.name}: streams match none of the sources, so it publishes nothing; streams:"
        f" {printable(', '.join(sorted({*names})))}"
        for sink in settings.sinks
        for output in sink.outputs
        if names and not any(_may_have(output, name) for name in names)
    ]


def _may_have(output: Output, name: str) -> bool:
    """May an output have this stream, or one whose name is longer?"""
    begins = [re.split(r"[*?[]", pattern, maxsplit=1)[0] for pattern in _included(output)]
    return output.wants(name) or any(begin.startswith(f"{name}-") for begin in begins)


def check_budget(
    values: Mapping[str, object], outputs: Sequence[Output], brokers: Sequence[MqttSettings]
) -> tuple[str, str] | None:
    """Key and text of the fault, if other settings of the sink contradict its budget."""
    if values.get("budget") is None:
        return ("budget_later", "has no effect without budget") if values.get("budget_later") else None
    if any(broker.client != "native" for broker in brokers):
        return "budget", 'needs client = "native"'
    if values.get("batch") is not None:
        return "batch", "cannot be set with budget: set batch of the outputs"
    if values.get("budget_later") and outputs and not any(map(is_whole, outputs)):
        return "budget_later", "needs an output of whole records, such as preset telemetry: what it left out follows"
    return None
