"""Sends live streams over UDP in real time, in a separate process: `python -m benchmarks.sender`.

Each datagram is sent when it is due; the streams have different phases, as cameras do. The time in a KLV packet is the
time of its datagram. At the end it prints, as JSON, the time of the first counted frame of each stream, and the delay
of the datagrams.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import time
from itertools import product

from benchmarks.stream import DATAGRAM, DATAGRAMS, FRAMES, Frame, frames

_PERIOD = 1 / FRAMES
_WORTH_A_SLEEP = 0.0003

Due = tuple[float, int, int, int]
"""(seconds into a frame period, stream, datagram, frames by which this stream is delayed)."""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True, help="port of the first stream; the others follow")
    parser.add_argument("--streams", type=int, required=True)
    parser.add_argument("--frames", type=int, required=True, help="frames to send on each stream")
    parser.add_argument("--warm-up", type=int, required=True, help="frames that are not counted")
    args = parser.parse_args()
    sender = Sender([_connect(args.port + n) for n in range(args.streams)], args.warm_up)
    sender.send(args.frames)
    print(json.dumps(sender.report()))
    return 0


class Sender:
    """Sends all streams in one loop."""

    def __init__(self, sockets: list[socket.socket], warm_up: int) -> None:
        self._sockets = sockets
        self._warm_up = warm_up
        self._cycle = frames()
        self._first_us = [0] * len(sockets)
        self._late: list[float] = []
        self._used = 0.0
        self._wall = 0.0

    def send(self, count: int) -> None:
        """Send `count` frames on each stream."""
        schedule = _schedule(len(self._sockets))
        sleep, clock = time.sleep, time.perf_counter
        used = time.process_time()
        begin = clock() + 0.05
        for number in range(count + 1):
            start = begin + number * _PERIOD
            for offset, stream, part, behind in schedule:
                frame = number - behind
                if not 0 <= frame < count:
                    continue
                due = start + offset
                if (ahead := due - clock()) > _WORTH_A_SLEEP:
                    sleep(ahead)
                if part == DATAGRAMS - 1:
                    self._late.append(clock() - due)
                    self._stamp(stream, frame)
                self._send(stream, self._cycle[frame % len(self._cycle)], part)
        self._used, self._wall = time.process_time() - used, clock() - begin

    def _stamp(self, stream: int, frame: int) -> None:
        now = time.time_ns() // 1000
        if frame == self._warm_up:
            self._first_us[stream] = now
        self._cycle[frame % len(self._cycle)].set_time(now)

    def _send(self, stream: int, frame: Frame, part: int) -> None:
        try:
            self._sockets[stream].send(memoryview(frame.data)[part * DATAGRAM : (part + 1) * DATAGRAM])
        except ConnectionRefusedError:
            sys.exit("the receiver no longer listens")

    def report(self) -> dict[str, object]:
        late = sorted(self._late)
        share = self._used / self._wall
        return {"first_us": self._first_us, "cpu": share, "late": late[len(late) * 99 // 100]}


def _schedule(streams: int) -> list[Due]:
    """When each datagram is due; the phases of the streams are spread over a frame period."""
    step = _PERIOD / DATAGRAMS
    pairs = product(range(streams), range(DATAGRAMS))
    times = ((part * step + stream * _PERIOD / streams, stream, part) for stream, part in pairs)
    return sorted((at % _PERIOD, stream, part, int(at // _PERIOD)) for at, stream, part in times)


def _connect(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(("127.0.0.1", port))
    return sock


if __name__ == "__main__":
    sys.exit(main())
