"""What runs beside a relay and observes it: the ledger of incidents, the alerts, and what the caller adds.

They read the board of its `Observation`, which is on the event loop of the relay, and publish through it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from klvrelay import threads
from klvrelay.alerts.downtime import Downtime
from klvrelay.alerts.running import Alerting
from klvrelay.config.settings import RelaySettings
from klvrelay.errors import ConfigError, describe_bug
from klvrelay.incidents.alive import LastBeat, RunEnd, read_alive
from klvrelay.incidents.earlier_run import message_of
from klvrelay.incidents.ledger_service import Incidents
from klvrelay.incidents.moment import MachineClock
from klvrelay.incidents.state_folder import StateFolder, state_path
from klvrelay.incidents.tracker import Key
from klvrelay.json_output import dumps
from klvrelay.relay.relay import Relay
from klvrelay.relay.tasks import cancel, finish
from klvrelay.sinks.contract import Notice

LOG = logging.getLogger("klvrelay.relay")

Beside = Callable[[Relay], Awaitable[None]]


@asynccontextmanager
async def reserved_state(settings: RelaySettings) -> AsyncIterator[Path | None]:
    """The state directory, reserved for this relay; None without one. Raises ConfigError if another relay uses it."""
    path = state_path(settings.state)
    if path is None:
        if any(source.url.scheme != "file" for source in settings.sources):
            LOG.info("incidents are kept in memory only: advice=%r", "to keep them over restarts: --state DIR")
        yield None
        return
    folder = await threads.run(partial(StateFolder, path), "klvrelay-state")
    try:
        yield path
    finally:
        folder.close()


async def run_observed(relay: Relay, settings: RelaySettings, folder: Path | None, beside: Sequence[Beside]) -> None:
    """Run the relay with its alerts, its ledger of incidents, and `beside`, which are cancelled at the end."""
    observation, limits = relay.observation, settings.incidents
    last = await _last_beat(folder)
    make = partial(_alerting, relay, settings, folder, None if folder is None else _downtime(last))
    alerting = await threads.run(make, "klvrelay-alerts")  # it may load libraries
    relay.incidents = incidents = Incidents(
        relay.board, folder, age=limits.age, size=limits.size, last=last, names=lambda: _names(settings)
    )
    incidents.publish_report = lambda report: observation.notices.put(Notice("report/daily", None, dumps(report)))
    if limits.set:
        observation.answer_requests(incidents.answer_request)
    await incidents.begin()
    relay.loop.on_beat += incidents.beat, observation.check_spool  # a disk that begins to fail is found soon
    how: RunEnd = "failed"
    try:
        await _run_all(relay, alerting, beside)
        how = "ended"
    except asyncio.CancelledError:
        how = "stopped"
        raise
    finally:
        # In another task: before Python 3.11.3, a timeout in a cancelled task raises CancelledError.
        await finish(asyncio.create_task(incidents.end(how), name="incidents end"))


def _alerting(relay: Relay, settings: RelaySettings, folder: Path | None, downtime: Downtime | None) -> Alerting:
    """The alerts of a relay."""
    alerting = Alerting(relay.board, settings, relay.observation.publish_alerts, folder, downtime)
    relay.alerting = alerting
    relay.on_reload.append(alerting.apply)
    return alerting


async def _run_all(relay: Relay, alerting: Alerting, beside: Sequence[Beside]) -> None:
    others = [asyncio.ensure_future(work) for work in (*(each(relay) for each in beside), alerting.run())]
    for task in others:
        task.add_done_callback(_report)
    try:
        await relay.run()
    finally:
        await finish(asyncio.create_task(alerting.finish(), name="alerts end"))
        await cancel(others)


def _report(task: asyncio.Future[None]) -> None:
    """Log why something beside the relay ended: the relay goes on without it."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        reason = str(fault) if isinstance(fault, ConfigError) else describe_bug(fault)
        LOG.error("a part of the relay ended: %s", reason)
def _downtime(last: LastBeat | None) -> Downtime:
    """The time before this start in which the relay should have run."""
    reason = message_of(last)
    if last is None or reason is None:
        return Downtime(0.0, "")
    return Downtime(MachineClock().now().seconds_since(last.at), reason.partition(": ")[2])


async def _last_beat(folder: Path | None) -> LastBeat | None:
    """The last sign of the run before."""
    return None if folder is None else await threads.run(partial(read_alive, folder), "klvrelay-state")


def _names(settings: RelaySettings) -> set[Key]:
    """The streams and sinks of the settings."""
    streams: set[Key] = {("stream", name) for name, _ in settings.named()}
    named: set[Key] = {("stream", name) for source in settings.sources for name in source.pids.values()}
    sinks: set[Key] = {("sink", sink.name) for sink in settings.sinks}
    return streams | named | sinks
