"""All outputs of a sink: what they publish of each record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from klvrelay.json_output import Numbers
from klvrelay.record import Record
from klvrelay.shape.marking import NO_LIMIT, Limit, Markings, RecordMarking
from klvrelay.shape.output import Output
from klvrelay.shape.payload import Payload
from klvrelay.shape.shaped_output import Decision, ShapedOutput

Reduction = Callable[[Sequence[Output]], Sequence[Output | None]]
"""What a budget leaves of outputs; None: nothing."""


class Due(NamedTuple):
    """A record that an output publishes now. Its payloads are made when it is sent."""

    shaped: ShapedOutput
    record: Record
    replayed: bool = False

    def payloads(self, now: float) -> list[Payload]:
        """May be empty: nothing changed."""
        found = self.shaped.payloads(self.record, now)
        return [payload._replace(replayed=True) for payload in found] if self.replayed else found


class Shaper:
    """The outputs of one sink, over all its connections.

    limit        of the sink as a whole: what no output may publish
    changeable   what of the outputs may change at run time; see `config.output_changes`
    on_change    is called after a change: there may be late records
    """

    def __init__(
        self,
        outputs: Sequence[Output],
        limit: Limit = NO_LIMIT,
        numbers: Numbers = "exact",
        changeable: Sequence[str] = (),
    ) -> None:
        self._outputs = [ShapedOutput(output, numbers) for output in outputs]
        self.changeable, self._numbers = changeable, numbers
        self.on_change: Callable[[], object] = lambda: None
        self._of_stream: dict[str, list[ShapedOutput]] = {}  # of streams for which outputs were changed
        self._changes: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._every = self._outputs
        self._reduction: Reduction = lambda outputs: outputs
        self._limit = limit
        self._compressed = [output.limit for output in outputs if output.compression == "zstd"]
        limits = (limit, *(output.limit for output in outputs))
        self._markings = Markings() if any(each.is_set for each in limits) else None

    def admits(self, record: Record) -> bool:
        """May the sink publish the record, whatever its outputs publish?"""
        mark = self._mark(record)
        return mark is None or self._limit.admits(mark)

    def is_open(self, record: Record) -> bool:
        """May all outputs that compress publish a record? Then it may be part of their common dictionary."""
        mark = self._mark(record)
        return mark is None or all(limit.admits(mark) for limit in self._compressed)

    def offer(self, record: Record, now: float, *, replayed: bool = False) -> tuple[list[Due], Decision]:
        """The outputs that publish a record now; the verdict says why there are none."""
        mark = self._mark(record)
        if mark is not None and not self._limit.admits(mark):
            return [], Decision.WITHHELD
        due, verdict = [], Decision.UNWANTED
        for shaped in self._of_stream.get(record.stream, self._outputs):
            found = shaped.decide(record, mark, now, replayed=replayed)
            if found > verdict:
                verdict = found
            if found is Decision.DUE:
                due.append(Due(shaped, record, replayed))
        return due, verdict

    def take_late(self, now: float) -> list[Due]:
        """The records that were held and are due now."""
        return [Due(shaped, record) for shaped in self._every for record in shaped.take_late(now)]

    @property
    def holds(self) -> bool:
        """Are there records that `take_late` may return later?"""
        return any(shaped.holds for shaped in self._every)

    @property
    def outputs(self) -> list[Output]:
        """The outputs as configured."""
        return [shaped.configured for shaped in self._outputs]

    def reduce(self, reduction: Reduction) -> None:
        """Publish what the reduction leaves of the outputs, until the next call; also of those that are changed later.
        """
        self._reduction = reduction
        for shaped, output in zip(self._outputs, reduction(self.outputs), strict=True):
            shaped.reshape(output)
        for own in self._of_stream.values():
            self._reduce_changed(own)

    def _reduce_changed(self, own: Sequence[ShapedOutput]) -> None:
        """Reduce the changed ones among the outputs of a stream."""
        left = self._reduction([shaped.configured for shaped in own])
        for shaped, usual, output in zip(own, self._outputs, left, strict=True):
            if shaped is not usual:
                shaped.reshape(output)

    def shaped(self, stream: str, name: str) -> ShapedOutput:
        """The output with this name, of a stream."""
        return next(each for each in self._of_stream.get(stream, self._outputs) if each.configured.name == name)

    def reset(self, now: float) -> None:
        """A new connection: the next records are full, and retained values are published again."""
        for shaped in self._every:
            shaped.reset(now)

    def release(self) -> None:
        """Everything that is held is due now."""
        for shaped in self._every:
            shaped.release()

    # ---- changes at run time ----

    @property
    def configured(self) -> dict[str, Output]:
        """The outputs of the settings, by name."""
        return {output.name: output for output in self.outputs}

    @property
    def changes(self) -> int:
        """Number of changed outputs, over all streams."""
        return len(self._changes)

    def change_of(self, stream: str, name: str) -> Mapping[str, Any]:
        """The values of an output that were changed for a stream."""
        return self._changes.get((stream, name), {})

    def changes_of(self, stream: str) -> dict[str, Mapping[str, Any]]:
        """These values, by output."""
        return {name: values for (of, name), values in self._changes.items() if of == stream}

    def change(self, stream: str, output: Output, values: Mapping[str, Any], now: float) -> None:
        """Use this output for a stream, in place of the one with the same name. Without values: that of the settings.

        A new output begins with full records.
        """
        place = [*self.configured].index(output.name)
        own = self._of_stream.setdefault(stream, [*self._outputs])
        old, own[place] = own[place], ShapedOutput(output, self._numbers) if values else self._outputs[place]
        self._changes.pop((stream, output.name), None)
        if values:
            self._changes[stream, output.name] = values
        elif own == self._outputs:
            del self._of_stream[stream]
        self._reduce_changed(own)
        if own[place] is not old:
            own[place].take_over(old.give_up(stream), now)
        changed = {id(each): each for each in self._outputs}
        self._every = [*(changed | {id(each): each for own in self._of_stream.values() for each in own}).values()]
        self.on_change()

    def restore(self, now: float) -> None:
        """Use the outputs of the settings for all streams."""
        for stream, name in [*self._changes]:
            self.change(stream, self.configured[name], {}, now)

    def _mark(self, record: Record) -> RecordMarking | None:
        """None if nothing depends on it."""
        return None if self._markings is None else self._markings.mark(record)
