"""What a stream and a sink went through, counted and said once: it is called, and never calls back.

Next door: `relay.py` tells it what happened; `cli.py` prints the sums at the end.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from klvrelay.names import printable
from klvrelay.record import Packet, Record, Units

LOG = logging.getLogger("klvrelay")


@dataclass(slots=True)
class StreamHealth:
    """One stream's counters and whether it is there.

    online      packets arrive
    packets     pieces of transport that arrived, `size` their bytes
    records     KLV packets decoded; of these `bad` by checksum, `damaged` on the way
    dropped     what the source had to let go because the relay was too slow
    """

    name: str
    url: str
    online: bool = False
    packets: int = 0
    size: int = 0
    records: int = 0
    bad: int = 0
    damaged: int = 0
    dropped: int = 0
    last_packet: float = 0.0
    first_packet: float = 0.0
    born: float = field(default_factory=time.monotonic)
    _fault: str = ""
    _told_no_klv: bool = False

    def saw(self, packet: Packet | Units, now: float) -> bool:
        """Count a packet; true when the stream was offline until now."""
        self.packets += 1
        if isinstance(packet, Packet):
            self.size += len(packet.data)
        self.last_packet = now
        if self.online:
            return False
        self.online = True
        self.first_packet = now
        if self._fault:
            LOG.info("%s: back", self.name)
        else:
            LOG.info("%s: online, %s", self.name, self.url)
        self._fault = ""
        return True

    def decoded(self, record: Record) -> None:
        self.records += 1
        self.bad += record.checksum == "bad"
        self.damaged += record.transport != "ok"

    def silent(self, now: float, patience: float) -> bool:
        """Is it offline from now on, since nothing came for `patience` seconds?"""
        if not self.online or now - self.last_packet < patience:
            return False
        self.down(f"nothing received for {patience:g} s")
        return True

    def down(self, fault: str, *, again: bool = True) -> None:
        """The source is gone. The same fault is said once, not at each try."""
        self.online = False
        if fault != self._fault:
            hint = "; trying again" if again else ""
            LOG.warning("%s: %s%s", self.name, printable(fault), hint)
        self._fault = fault

    def ended(self, *, said: bool) -> None:
        """No more will come; what is wrong with that is said unless it was before."""
        self.online = False
        if not said and not self.records:
            LOG.warning("%s: ended, and no KLV was in it: %s carries no MISB metadata", self.name, self.url)

    def look_for_packets(self, now: float, patience: float) -> None:
        """Say once that a source which only listens has heard nothing at all."""
        if not self.packets and not self._fault and now - self.born > patience:
            self._fault = f"nothing received yet from {self.url}"
            LOG.warning("%s: %s: is anything sent there?", self.name, self._fault)

    def look_for_klv(self, now: float, patience: float) -> None:
        """Say once that a stream which is there carries no KLV."""
        if self.online and not self.records and not self._told_no_klv and now - self.first_packet > patience:
            self._told_no_klv = True
            LOG.warning(
                "%s: %.1f MB received and no KLV in it so far: does the encoder send metadata, on this programme?",
                self.name, self.size / 1e6,
            )  # fmt: skip


@dataclass(slots=True)
class SinkHealth:
    """One sink: up or down, how often it was lost, and for how long in all."""

    name: str
    up: bool = False
    ever_up: bool = False
    outages: int = 0
    away: float = 0.0
    too_large: int = 0
    _since: float = field(default_factory=time.monotonic)
    _fault: str = ""

    def connected(self, detail: str = "") -> None:
        lost = time.monotonic() - self._since
        if self.ever_up:
            self.away += lost
            LOG.info("%s: connected again after %.1f s%s", self.name, lost, detail)
        else:
            LOG.info("%s: connected%s", self.name, detail)
        self.up = self.ever_up = True
        self._fault = ""

    def down(self, fault: str) -> None:
        """It is gone, or not there yet. Said once an outage."""
        if self.up:
            self.outages += 1
            self._since = time.monotonic()
        self.up = False
        if fault != self._fault:
            LOG.warning("%s; trying again, records wait", printable(fault))
        self._fault = fault

    def left_out(self, fault: Exception) -> None:
        """A message that it never takes; said of the first, counted for the rest."""
        self.too_large += 1
        if self.too_large == 1:
            LOG.warning("%s; it is left out, and so will be others of that size", printable(str(fault)))
