"""What distinguishes the kinds of sinks: their URLs, their settings, and what their outputs can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from klvrelay.config.outputs import LIMIT_KEYS, OUTPUT_SETTINGS
from klvrelay.config.setting import Setting, settings_of
from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.shape.encoding.content_types import FORMATS, Format
from klvrelay.shape.output import Contents, Output

OUTPUT_KEYS = frozenset({
    "name", "preset", "streams", "items", "exclude", "rate", "on_change", "dead_band", "snapshot", "format", "coarse",
    *LIMIT_KEYS,
})  # fmt: skip
"""Settings of outputs that all kinds have."""
ALL_OUTPUT_KEYS = frozenset(setting.name for setting in OUTPUT_SETTINGS)

Fault = tuple[int, str, str]
"""Number of an output, the key to change, and what is wrong."""


def no_faults(_: FarEndSettings, __: Sequence[Output]) -> list[Fault]:
    return []


@dataclass(frozen=True, slots=True, eq=False)
class SinkKind:
    """A kind of sink.

    name         also the name of such a sink that has no other
    schemes      of its URLs
    titles       the words of messages for these schemes, where they are not `name`
    form         a URL, for messages
    text         what it is, in a few words
    settings     the dataclass of its settings
    from_url     its settings from a URL and the settings of the table; raises ConfigError, which names the key
    outputs      those of a sink without others
    output_keys  which settings of outputs it has
    contents     what its outputs may contain
    formats      of its outputs
    check        the faults of outputs that do not fit its settings or each other
    module       of `klvrelay.sinks` with its function `open_sink`
    """

    name: str
    schemes: tuple[str, ...]
    form: str
    text: str
    settings: type[Any]
    from_url: Callable[[str, Mapping[str, Any]], FarEndSettings]
    outputs: Callable[[Any], tuple[Output, ...]]
    module: str
    titles: tuple[str, ...] = ()
    output_keys: frozenset[str] = OUTPUT_KEYS
    contents: tuple[Contents, ...] = ("records",)
    formats: tuple[Format, ...] = FORMATS
    check: Callable[[Any, Sequence[Output]], list[Fault]] = no_faults

    @property
    def keys(self) -> tuple[Setting, ...]:
        """The settings that a sink of this kind has beside those of all sinks."""
        return settings_of(self.settings)

    @property
    def all_titles(self) -> tuple[str, ...]:
        """What messages call sinks of this kind."""
        return self.titles or (self.name,)

    def title(self, scheme: str) -> str:
        """What messages call a sink whose URL has this scheme."""
        return dict(zip(self.schemes, self.titles, strict=False)).get(scheme, self.name)

    def formatted(self, output: Output) -> Output:
        """The output in the format of this kind, if it has no choice."""
        return output if "format" in self.output_keys else replace(output, format=self.formats[0])

    def faults_of(self, title: str, settings: FarEndSettings, outputs: Sequence[Output]) -> list[Fault]:
        """The faults of outputs that this kind cannot publish. `title`: what they call the sink."""
        found = [fault for number, output in enumerate(outputs) for fault in self._faults_of(title, number, output)]
        return found or self.check(settings, outputs)

    def _faults_of(self, title: str, number: int, output: Output) -> list[Fault]:
        if output.content not in self.contents:
            return [(number, "preset", f"{output.preset} is not available for {title}")]
        if output.format not in self.formats:
            return [(number, "format", f"must be one of {', '.join(self.formats)} for {title}")]
        return []
