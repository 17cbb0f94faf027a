"""Runs the alerts of a relay: the engine, the topics and the destinations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from klvrelay import threads
from klvrelay.alerts.alert import Alert
from klvrelay.alerts.alert_file import AlertFile, KeptAlert, read_alerts
from klvrelay.alerts.destinations.notifier import Notifier
from klvrelay.alerts.destinations.open import check_destinations
from klvrelay.alerts.disks import DiskWatch
from klvrelay.alerts.downtime import Downtime
from klvrelay.alerts.engine import Alerts
from klvrelay.alerts.fence_checks import FenceRules, read_fence_rules
from klvrelay.alerts.rule import AlertRule
from klvrelay.alerts.stream_watch import load_metadata_checks
from klvrelay.alerts.topics import AlertTopics, PublishAlerts
from klvrelay.config.alerts import AlertsSettings
from klvrelay.config.settings import RelaySettings
from klvrelay.health.board import Board
from klvrelay.health.stream import StreamHealth

LAST_SENDING = 2.0
"""Maximum seconds in which destinations are notified that the relay stops."""


def prepare(settings: AlertsSettings) -> FenceRules:
    """Read the files of geofences, and check the destinations. It blocks. Raises ConfigError."""
    check_destinations(settings)
    return read_fence_rules(settings.geofences)


class Alerting:
    """The alerts of one relay. Build it off the event loop: it loads libraries.

    alerts    what is raised, and the rules
    notifier  the destinations, and their counts
    """

    def __init__(
        self, board: Board, settings: RelaySettings, publish: PublishAlerts, folder: Path | None = None,
        downtime: Downtime | None = None,
    ) -> None:  # fmt: skip
        """`publish`: see `PublishAlerts`. `folder`: the state directory; with `downtime` before this start."""
        self._board, self._file = board, AlertFile(folder)
        kept = [] if folder is None else read_alerts(folder)
        self._ended: list[Alert] = []
        disks = DiskWatch(written_paths(settings))
        self.alerts = Alerts(board, settings.alerts, fences=read_fence_rules(settings.alerts.geofences), disks=disks,
                             downtime=downtime, kept=[one.alert for one in kept])  # fmt: skip
        if settings.alerts.enabled:
            load_metadata_checks()
        self.notifier = Notifier(settings.alerts)
        for one in kept:
            self.notifier.resume(one.alert, one.notified)
        self._topics = AlertTopics(board.boot, publish, self.alerts.raised, self._names)
        self.alerts.listeners += [self.notifier.note, self._topics.note, self._file.note, self._note_end]
        self.alerts.checked += [self.notifier.check, self._topics.flush, self._update_file]
        board.stream_details.append(self._of_stream)
        board.relay_details.append(self._of_relay)
        board.ending.append(self._end)

    async def run(self) -> None:
        """Evaluate and notify, until cancelled."""
        self.notifier.start()
        try:
            await self.alerts.run()
        finally:
            await self.notifier.stop()

    async def apply(self, settings: RelaySettings) -> None:
        """Replace the settings. Raises ConfigError for files that became invalid since they were checked."""
        fences = await threads.run(partial(prepare, settings.alerts), "klvrelay-settings")
        self.alerts.apply(settings.alerts, fences)
        self.alerts.set_disks(written_paths(settings))
        await self.notifier.apply(settings.alerts)

    def _end(self) -> None:
        """The relay stops: end everything, on the topics too."""
        self.alerts.settings = replace(self.alerts.settings, enabled=False)
        self.alerts.stop()
        self._topics.end()

    def _note_end(self, alert: Alert, rule: AlertRule) -> None:
        if alert.ended and self._board.relay.state == "stopping":
            self._ended.append(alert)

    async def finish(self) -> None:
        """The relay has stopped: notify the destinations, in bounded time. What could not be sent stays in the file."""
        if self.alerts.settings.enabled:  # it failed
            self._end()
        await self.notifier.settle(LAST_SENDING)
        left = [KeptAlert(alert, names) for alert in self._ended if (names := self.notifier.notified(alert))]
        await self._file.close(left)

    def _update_file(self) -> None:
        self._file.update(self._kept, self.notifier.sent)

    def _kept(self) -> list[KeptAlert]:
        return [KeptAlert(alert, self.notifier.notified(alert)) for alert in self.alerts.raised()]

    def _names(self) -> list[str]:
        return [health.name for health in self._board.streams() if health.reported]

    def _of_stream(self, health: StreamHealth) -> Mapping[str, Any]:
        return {"alerts": [alert.rule for alert in self.alerts.raised_of("stream", health.name)]}

    def _of_relay(self) -> Mapping[str, Any]:
        others = (alert for alert in self.alerts.raised() if alert.subject != "stream")
        return {"alerts": [alert.place for alert in others]}


def written_paths(settings: RelaySettings) -> list[Path]:
    """Files and folders that the relay writes to."""
    spool = [] if settings.spool is None else [settings.spool.path]
    recordings = [source.record for source in settings.sources if source.record is not None]
    sinks = (getattr(sink.far_end, "path", None) for sink in settings.sinks if sink.kind.name == "files")
    state = getattr(settings, "state", None)
    log = [] if settings.log.file is None else [Path(settings.log.file).parent]
    found = [*spool, *recordings, *(Path(path) for path in sinks if path), *([Path(state)] if state else []), *log]
    return list(dict.fromkeys(found))
