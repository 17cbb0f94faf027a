"""The rules of alerts with their default values. What each measures is in `klvrelay.alerts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
"""From the least."""

AlertSubject = Literal["stream", "sink", "relay"]


@dataclass(frozen=True, slots=True)
class RuleValues:
    """The values of a rule.

    id         its name in the settings
    subject    what it is evaluated for: each stream, each sink, or the relay
    unit       of the threshold
    threshold  the alert is pending while the value is above it (below it, if `below`); None: off until one is set
    clear      a raised alert is cleared once the value is not above this any longer
    hold       seconds for which the value must stay above the threshold
    rearm      seconds after a clear in which it is not raised again
    text       what it watches
    """

    id: str
    subject: AlertSubject
    text: str
    unit: str
    threshold: float | None
    clear: float | None
    hold: float
    severity: Severity
    rearm: float = 60.0
    below: bool = False


def _stream(
    name: str, text: str, unit: str, threshold: float | None, clear: float | None, hold: float, severity: Severity,
    *, below: bool = False, rearm: float = 60.0,
) -> RuleValues:  # fmt: skip
    return RuleValues(name, "stream", text, unit, threshold, clear, hold, severity, rearm, below)


def _sink(
    name: str, text: str, unit: str, threshold: float, clear: float, hold: float, severity: Severity
) -> RuleValues:
    return RuleValues(name, "sink", text, unit, threshold, clear, hold, severity)


def _relay(
    name: str, text: str, unit: str, threshold: float, clear: float, hold: float, severity: Severity,
    *, below: bool = False,
) -> RuleValues:  # fmt: skip
    return RuleValues(name, "relay", text, unit, threshold, clear, hold, severity, 60.0, below)


_MINUTE = "in the last minute"

RULES: tuple[RuleValues, ...] = (
    _stream("no_klv", "time without KLV while the stream is not live", "s", 5.0, 0.0, 5.0, "critical"),
    _stream("klv_rate", "KLV rate of the last 10 s as a share of the usual rate of this stream", "share",
            0.5, 0.7, 20.0, "warning", below=True),
    _stream("checksum", "share of KLV packets with a bad checksum, of the last 30 s",
            "share", 0.05, 0.01, 5.0, "warning"),
    _stream("transport", "errors of TR 101 290 priority 1 per second", "1/s", 2.0, 0.5, 10.0, "warning"),
    _stream("rtp_loss", "share of RTP packets that were lost", "share", 0.01, 0.002, 10.0, "warning"),
    _stream("srt_loss", "share of SRT packets that came too late, and were dropped",
            "share", 0.001, 0.0002, 10.0, "warning"),
    _stream("kernel_drops", "datagrams per second that the kernel dropped, since the socket buffer was full", "1/s",
            1.0, 0.1, 5.0, "warning"),
    _stream("clock_offset", "difference between KLV time and the system clock; not of recordings", "s",
            10.0, 5.0, 30.0, "warning"),
    _stream("clock_drift", "drift of KLV time against the system clock; not of recordings", "ppm",
            500.0, 200.0, 120.0, "info"),
    _stream("clock_step", f"largest step of KLV time against the system clock {_MINUTE}; not of recordings", "s",
            1.0, 0.5, 0.0, "warning"),
    _stream("packet_too_large", f"KLV packets above packet_limit {_MINUTE}", "packets", 0.0, 0.0, 0.0, "warning"),
    _stream("scrambled", "scrambled TS packets with KLV per second", "1/s", 0.0, 0.0, 10.0, "warning"),
    _stream("frozen", f"checked records that repeat an old state although bytes arrive, {_MINUTE}", "records",
            0.0, 0.0, 0.0, "critical"),
    _stream("frame_centre", f"checked records whose frame centre contradicts the slant range, {_MINUTE}", "records",
            5.0, 1.0, 0.0, "warning"),
    _stream("position_step", f"jumps of the position, faster than the platform's speed, {_MINUTE}", "records",
            0.0, 0.0, 0.0, "warning"),
    _stream("corners", f"checked records whose corners do not fit the frame centre, {_MINUTE}", "records",
            5.0, 1.0, 0.0, "warning"),
    _stream("below_ground", f"checked records with an altitude far below the ground, {_MINUTE}", "records",
            5.0, 1.0, 0.0, "warning"),
    _stream("time", f"checked records whose time is before 2000 or in the future, {_MINUTE}", "records",
            5.0, 1.0, 0.0, "warning"),
    _stream("position_zero", f"checked records with a position of exactly 0, 0, {_MINUTE}", "records",
            9.0, 1.0, 0.0, "warning"),
    _stream("altitude_above", "altitude of the platform above mean sea level; off without a threshold", "m",
            None, None, 2.0, "warning"),
    _stream("altitude_below", "altitude of the platform above mean sea level; off without a threshold", "m",
            None, None, 2.0, "warning", below=True),
    _sink("sink_down", "time for which the sink is not up", "s", 5.0, 0.0, 5.0, "critical"),
    _sink("backlog", "records that wait for the sink, as a share of the maximum", "share", 0.5, 0.25, 10.0, "warning"),
    _sink("backlog_age", "age of the oldest record that waits while the sink is up",
            "s", 60.0, 10.0, 10.0, "warning"),
    _sink("shedding", f"records shed {_MINUTE}, since too many wait", "records", 0.0, 0.0, 0.0, "critical"),
    _sink("refused_topic", "topics that the far end refuses", "topics", 0.0, 0.0, 5.0, "warning"),
    _sink("budget_last_step", "time for which the budget of the uplink is at its last step",
            "s", 30.0, 0.0, 0.0, "warning"),
    _sink("marking", f"records withheld {_MINUTE}, since their marking is above a maximum", "records",
          0.0, 0.0, 5.0, "warning"),
    _relay("relay_restarted", "time for which the relay did not run, killed or failed, in the first 5 minutes after the"
           " next start; with a state directory", "s", 0.0, 0.0, 0.0, "warning"),
    _relay("disk_space", "free share of the fullest disk that the relay writes to; 100 while 1 GiB is free", "%",
           5.0, 8.0, 30.0, "critical", below=True),
    _relay("spool_fault", "time for which the spool cannot be written", "s", 2.0, 0.0, 0.0, "critical"),
    _relay("wall_clock_step", f"largest step of the system clock {_MINUTE}", "s", 0.5, 0.25, 0.0, "warning"),
    _relay("loop_lag", f"longest delay of the relay's own work {_MINUTE}", "s", 1.0, 0.5, 0.0, "warning"),
    _relay("memory", "resident memory of the relay as a share of what the machine or its cgroup has", "share",
           0.8, 0.7, 30.0, "warning"),
)  # fmt: skip
"""All rules, in the order in which they are shown."""

GEOFENCE = "geofence"
"""Prefix of the ids of rules that [[geofence]] adds: geofence:NAME."""

BY_ID = {rule.id: rule for rule in RULES}
RULE_IDS = tuple(BY_ID)
