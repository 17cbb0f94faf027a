"""Reloads the settings of a running relay: on request, and if enabled whenever their files change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from klvrelay import threads
from klvrelay.backoff import Backoff
from klvrelay.config.log import LogSettings
from klvrelay.config.settings import RelaySettings
from klvrelay.config.small_file import Stamp, stamp_of
from klvrelay.config.web import WebSettings
from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.relay.build import age_of, change_of, check_files
from klvrelay.relay.change import SettingsChange
from klvrelay.relay.relay import Relay
from klvrelay.relay.supervise import Standing, supervise
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.relay")

WATCH = 1.0
"""Seconds between two checks of the files. A change is read once the files are the same at two checks."""
RUNTIME = ("waiting", "waiting_size", "age", "coalesce", "watch")
"""Settings of [relay] that change at run time; and of [spool], `age`."""
_PARTS = ("sources", "sinks", "alerts", "log", *RUNTIME)

Files = Mapping[str, Stamp | None]
"""The stamps of files by path."""
Loaded = tuple[RelaySettings, Files]
"""Settings, and the files from which they were read."""


@dataclass(frozen=True, slots=True)
class Reloads:
    """How settings are read again, and when.

    load       reads the settings, and may block; raises ConfigError
    files      files from which the current settings were read
    requested  is set to request a reload
    reloading  is entered while settings are read and applied, or refused
    change_log  changes the log to that of new settings, and may block; raises ConfigError
    """

    load: Callable[[], Loaded]
    files: Files = field(default_factory=dict)
    requested: asyncio.Event = field(default_factory=asyncio.Event)
    reloading: Callable[[], AbstractContextManager[None]] = nullcontext
    change_log: Callable[[LogSettings], None] = lambda _: None


class Reloader:
    """Applies changed settings to a relay. Invalid settings are refused as a whole, and the earlier ones stay.

    settings   the settings in effect
    """

    def __init__(self, relay: Relay, settings: RelaySettings, reloads: Reloads) -> None:
        self.settings = settings
        self._relay, self._reloads = relay, reloads
        self._files = reloads.files
        self._seen: Files = {}  # at the last check

    async def run(self) -> None:
        """Reload when requested, and when watched files change, until cancelled."""
        await supervise(
            self._serve, name="reload", backoff=Backoff(), standing=lambda: Standing.LASTING, down=self._note_failure
        )

    async def _serve(self, up: Callable[[], None]) -> None:
        up()
        while True:
            if await self._is_due():
                with self._reloads.reloading():
                    await self.reload()

    async def _is_due(self) -> bool:
        """Wait for a request or for the next check. Returns true if the settings must be read."""
        requested = self._reloads.requested
        try:
            async with asyncio.timeout(WATCH if self.settings.watch else None):
                await requested.wait()
        except TimeoutError:
            before, self._seen = self._seen, await self._look()
            return before == self._seen != self._files
        requested.clear()
        return True

    async def _look(self) -> Files:
        """The stamps of the files now."""
        paths = list(self._files)
        return await threads.run(lambda: {path: stamp_of(path) for path in paths}, "klvrelay-watch")

    async def reload(self) -> None:
        """Read the settings, and apply what has changed."""
        self._files = await self._look()
        try:
            settings, files = await threads.run(self._reloads.load, "klvrelay-settings")
            self._files = files
            await check_files(settings)
            await threads.run(partial(self._reloads.change_log, settings.log), "klvrelay-log")
            runtime = self._runtime_settings(settings)
            await self._apply(runtime, _lasting_keys(runtime, settings))
        except KlvrelayError as fault:
            faults = "; ".join(str(fault).split("\n"))
            LOG.error("settings not reloaded, the earlier ones stay in effect: %s", faults)
            self._publish("refused")

    async def _apply(self, settings: RelaySettings, lasting: Sequence[str]) -> None:
        old, relay = self.settings, self._relay
        # With hundreds of sources it would delay live records.
        change = await threads.run(partial(change_of, old, settings, relay.boot), "klvrelay-settings")
        await relay.apply(change)
        relay.restore()
        relay.set_limits(settings.waiting, settings.waiting_size, age_of(settings), settings.coalesce)
        for call in relay.on_reload:
            await call(settings)
        self.settings = settings
        changes = _describe(change, old, settings)
        if changes or not lasting:
            LOG.info("settings reloaded: %s", changes or "nothing changed")
        if lasting:
            LOG.warning("settings need a restart to take effect: keys=%s", ",".join(lasting))
        self._publish("applied" if changes else "unchanged", lasting)

    def _runtime_settings(self, settings: RelaySettings) -> RelaySettings:
        """The settings that can be applied now; the others keep their values. Raises ConfigError."""
        old, owner = self.settings, self._relay.owner
        if owner is not None and owner not in [sink.far_end.prefix for sink in settings.sinks]:
            raise ConfigError(
                f"sink.prefix: the spool is that of {owner!r}; to change the prefix, choose another spool.path, and"
                " restart"
            )
        lasting: dict[str, Any] = {f.name: getattr(old, f.name) for f in fields(old) if f.name not in _PARTS}
        if old.spool is not None and settings.spool is not None:
            lasting["spool"] = replace(old.spool, age=settings.spool.age)
        lasting["http"] = _with_access(old.http, settings.http)
        return replace(settings, **lasting)

    def _note_failure(self, fault: KlvrelayError) -> None:
        LOG.error("settings not reloaded: %s", fault)
        self._publish("failed")

    def _publish(
        self, result: Literal["applied", "unchanged", "refused", "failed"], lasting: Sequence[str] = ()
    ) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        restart = {"restart": list(lasting)} if lasting else {}
        self._relay.observation.publish_status(reload={"result": result, "time": now, **restart})


def _with_access(old: WebSettings | None, new: WebSettings | None) -> WebSettings | None:
    """The web server as it listens, with the new token and host names; unchanged if others could then reach it."""
    if old is None or new is None:
        return old
    changed = replace(old, token=new.token, hosts=new.hosts)
    return old if changed.fault() else changed


def _lasting_keys(runtime: RelaySettings, new: RelaySettings) -> list[str]:
    """The settings that are not in effect, as in the file."""
    keys: list[str] = []
    for f in fields(new):
        before, after = getattr(runtime, f.name), getattr(new, f.name)
        if before == after:
            continue
        if is_dataclass(before) and is_dataclass(after):
            keys += [f"{f.name}.{g.name}" for g in fields(before) if _differ(before, after, g.name)]
        else:
            keys.append(f.name if is_dataclass(before) or is_dataclass(after) else f"relay.{f.name}")
    return keys


def _differ(one: Any, other: Any, name: str) -> bool:
    return bool(getattr(one, name) != getattr(other, name))


def _describe(change: SettingsChange, old: RelaySettings, new: RelaySettings) -> str:
    """What a reload changes, as key=value."""
    before = {name for name, _ in old.named()}
    streams = [each.name for each in change.streams]
    groups = {
        "added": [name for name in streams if name not in before],
        "changed": [name for name in streams if name in before],
        "removed": change.gone_streams,
        "sinks": [each.key for each in change.sinks],
        "removed_sinks": change.gone_sinks,
        "settings": [
            *(key for key in (*RUNTIME, "alerts") if _differ(old, new, key)), *_changed_age(old, new),
            *_changed_log(old, new),
            *_changed_access(old, new),
        ],
    }  # fmt: skip
    return " ".join(f"{key}={printable(','.join(names))}" for key, names in groups.items() if names)


def _changed_age(old: RelaySettings, new: RelaySettings) -> list[str]:
    return ["spool.age"] if old.spool and new.spool and _differ(old.spool, new.spool, "age") else []


def _changed_access(old: RelaySettings, new: RelaySettings) -> list[str]:
    if old.http is None or new.http is None:
        return []
    return [f"http.{name}" for name in ("token", "hosts") if _differ(old.http, new.http, name)]


def _changed_log(old: RelaySettings, new: RelaySettings) -> list[str]:
    return [f"log.{f.name}" for f in fields(old.log) if _differ(old.log, new.log, f.name)]
