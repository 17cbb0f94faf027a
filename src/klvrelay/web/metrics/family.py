"""One metric: its name, type, help and labels, and where its values come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

MetricKind = Literal["counter", "gauge", "histogram"]
Value = float | int | bool | None


class Sample(NamedTuple):
    """One value. `labels` as `exposition.labels` writes them; `suffix`: `_bucket`, `_sum` or `_count`."""

    labels: str
    value: Value
    suffix: str = ""


class Family(NamedTuple):
    """A metric and its samples. A sample whose value is None is left out."""

    name: str
    kind: MetricKind
    help: str
    samples: Iterable[Sample]
