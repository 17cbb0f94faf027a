"""What streams and sinks went through: states, counts, clocks, each change said once. It is called, and never calls
back.

    stream.py   one stream: connecting, waiting, live, stale, down; its outages and how long each took
    rhythm.py   how often its KLV comes, and where it paused
    clocks.py   KLV time against arrival, PTS and PCR: offset, drift, jumps
    report.py   all of it as one JSON document
    sink.py     one sink: up or down

Next door: `intake.py` and `outlet.py` tell it what happened.
"""

from klvrelay.health.sink import SinkHealth
from klvrelay.health.stream import StreamHealth

__all__ = ["SinkHealth", "StreamHealth"]
