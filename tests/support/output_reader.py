"""Reads the JSON of an output on change as its documentation describes it, with none of klvrelay's code."""

from __future__ import annotations

import json
from typing import Any


class Reader:
    """Restores documents. `missed` counts partial ones that continue a document that did not arrive."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], dict[str, Any]] = {}
        self.missed = 0

    def read(self, payload: bytes) -> dict[str, Any] | None:
        """The full document; None if what it continues is not known."""
        document = json.loads(payload)
        key = document["stream"], document["set"]
        if not document.pop("full", True):
            earlier = self._known.get(key)
            after = document.pop("after", document["seq"] - 1)
            if earlier is None or (earlier["boot"], earlier["seq"]) != (document["boot"], after):
                self.missed += 1
                return None
            document["items"] = self._merged(earlier["items"], document["items"], document.pop("removed", []))
        self._known[key] = json.loads(json.dumps(document))
        return document

    def _merged(self, old: dict[str, Any], new: dict[str, Any], removed: list[str]) -> dict[str, Any]:
        unknown = {**old.get("unknown", {}), **new.get("unknown", {})}
        items = {key: value for key, value in {**old, **new}.items() if key not in removed and key != "unknown"}
        unknown = {tag: code for tag, code in unknown.items() if f"unknown.{tag}" not in removed}
        return {**items, "unknown": unknown} if unknown else items
