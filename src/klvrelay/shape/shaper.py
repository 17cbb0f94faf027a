"""All outputs of a sink: what they publish of each record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from klvrelay.json_output import Numbers
from klvrelay.record import Record
from klvrelay.shape.marking import NO_LIMIT, Gate, Limit, Markings, RecordMarking
from klvrelay.shape.output import Output, is_exact
from klvrelay.shape.payload import Payload
from klvrelay.shape.shaped_output import Decision, Due, ShapedOutput

Reduction = Callable[[Sequence[Output]], Sequence[Output | None]]
"""What a budget leaves of outputs; None: nothing."""


class Shaper:
    """The outputs of one sink, over all its connections.

    limit        of the sink as a whole: what no output may publish
    changeable   what of the outputs may change at run time; see `config.output_changes`
    on_change    is called after a change: there may be late records
    withheld     how often each output has withheld a record; one that is offered again counts again
    on_withheld  is called for each record that an output withholds: its name ("": all), the stream, marking and limit
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
        self.on_withheld: Callable[[str, str, RecordMarking, Limit], object] = lambda *_: None
        self.withheld: Counter[str] = Counter()
        self._of_stream: dict[str, list[ShapedOutput]] = {}  # of streams for which outputs were changed
        self._changes: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._every = self._outputs
        self._reduction: Reduction = lambda outputs: outputs
        self._gate = Gate(limit)
        compressed = [output for output in outputs if output.compression == "zstd"]
        self._compressed = [output.limit for output in compressed]
        self._coarsest = max((output.coarse for output in compressed), default=0.0)
        limits = (limit, *(output.limit for output in outputs))
        self._markings = Markings() if any(each.is_set for each in limits) else None

    def admits(self, record: Record) -> bool:
        """May the sink publish the record, whatever its outputs publish?"""
        mark = self._mark(record)
        return mark is None or self._gate.admits(mark)

    def decide_rejected(self, record: Record) -> Decision:
        """Whether to publish a damaged record as it is: only if an output may publish its stream exactly as it is."""
        wanting = [each.configured for each in self._outputs if each.configured.wants(record.stream)]
        if not self.admits(record):
            return Decision.WITHHELD
        if not wanting:
            return Decision.UNWANTED
        return Decision.DUE if any(is_exact(output) for output in wanting) else Decision.WITHHELD

    def is_open(self, payload: Payload) -> bool:
        """May all outputs that compress publish a payload? Then it may be part of their common dictionary."""
        if payload.output.coarse < self._coarsest:
            return False
        mark = self._mark(payload.record)
        return mark is None or all(limit.admits(mark) for limit in self._compressed)

    def offer(self, record: Record, now: float, *, replayed: bool = False) -> tuple[list[Due], Decision]:
        """The outputs that publish a record now; the verdict says why there are none."""
        mark = None if self._markings is None else self._markings.mark(record)
        if mark is not None and not self._gate.admits(mark):
            self.on_withheld("", record.stream, mark, self._gate.limit)
            return [], Decision.WITHHELD
        due: list[Due] = []
        verdict = Decision.UNWANTED
        for shaped in self._of_stream.get(record.stream, self._outputs) if self._of_stream else self._outputs:
            found = shaped.offer(record, mark, now, due, replayed=replayed)
            shaped.counts[found] += 1
            if found > verdict:
                verdict = found
            if found is Decision.WITHHELD and mark is not None:
                self.withheld[shaped.output.name] += 1
                self.on_withheld(shaped.output.name, record.stream, mark, shaped.output.limit)
        return due, verdict

    def take_late(self, now: float) -> list[Due]:
        """The records that were held and are due now."""
        return [due for shaped in self._every for due in shaped.take_late(now)]

    def document(self) -> dict[str, Any]:
        """The outputs of the settings by name: what they published so far, and what the budget leaves of them now."""
        return {shaped.configured.name: _figures(shaped) for shaped in self._outputs}

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
        own[place].counts = self._outputs[place].counts
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


def _figures(shaped: ShapedOutput) -> dict[str, Any]:
    published = shaped.published
    left = "nothing" if published is None else "all" if published == shaped.configured else "less"
    _, thinned, withheld, due = shaped.counts
    return {"published": due, "thinned": thinned, "withheld": withheld, "left": left}
