"""Health of streams and sinks: states, counters and clocks. Each change of state is logged once.

    stream      state and outages of one stream
    rhythm      rate and gaps of its KLV
    clocks      KLV time against arrival time, PTS and PCR: offset, drift, steps
    diagnosis   why a stream has no KLV
    report      the health of a stream as a JSON document
    sink        state of one sink
    spool       faults of the disk of the spool
    loop        heartbeat of the event loop, and how late it is
    wall_clock  steps of the system clock
"""

from klvrelay.health.loop import LoopHealth
from klvrelay.health.sink import SinkHealth
from klvrelay.health.spool import SpoolHealth
from klvrelay.health.stream import StreamHealth

__all__ = ["LoopHealth", "SinkHealth", "SpoolHealth", "StreamHealth"]
