"""The C core and the reference decoder side by side: the core's JSON read exactly, and its differences from the
reference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import reference
from reference_values import Real, same

LEFT_OUT = r"(\d+) more remarks left out"
FINEST = Fraction(1, 10**19)
"""The smallest step that is compared: that of 8 bytes over a range below a half."""
PARTS = ("set", "version", "time", "time_us", "quality", "items")


def core_json(raw: bytes, *, damaged: bool = False) -> bytes:
    """The record of one packet as the C core writes it."""
    from klvrelay import core

    return core.record_json(raw, core.head("uav1", None), 0, None, None, damaged)


def exact(document: bytes) -> dict[str, Any]:
    """JSON with its decimals as fractions; refuses duplicate keys and NaN."""
    loaded: dict[str, Any] = json.loads(
        document, parse_float=Fraction, parse_constant=_refused, object_pairs_hook=_once
    )
    return loaded


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError(f"a key comes twice in {[key for key, _ in pairs]}")
    return dict(pairs)


def both(raw: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The results of the reference and of the core for a packet, in the same form."""
    record = exact(core_json(raw))
    assert record["quality"].pop("transport") == "ok"
    return reference.decode(raw), {part: record[part] for part in PARTS}


def disagreement(raw: bytes) -> list[str]:
    """Every place where core and reference differ on one packet."""
    ours, theirs = both(raw)
    for record in (ours, theirs):
        record["quality"]["warnings"] = sorted(record["quality"].get("warnings", ()))
        record["quality"].setdefault("special", {})
    leave_out(ours["quality"], theirs["quality"])
    return list(differences(ours, theirs))


def leave_out(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """The core lists a limited number of warnings and counts the rest: drop as many here."""
    counts = [int(found[1]) for text in theirs["warnings"] if (found := re.fullmatch(LEFT_OUT, text))]
    if not counts:
        return
    theirs["warnings"] = [text for text in theirs["warnings"] if not re.fullmatch(LEFT_OUT, text)]
    specials = {path: name for path, name in ours["special"].items() if path in theirs["special"]}
    warnings = [text for text in ours["warnings"] if text in theirs["warnings"]]
    dropped = len(ours["special"]) - len(specials) + len(ours["warnings"]) - len(warnings)
    if counts == [dropped]:
        ours["special"], ours["warnings"] = specials, warnings


def differences(ours: Any, theirs: Any, path: str = "record") -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            if key in ours and key in theirs:
                yield from differences(ours[key], theirs[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}: only the {'reference' if key in ours else 'core'} has it"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for at, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(one, other, f"{path}[{at}]")
    elif not equal(ours, theirs):
        yield f"{path}: reference {shown(ours)}, core {shown(theirs)}"


def equal(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, Real):
        number = isinstance(theirs, Fraction) or type(theirs) is int
        return number and same(ours.value, Fraction(theirs), max(ours.step, FINEST))
    return type(ours) is type(theirs) and bool(ours == theirs)


def shown(value: Any) -> str:
    if isinstance(value, Real):
        return f"{decimal(value.value):.20g} (step {decimal(value.step):.3g})"
    return f"{decimal(value):.20g}" if isinstance(value, Fraction) else repr(value)


def decimal(value: Fraction) -> Decimal:
    """For a message: some numbers here do not fit in a float."""
    return Decimal(value.numerator) / Decimal(value.denominator)
