"""`klvrelay run` with parts of health, incidents and alerts switched off, for `health.py`.

    python -m benchmarks.health_relay OFF PORT COUNT BROKER FOLDER [HTTP [WINDOW]]

OFF is `-` or names of `SWITCHES` with commas. BROKER is a port, or 0 for a sink that only counts. At the end it prints,
as JSON, the records per stream that this sink received, and the longest delay of the event loop. WINDOW: see
`Attribution`, "1,10" for 10 s from 1 s after the first record.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.attribution import Attribution
from benchmarks.null_relay import Null
from klvrelay.alerts.running import Alerting
from klvrelay.cli.main import main as klvrelay
from klvrelay.health.board import Board
from klvrelay.health.lead_time import LeadTimes
from klvrelay.health.loop import LoopHealth
from klvrelay.incidents.ledger_service import Incidents
from klvrelay.relay import build
from klvrelay.relay.notices import Notices

_lags: list[float] = []


def main(off: str, port: str, count: str, broker: str, folder: str, http: str = "", window: str = "") -> None:
    for name in [] if off == "-" else off.split(","):
        SWITCHES[name]()
    sink = Null()
    if broker == "0":
        _replace(build, open_sink=lambda *_: sink)
    _note_lag()
    inside = Attribution(*(float(word) for word in window.split(","))) if window else None
    if inside is not None:
        inside.install()
    sources = [part for n in range(int(count)) for part in (f"udp://127.0.0.1:{int(port) + n}", "--stream", f"s{n}")]
    state = [] if "incidents" in off else ["--state", str(Path(folder) / "state")]
    web = ["--http", http] if http else []
    klvrelay(["run", "-q", *sources, "--mqtt", f"mqtt://127.0.0.1:{broker if broker != '0' else 1883}", *state, *web])
    document = {} if inside is None else inside.document()
    print(json.dumps({"seen": sink.seen, "lag": max(_lags, default=0.0), **document}))


def _note_lag() -> None:
    stop = LoopHealth.stop

    def noted(self: LoopHealth) -> None:
        _lags.append(self.lag_max_s)
        stop(self)

    _replace(LoopHealth, stop=noted)


def _replace(owner: Any, **members: Any) -> None:
    for name, value in members.items():
        setattr(owner, name, value)


async def _wait(_: object) -> None:
    await asyncio.Event().wait()


async def _return(*_: object) -> None:
    return None


def _nothing(*_: object) -> None:
    return None


def _no_documents(*_: object) -> Mapping[str, Any]:
    return {}


def _drop_health() -> None:
    put = Notices.put

    def put_others(self: Notices, notice: Any) -> None:
        if notice.kind != "health":
            put(self, notice)

    _replace(Notices, put=put_others)
    _replace(Board, stream_document=_no_documents, relay_document=_no_documents)


SWITCHES: dict[str, Callable[[], None]] = {
    "alerts": lambda: _replace(Alerting, run=_wait),
    "lead": lambda: _replace(LeadTimes, add=_nothing),
    "documents": _drop_health,
    "incidents": lambda: _replace(Incidents, begin=_return, beat=_nothing, end=_return),
    "heartbeat": lambda: _replace(LoopHealth, start=_nothing),
}
"""What switches each part off."""

if __name__ == "__main__":
    main(*sys.argv[1:])
