"""When a raised alert of a geofence holds for another area than its text names."""

from __future__ import annotations

from collections.abc import Collection

UPDATE_EVERY = 10.0
"""Minimum seconds between two updates of an alert."""


class AreaChanges:
    """The areas that the texts of raised alerts name, by the id of the alert. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._named: dict[str, tuple[frozenset[str], float]] = {}

    def is_due(self, alert_id: str, areas: frozenset[str], now: float) -> bool:
        """Is one of the areas for which it holds now not in its text? If so, the text must be made again."""
        named, at = self._named.get(alert_id, (areas, now - UPDATE_EVERY))
        is_new = not areas <= named
        if is_new and now - at < UPDATE_EVERY:
            return False
        self._named[alert_id] = (areas, now) if is_new else (named & areas, at)
        return is_new

    def keep(self, alert_ids: Collection[str]) -> None:
        """Forget all other alerts."""
        if self._named:
            self._named = {alert_id: one for alert_id, one in self._named.items() if alert_id in alert_ids}
