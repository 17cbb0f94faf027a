"""Writes metrics in the text format of Prometheus, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterator

from klvrelay.web.metrics.family import Family, Sample, Value

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LABEL_MOST = 200
"""Maximum characters of the value of a label."""
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def labels(**values: str | None) -> str:
    """Labels as the format writes them; those whose value is None are left out."""
    pairs = ",".join(f'{name}="{escaped(value)}"' for name, value in values.items() if value is not None)
    return f"{{{pairs}}}" if pairs else ""


def escaped(value: str) -> str:
    """The value of a label. What is not UTF-8 is replaced."""
    text = value[:LABEL_MOST].translate(_ESCAPED)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def lines_of(family: Family) -> Iterator[str]:
    """The lines of a metric; none if it has no value."""
    head = f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind}\n"
    for sample in family.samples:
        if sample.value is not None:
            yield head + _line(family.name, sample)
            head = ""


def _line(name: str, sample: Sample) -> str:
    return f"{name}{sample.suffix}{sample.labels} {_number(sample.value)}\n"


def _number(value: Value) -> str:
    if isinstance(value, float):
        return repr(value) if value - value == 0 else "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
    return str(int(value or 0))
