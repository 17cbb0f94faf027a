"""What each rule measures, and how its alerts are worded. The values are in `klvrelay.config.alert_rules`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from klvrelay.alerts.metadata_checks import altitude_of, found_advice, found_count, found_text
from klvrelay.alerts.relay_sample import RelaySample
from klvrelay.alerts.rule import RuleMeaning
from klvrelay.alerts.sink_sample import SinkSample
from klvrelay.alerts.stream_sample import StreamSample
from klvrelay.text import counted, printable

NAMES_MOST = 5
"""Maximum number of names in a text."""
Text = str | Callable[[Any, float], str]


def _meaning(
    measure: Callable[[Any], float | None], text: Text, advice: Text, *, is_age: bool = False, is_state: bool = False
) -> RuleMeaning:
    """`is_age`: the value is the time since it left its normal range. `is_state`: it is normal again since the state of
    the health began.
    """
    began = (lambda sample, value: value) if is_age else (lambda sample, value: 0.0)
    over = (lambda sample: sample.now - sample.health.since) if is_state else (lambda sample: 0.0)
    return RuleMeaning(measure, _words(text), _words(advice), began, over)


def _words(text: Text) -> Callable[[Any, float], str]:
    """A text may contain {value} and {share}."""
    if not isinstance(text, str):
        return text
    return lambda sample, value: text.format(value=f"{value:.6g}", share=f"{100 * value:.3g} %")


def _magnitude(value: float | None) -> float | None:
    return None if value is None else abs(value)


def _list(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_MOST} more" if len(names) > NAMES_MOST else ""
    return ", ".join(printable(name) for name in names[:NAMES_MOST]) + more


def _no_klv(sample: StreamSample, value: float) -> str:
    health = sample.health
    stale = _STALE.get(health.cause or "source", "nothing is received") if health.state == "stale" else ""
    reason = stale or printable(health.reason)
    return f"no KLV for {value:.1f} s{f': {reason}' if reason else ''}"


_STALE = {"klv": "bytes are received, but no KLV", "transport": "what is received is damaged"}
"""Why a stream is stale, by cause. Its own reason has the time-out of the state, which is not the time of the alert."""


def _no_klv_advice(sample: StreamSample, value: float) -> str:
    health = sample.health
    cause = health.cause or ("klv" if health.without_klv else "source")
    return {
        "source": "Check that the sender is running, and the network between it and this machine.",
        "network": "Check the network between the sender and this machine, and firewalls on the way.",
        "transport": "The transport stream is damaged: check the radio link, and what re-multiplexes the stream.",
        "klv": "Video arrives without metadata: check the connection of the autopilot and the gimbal to the encoder.",
        "clock": "A certificate is not valid at the time of this machine: set its clock.",
    }.get(cause, "See the reason; `klvrelay probe` shows what the source sends.")


def _offset(sample: StreamSample, value: float) -> str:
    side = "ahead of" if (sample.clock.offset or 0.0) < 0 else "behind"
    return f"KLV time is {value:.3f} s {side} the system clock"


def _step(sample: StreamSample, value: float) -> str:
    return f"KLV time stepped by {sample.clock.step or 0.0:+.3f} s against the system clock"


def _disk(sample: RelaySample, value: float) -> str:
    disk = sample.disk
    where = "" if disk is None else f" on the disk of {printable(disk.path)} ({disk.free >> 20} MiB)"
    return f"{value:.1f} % free{where}"


def _sink_down(sample: SinkSample, value: float) -> str:
    reason = printable(sample.health.reason) or sample.health.state
    return f"sink {sample.health.state} for {value:.1f} s: {reason}"


STREAM_MEANINGS: Mapping[str, RuleMeaning] = {
    "no_klv": _meaning(lambda s: s.silent_s, _no_klv, _no_klv_advice, is_age=True, is_state=True),
    "klv_rate": _meaning(
        lambda s: s.rate_share,
        lambda s, value: f"{s.rate or 0:.3g} KLV packets/s, {100 * value:.0f} % of the usual {s.usual_rate or 0:.3g}/s",
        "Check the encoder's load and the link: KLV packets are missing, or the encoder sends fewer.",
    ),
    "checksum": _meaning(
        lambda s: s.bad_share,
        lambda s, value: f"{100 * value:.3g} % of KLV packets have a bad checksum ({s.bad} in the last 30 s)",
        "Bytes are damaged on the way, or the encoder computes a wrong checksum: `klvrelay probe` shows which.",
    ),
    "transport": _meaning(
        lambda s: s.link.transport_rate, "{value} transport errors per second (TR 101 290 priority 1)",
        "Check the radio link and the network: TS packets are lost. `klvrelay probe` lists the errors by kind.",
    ),
    "rtp_loss": _meaning(
        lambda s: s.link.rtp_share, "{share} of RTP packets are lost",
        "Check the network on the way; use SRT, or FEC at the sender, over a network with losses.",
    ),
    "srt_loss": _meaning(
        lambda s: s.link.srt_share, "{share} of SRT packets came too late and were dropped",
        "Set a larger latency at the sender and in the srt:// URL, at least four round-trip times.",
    ),
    "kernel_drops": _meaning(
        lambda s: s.link.kernel_rate, "the kernel dropped {value} datagrams per second",
        "Raise net.core.rmem_max (sysctl), and see whether the machine has enough processor time.",
    ),
    "clock_offset": _meaning(
        lambda s: _magnitude(s.clock.distance), _offset,
        "Compare both clocks with NTP or GPS. Set the encoder's clock in UTC, not in local time.",
    ),
    "clock_drift": _meaning(
        lambda s: _magnitude(s.clock.drift), "KLV time drifts by {value} ppm against the system clock",
        "Discipline the encoder's clock by GPS, NTP or PTP, and see that NTP runs on this machine.",
    ),
    "clock_step": _meaning(
        lambda s: _magnitude(s.clock.step), _step,
        "The encoder's clock was set, or it restarted: times before and after are not comparable.",
    ),
    "packet_too_large": _meaning(
        lambda s: s.link.too_large,
        lambda s, value: f"{counted(round(value), 'KLV packet')} above packet_limit skipped",
        "Set a larger packet_limit for this source if such packets are expected.",
    ),
    "scrambled": _meaning(
        lambda s: s.link.scrambled_rate, "{value} scrambled KLV packets per second",
        "Send the metadata in the clear, or descramble the stream before klvrelay receives it.",
    ),
    "frozen": _meaning(lambda s: found_count(s, "frozen"), found_text("frozen"), found_advice("frozen")),
    "frame_centre": _meaning(
        lambda s: found_count(s, "frame_centre"), found_text("frame_centre"), found_advice("frame_centre")
    ),
    "position_step": _meaning(
        lambda s: found_count(s, "position_step"), found_text("position_step"), found_advice("position_step")
    ),
    "corners": _meaning(lambda s: found_count(s, "corners"), found_text("corners"), found_advice("corners")),
    "below_ground": _meaning(
        lambda s: found_count(s, "below_ground"), found_text("below_ground"), found_advice("below_ground")
    ),
    "time": _meaning(lambda s: found_count(s, "time"), found_text("time"), found_advice("time")),
    "position_zero": _meaning(
        lambda s: found_count(s, "position_zero"), found_text("position_zero"), found_advice("position_zero")
    ),
    "altitude_above": _meaning(
        altitude_of, "the platform is at {value} m above mean sea level", "Inform the pilot, or change the threshold."
    ),
    "altitude_below": _meaning(
        altitude_of, "the platform is at {value} m above mean sea level", "Inform the pilot, or change the threshold."
    ),
}
SINK_MEANINGS: Mapping[str, RuleMeaning] = {
    "sink_down": _meaning(
        lambda s: s.down_s, _sink_down,
        "Check that the far end is running and can be reached, and its login. Records wait meanwhile.", is_age=True,
        is_state=True,
    ),
    "backlog": _meaning(
        lambda s: s.waiting_share,
        lambda s, value: f"{s.health.sums.waiting} records wait, {100 * value:.0f} % of the maximum",
        "The far end is away or too slow: at 100 % the oldest records are shed. Use a spool (--spool DIR), or outputs"
        " with fewer records.",
    ),
    "backlog_age": _meaning(
        lambda s: s.oldest_s,
        lambda s, value: f"the oldest of {s.health.sums.waiting} waiting records is {value:.0f} s old",
        "The far end is slower than the streams, or catches up after an outage: wait, or publish fewer records.",
        is_age=True,
    ),
    "shedding": _meaning(
        lambda s: s.shed, lambda s, value: f"{counted(round(value), 'record')} shed in the last minute: too many wait",
        "Records are lost for this sink. Bring the far end back, use a spool (--spool DIR), or raise relay.waiting.",
    ),
    "refused_topic": _meaning(
        lambda s: float(len(s.refused)), lambda s, value: f"the far end refuses {_list(s.refused)}",
        "Allow the user of this sink to publish on these topics (access list of the broker).",
    ),
    "budget_last_step": _meaning(
        lambda s: s.last_step_s, "the budget of the uplink has been at its last step for {value} s",
        "Only urgent outputs are sent: raise the budget, lower the rates of outputs, or reduce the number of streams.",
        is_age=True,
    ),
    "marking": _meaning(
        lambda s: s.withheld,
        lambda s, value: f"{counted(round(value), 'record')} withheld in the last minute because of their marking"
        f" (outputs: {_list(s.withheld_outputs) or 'all'})",
        "If the marking is right, the output must not have these records. If not, correct the marking at the encoder.",
    ),
}
def _restarted(sample: RelaySample, value: float) -> str:
    reason = "" if sample.downtime is None else f": {sample.downtime.reason}"
    return f"the relay did not run for {value:.1f} s{reason}"


RELAY_MEANINGS: Mapping[str, RuleMeaning] = {
    "relay_restarted": RuleMeaning(
        lambda s: s.down_s, _restarted,
        _words("Records of this time may be missing. See the log of the time before it: memory, power, the machine."),
        lambda s, value: value + s.now - s.first,
    ),
    "disk_space": _meaning(
        lambda s: s.free_percent, _disk,
        "Delete files, or lower spool.size, record_total or the limits of log and file sinks.",
    ),
    "spool_fault": _meaning(
        lambda s: s.spool_s,
        lambda s, value: f"the spool can't be written for {value:.1f} s: {printable(s.board.spool.fault or '')}",
        "Records wait in memory only: free the disk, or repair it.", is_age=True,
    ),
    "wall_clock_step": _meaning(
        lambda s: abs(s.wall_step), lambda s, value: f"the system clock was set by {s.wall_step:+.3f} s",
        "See that NTP or PTP runs, and that nothing else sets the clock. Durations of the relay are not affected.",
    ),
    "loop_lag": _meaning(
        lambda s: s.lag_s, "the relay's own work was delayed by {value} s",
        "The machine is overloaded, or was suspended: give it more processor time, or use fewer streams.",
    ),
    "memory": _meaning(
        lambda s: s.memory_share, "the relay uses {share} of the memory",
        "Lower relay.waiting_size, use a spool, or give the machine or its cgroup more memory.",
    ),
}  # fmt: skip
MEANINGS: Mapping[str, RuleMeaning] = {**STREAM_MEANINGS, **SINK_MEANINGS, **RELAY_MEANINGS}
