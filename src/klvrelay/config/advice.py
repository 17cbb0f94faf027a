"""Valid settings that together do what hardly anyone wants."""

from __future__ import annotations

from klvrelay.config.settings import RelaySettings
from klvrelay.text import printable


def advice(settings: RelaySettings, place: str) -> list[str]:
    """What the user should change, each on a line.

    A file is read as fast as it can be, and a budget leaves out what does not fit.
    """
    limited = [sink.name for sink in settings.sinks if sink.budget is not None]
    if not limited:
        return []
    return [
        f"{place}: source {printable(str(source.url))} has no speed, and sink {printable(limited[0])} a budget: the"
        " file does not wait for the budget, which leaves out most records; set speed = 1"
        for source in settings.sources
        if source.url.scheme == "file" and source.speed is None and not source.follow
    ]
