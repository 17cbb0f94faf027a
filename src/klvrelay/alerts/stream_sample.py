"""What the rules measure of a stream: its health, taken once a second. Times are monotonic seconds."""

from __future__ import annotations

from klvrelay.alerts.clock_sample import ClockSample
from klvrelay.alerts.link_sample import LinkSample
from klvrelay.alerts.window import Counted
from klvrelay.health.stream import StreamHealth
from klvrelay.record import Record

STARTUP = 30.0
"""Seconds in which a stream that never had KLV is not reported."""
RATE_SPAN, CHECKSUM_SPAN = 10.0, 30.0
CHECKSUM_LEAST = 3
"""Least number of bad records in CHECKSUM_SPAN: a single one of a slow stream is a large share."""
RATE_LEAST = 0.5
"""Records per second below which a stream has no usual rate."""
LEARNING = 60.0
"""Seconds of KLV from which the usual rate is known."""
SETTLING = 300.0
"""Time constant of the usual rate, seconds."""


class StreamSample:
    """The latest values of one stream. `None`: not known, or of no meaning for it.

    is_recording  it is read from a file: its rate and its clock are not those of a live stream
    silent_s      seconds without KLV while it is not live, else 0
    rate          records per second of the last 10 s; `usual_rate`, smoothed over minutes; `rate_share`: their ratio
    bad_share     share of records with a bad checksum; `bad`, their number in the last 30 s
    findings      number of findings of the checks of the metadata in the last minute by id; `found`, the latest of each
    """

    def __init__(self, health: StreamHealth, now: float) -> None:
        self.name = health.name
        self.health = health
        self.is_recording = "://" not in health.url
        self.first = self.now = now
        self.silent_s: float | None = None
        self.rate: float | None = None
        self.usual_rate: float | None = None
        self.rate_share: float | None = None
        self.bad_share: float | None = None
        self.bad = 0
        self.link, self.clock = LinkSample(), ClockSample(health)
        self.record: Record | None = None
        self._rates, self._bad = Counted(RATE_SPAN), Counted(CHECKSUM_SPAN)
        self._live_since: float | None = None
        self.startup = STARTUP

    @property
    def ended(self) -> bool:
        return self.health.state == "ended"

    def take(self, now: float) -> None:
        """Take the present values of its health."""
        health, seconds, self.now = self.health, now - self.now, now
        is_live = health.state == "live"
        self.silent_s = 0.0 if is_live else self._silence(now)
        self._take_rate(now, seconds, is_live=is_live)
        self._bad.add(now, health.bad, health.records)
        self.bad, checked = self._bad.increase(0), self._bad.increase(1)
        self.bad_share = self.bad / checked if self.bad >= CHECKSUM_LEAST else 0.0 if checked else None
        self.link.take(health.link, now)
        self.clock.take(now, is_live=is_live, is_recording=self.is_recording)
        self.record = health.latest

    def _silence(self, now: float) -> float | None:
        health = self.health
        if not health.reported:
            return None
        if not health.outages:
            return now - self.first if now - self.first > self.startup else None
        seconds = health.away_so_far - health.away
        usual = health.rhythm.usual or 0.0
        return seconds if seconds > 3 * usual else None

    def _take_rate(self, now: float, seconds: float, *, is_live: bool) -> None:
        if not is_live or self.is_recording:
            self._live_since = self.rate = self.rate_share = None
            self._rates.clear()
            return
        if self._live_since is None:
            self._live_since = now
        self._rates.add(now, self.health.records)
        if self._rates.seconds < RATE_SPAN - 0.5:
            return
        self.rate = self._rates.increase() / self._rates.seconds
        usual = self.usual_rate
        if usual is None:
            self.usual_rate = self.rate
        else:
            self.usual_rate = usual + (self.rate - usual) * min(1.0, seconds / SETTLING)
            is_known = usual >= RATE_LEAST and now - self._live_since >= LEARNING
            self.rate_share = self.rate / usual if is_known else None
