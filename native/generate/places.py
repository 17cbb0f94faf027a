"""Which items hold a position: those that an output with coarse positions rounds or removes."""

from __future__ import annotations

import re

from native.generate.schema_values import pack_name
from native.spec import facts

_POSITION = re.compile(r"(^|_)(latitude|longitude|lat|lon|location|mgrs|ecef_position)(_|$)")
_HARMLESS = ("local_set:ST0102",)


def place(item: facts.Item) -> str:
    """"PLACE_LATITUDE", "PLACE_LONGITUDE": such a degree in 4 bytes. "PLACE_INSIDE": an item that holds a position in
    another form, or may hold one in its parts or bytes. "": any other.
    """
    head = item.kind.partition(":")[0]
    if item.kind in _HARMLESS:
        return ""
    if head in ("local_set", "series") or item.kind in ("bytes", "mdap"):
        return "PLACE_INSIDE"
    if head in ("dlp", "flp", "vlp"):
        return "PLACE_INSIDE" if _has_position(item) else ""
    if not _POSITION.search(item.key) or item.key.endswith(("_elevation", "_range", "range_to_recovery_location")):
        return ""
    if item.mapping != "linear_int" or item.len_max != 4:
        return "PLACE_INSIDE"
    return {90: "PLACE_LATITUDE", 180: "PLACE_LONGITUDE"}[int(item.max or 0)]


def _has_position(item: facts.Item) -> bool:
    return any(_POSITION.search(element.name) for element in facts.packs()[pack_name(item)])
