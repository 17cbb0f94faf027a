"""Builds a relay from its settings, and runs it."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from klvrelay import threads
from klvrelay.alerts.running import prepare
from klvrelay.config.choice import Choice
from klvrelay.config.further_checks import Checks
from klvrelay.config.ports import check_ports
from klvrelay.config.settings import RECORD_SIZE, RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.web import WITHOUT_LIBRARY, WebSettings
from klvrelay.config.web_certificate import server_context
from klvrelay.errors import ConfigError
from klvrelay.recordings.limits import RecordingLimits
from klvrelay.relay.change import SettingsChange, difference
from klvrelay.relay.disk_spool import close_spool, open_spool
from klvrelay.relay.observers import Beside, reserved_state, run_observed
from klvrelay.relay.relay import Relay
from klvrelay.relay.settings_checks import (
    check_destination,
    check_geofence,
    check_log_file,
    check_spool,
    check_state,
)
from klvrelay.relay.sink_input import SinkInput
from klvrelay.relay.source_recording import SourceRecording
from klvrelay.relay.stream_input import StreamInput
from klvrelay.relay.withheld import WithheldLog
from klvrelay.shape.output import is_whole
from klvrelay.shape.presets import DEFAULTS
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.mqtt.budget.later import LaterSink
from klvrelay.sinks.mqtt.failover import FailoverSink
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.open import check_far_end, open_sink
from klvrelay.sources.contract import Source
from klvrelay.sources.files import faults as file_faults
from klvrelay.sources.open import is_isolated, open_source
from klvrelay.sources.web.resume import Resume
from klvrelay.spool.contract import Log

LOG = logging.getLogger("klvrelay.relay")

CONNECTING, STEPS = 10.0, 4
"""Seconds of an attempt to connect, and time-outs that it may take besides."""
LATER = ".later"
"""Ends the name of the second cursor of a sink."""
LOST = 8
"""Exit code: a sink did not confirm all records."""
NOT_ROUNDED = "offsets of corners, positions of EG 0104, nested sets that may have positions, unknown items"
"""What cannot be rounded to a grid."""
SEGMENT_MOST = 32.0
"""Seconds that a source may be silent beyond its timeouts: the longest segment of a live playlist."""


def open_input(settings: SourceSettings, resume: Resume | None = None) -> Source:
    """The source of one entry. Packets of a relayed file get the time at which they are read.

    One that is recorded yields its bytes, and no packets that the source itself finds in them.
    """
    if settings.record is not None:
        _check_recorded(settings)
    return open_source(
        settings.url,
        timeout=settings.timeout,
        interface=settings.interface,
        sender=settings.sender,
        ca_file=settings.ca_file,
        speed=settings.speed,
        loop=settings.loop,
        follow=settings.follow,
        demux=settings.demux if settings.record is None else None,
        isolate=settings.isolate,
        passphrase=settings.passphrase,
        packet_limit=settings.packet_limit,
        live_stamps=True,
        resume=resume,
    )


def _check_recorded(settings: SourceSettings) -> None:
    """Raise ConfigError if the bytes of a source cannot be recorded."""
    if (scheme := settings.url.scheme) in ("file", "rtsp", "rtsps"):
        raise ConfigError(f"record {scheme}: only MPEG-TS or KLV that is received live has bytes to record")
    if settings.demux != "native":
        raise ConfigError(f'record {settings.demux}: needs demux = "native"')


def _check_web(settings: WebSettings) -> None:
    """Raise ConfigError if the web server could not start, except for an address in use."""
    if find_spec("aiohttp") is None:
        raise ConfigError(f"http.listen: {WITHOUT_LIBRARY}")
    server_context(settings)


CHECKS = Checks(
    open_input, check_far_end, _check_web, check_geofence, check_destination, check_log_file, check_state, check_spool
)
"""Checks of the settings that connect to nothing, and make nothing."""


async def check_files(settings: RelaySettings) -> None:
    """Raise ConfigError for certificates or keys that cannot be used, before anything starts."""
    await threads.run(partial(_load_files, settings), "klvrelay-files")  # the file system may block


def _load_files(settings: RelaySettings) -> None:
    for source in settings.sources:
        if source.ca_file is not None:
            from klvrelay.transports.tls import client_context  # loaded here: few configurations need it

            client_context(source.ca_file)
    for sink in settings.sinks:
        for far_end in sink.brokers or (sink.far_end,):
            check_far_end(far_end)
    prepare(settings.alerts)
    if settings.spool is not None:
        _find_a_source(settings.sources, settings.spool.path, _cursors_of(settings.sinks))


def _find_a_source(sources: Sequence[SourceSettings], spool: Path, sinks: Sequence[str]) -> None:
    """Raise SourceDown if every source is a file that does not exist, and the spool has nothing to deliver: the relay
    would only leave an empty spool.
    """
    if any(source.url.scheme != "file" or Path(source.url.path).exists() for source in sources):
        return
    from klvrelay.spool.disk.backlog import has_backlog  # loaded here: it is rarely needed

    if not has_backlog(spool, sinks):
        raise file_faults.explain(sources[0].url, FileNotFoundError())


async def run_relay(settings: RelaySettings, *beside: Beside) -> int:
    """Relay until the sources end or the task is cancelled. Returns the exit code."""
    await check_files(settings)
    _inputs_of(settings)  # invalid sources are refused before folders are made
    async with reserved_state(settings) as state:
        return await _run_relay(settings, state, beside)


async def _run_relay(settings: RelaySettings, state: Path | None, beside: Sequence[Beside]) -> int:
    spool = await open_spool(settings)
    try:
        relay = build_relay(settings, spool)
    except ConfigError:
        await close_spool(spool)
        raise
    if spool is not None:
        spool.report_unused()
    if spool is None and any(source.url.scheme != "file" for source in settings.sources):
        LOG.info("records wait in memory only: records=%d advice=%r", settings.waiting, "on disk: --spool DIR")
    try:
        try:
            await run_observed(relay, settings, state, beside)
        finally:
            await close_spool(spool)
            LOG.info("%s", relay.summary())
    except asyncio.CancelledError:
        if not relay.lost:
            raise
    if relay.lost:
        LOG.error("records lost: %s", relay.losses)
    return relay.fault.exit_code if relay.fault is not None else LOST if relay.lost else 0


def age_of(settings: RelaySettings) -> float | None:
    """The maximum age of a waiting record."""
    return settings.age if settings.spool is None else settings.spool.age


def build_relay(settings: RelaySettings, log: Log | None = None) -> Relay:
    """A relay that is ready to run. Raises ConfigError for an invalid source."""
    inputs = _inputs_of(settings)
    boot = secrets.token_hex(3)
    sinks = [each for sink in settings.sinks for each in _sinks_of(sink, boot)]
    return Relay(
        list(inputs.values()), sinks, boot=boot, log=log, waiting=settings.waiting,
        waiting_size=settings.waiting_size, age=settings.age, coalesce=settings.coalesce,
    )  # fmt: skip


def change_of(old: RelaySettings, new: RelaySettings, boot: str) -> SettingsChange:
    """The change from one to the other, of the relay with this boot id. Raises ConfigError for an invalid source."""
    inputs = _inputs_of(new)
    sources, sinks = difference(_sources(old), _sources(new)), difference(_sinks(old), _sinks(new))
    return SettingsChange(
        [inputs[name] for name in sources.all_new],
        [each for sink in sinks.all_new.values() for each in _sinks_of(sink, boot)],
        sources.removed,
        tuple(name for name in _cursors_of(old.sinks) if name not in _cursors_of(new.sinks)),
        next((each.choice.taken for each in inputs.values()), frozenset()),
    )


def _sources(settings: RelaySettings) -> dict[str, SourceSettings]:
    return {name: replace(source, stream=name) for name, source in settings.named()}


def _sinks(settings: RelaySettings) -> dict[str, SinkSettings]:
    return {sink.name: sink for sink in settings.sinks}


def _inputs_of(settings: RelaySettings) -> dict[str, StreamInput]:
    """The inputs of all streams by name. Raises ConfigError."""
    check_ports(settings.sources)
    named = zip(settings.named(), settings.choices(), strict=True)
    return {name: _input_of(name, source, choice) for (name, source), choice in named}


def _sinks_of(settings: SinkSettings, boot: str) -> list[SinkInput]:
    """A sink, and with `budget_later` the one beside it that delivers what its budget left out."""
    _note_coarse(settings)
    shaper = shaper_of(settings)
    sink = open_sink(settings, shaper, boot)
    patience = _patience_of(settings)
    inputs = [SinkInput(settings.url, sink, settings.order, settings.replay_rate, settings.name, patience)]
    if settings.budget_later and isinstance(sink, MqttSink | FailoverSink):
        sink.send_later(next(filter(is_whole, settings.outputs or DEFAULTS)), settings.limit)
        later = LaterSink(lambda: sink.budget_outputs, settings.url)
        name = f"{settings.name}{LATER}"  # it waits for the connection of the other
        inputs.append(SinkInput(f"{settings.url} later", later, cursor=name, patience=math.inf))
    return inputs


def _patience_of(settings: SinkSettings) -> float:
    """Seconds in which an attempt to connect must end: a few time-outs for each broker that it tries."""
    far_ends: Sequence[object] = settings.brokers or (settings.far_end,)
    return CONNECTING + sum(STEPS * float(getattr(far_end, "timeout", 0.0)) for far_end in far_ends)


def _note_coarse(settings: SinkSettings) -> None:
    """Say what outputs with `coarse` leave out: nobody sees it in what they publish."""
    if names := ",".join(output.name for output in settings.outputs if output.coarse):
        LOG.info("coarse leaves out %s: sink=%s outputs=%s", NOT_ROUNDED, settings.name, names)


def _cursors_of(sinks: Iterable[SinkSettings]) -> list[str]:
    return [name for sink in sinks for name in (sink.name, *([f"{sink.name}{LATER}"] if sink.budget_later else []))]


def shaper_of(settings: SinkSettings) -> Shaper | None:
    """What shapes the records of a sink; None if an MQTT sink publishes all of them, with all items."""
    needed = settings.outputs or settings.limit.is_set or settings.set or settings.budget is not None
    if not needed and settings.mqtt is not None:
        return None
    shaper = Shaper(settings.published, settings.limit, settings.far_end.numbers, settings.set)
    shaper.on_withheld = WithheldLog(settings.name).note
    return shaper


def _input_of(name: str, source: SourceSettings, choice: Choice) -> StreamInput:
    """The input of one stream. Raises ConfigError."""
    if not source.stall > 0:
        raise ConfigError(f"stall {source.stall:g}: must be more than 0 seconds")
    open_input(source)  # opens nothing yet, but finds wrong schemes and options before anything starts
    resume = Resume()
    open_isolated = partial(open_input, replace(source, isolate=True), resume)
    isolated = is_isolated(source.url, source.isolate)
    return StreamInput(
        name,
        open_isolated if isolated else partial(open_input, replace(source, isolate=False), resume),
        str(source.url),
        # A live playlist delivers one segment at a time, with a pause before the next.
        source.stall + SEGMENT_MOST if source.url.path.endswith((".m3u8", ".m3u")) else source.stall,
        open_isolated,
        3 * source.timeout + SEGMENT_MOST,
        source.packet_limit,
        choice,
        None if source.record is None else partial(_recording_of, name, source),
    )


def _recording_of(name: str, source: SourceSettings) -> SourceRecording:
    age = math.inf if source.record_age is None else source.record_age
    limits = RecordingLimits(source.record_segment, RECORD_SIZE, source.record_total, age)
    return SourceRecording(str(source.record), name, limits)
