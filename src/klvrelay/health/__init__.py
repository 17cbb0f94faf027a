"""Health of streams, sinks, spool and relay: states, counters and clocks. Each change of state is one event.

    board       the health of all parts, for those that observe it
    changes     a change of state, and those that receive it, such as the log
    causes      the causes of outages
    stream      state and outages of one stream
    rhythm      rate and gaps of its KLV
    clocks      KLV time against arrival time, PTS and PCR: offset, drift, steps
    diagnosis   why a stream has no KLV
    report      the health of a stream as a JSON document, for `link`
    documents   the health of a stream and of the relay, for `health`
    sink        state of one sink
    lead_time   from the arrival of a record to its confirmation; arrival_age: though the system clock is set
    spool       faults of the disk of the spool
    relay       state of the relay, and what its process uses
    loop        heartbeat of the event loop, and how late it is
    wall_clock  steps of the system clock
"""

from klvrelay.health.loop import LoopHealth
from klvrelay.health.sink import SinkHealth
from klvrelay.health.spool import SpoolHealth
from klvrelay.health.stream import StreamHealth

__all__ = ["LoopHealth", "SinkHealth", "SpoolHealth", "StreamHealth"]
