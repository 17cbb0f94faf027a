"""One measurement in a separate process, under the interpreter that runs this file: prints a line of JSON.

    PYTHON measured.py where             the folder of the checkout that klvrelay is imported from
    PYTHON measured.py lines FILE COUNT  a buffer of COUNT packets to JSON Lines: CPU seconds per packet
    PYTHON measured.py each FILE COUNT   decode() and json() of each packet: CPU seconds per packet
    PYTHON measured.py pyav FILE         libav demultiplexes the data stream of a TS file: number of KLV packets
    PYTHON measured.py live COUNT SECONDS RELAY_CORE OTHER_CORE
                                         live streams to a sink that counts: CPU share, records lost, delay

It uses only functions that older versions also have. `versions.py` starts it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

_TURN = 0.1
"""CPU seconds for which a call is repeated."""


def main(what: str, *words: str) -> None:
    print(json.dumps(_MEASUREMENTS[what](*words)))


def where() -> str:
    import klvrelay

    return str(Path(klvrelay.__file__).parents[2])


def lines(path: str, count: str) -> float:
    import klvrelay

    data = Path(path).read_bytes()
    return _least(lambda: klvrelay.json_lines(data)) / int(count)


def each(path: str, count: str) -> float:
    import klvrelay

    data, number = Path(path).read_bytes(), int(count)
    size = len(data) // number
    packets = [data[at : at + size] for at in range(0, len(data), size)]

    def one_by_one() -> None:
        for packet in packets:
            klvrelay.decode(packet)[0].json()

    return _least(one_by_one) / number


def pyav(path: str) -> int:
    import av

    options = {"probesize": "32768", "analyzeduration": "0"}
    with av.open(path, format="mpegts", options=options) as container:
        return sum(packet.size > 0 for packet in container.demux(container.streams.data))


def live(count: str, seconds: str, relay_core: str, other_core: str) -> dict[str, float]:
    sys.path[0] = where()  # the benchmarks of that checkout, not of this file's
    from benchmarks.live import Plan, to_nowhere

    outcome = to_nowhere(Plan(int(count), float(seconds), relay_core=int(relay_core), other_core=int(other_core)))
    return {"relay": outcome.relay, "lost": outcome.lost, "late": outcome.late}


def _least(call: Callable[[], object]) -> float:
    """CPU time of the fastest call; the first call is a warm-up."""
    call()
    found: list[float] = []
    while sum(found) < _TURN or len(found) < 3:
        begin = time.process_time()
        call()
        found.append(time.process_time() - begin)
    return min(found)


_MEASUREMENTS: dict[str, Callable[..., object]] = {
    "where": where,
    "lines": lines,
    "each": each,
    "pyav": pyav,
    "live": live,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
