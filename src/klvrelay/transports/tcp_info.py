"""What the kernel counts of a TCP connection: TCP_INFO of Linux (struct tcp_info in linux/tcp.h).

offset  bytes  member
5       1      options: 1 time stamps, 2 SACK, 4 window scale
16      4      snd_mss
120     8      bytes_acked          since Linux 4.1, with 1 for the SYN
136     4      segs_out             since Linux 4.2
144     4      notsent_bytes        since Linux 4.6
148     4      min_rtt              microseconds, since Linux 4.6
200     8      bytes_sent           payload, with retransmissions, since Linux 4.19
208     8      bytes_retrans        since Linux 4.19

A kernel fills as much of the buffer as it knows. `bytes_sent` and the segments together are all that was sent.
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple, Self

SIZE = 256
"""Bytes to ask for: more than the newest kernel has."""
KNOWN = 216
"""Bytes that a kernel from Linux 4.19 on fills at least."""
_TIMESTAMPS, _TIMESTAMPS_SIZE = 1, 12
_TCP, _IP = 20, {socket.AF_INET: 20, socket.AF_INET6: 40}
_SYN = 1


class TcpInfo(NamedTuple):
    """The sending side of a connection.

    header       bytes of IP and TCP headers of each segment
    mss          payload bytes of a full segment
    sent         payload bytes that were sent, with retransmissions
    retransmitted   of these, the retransmissions
    acked        payload bytes that the peer has acknowledged
    unsent       bytes in the kernel that were not sent yet
    segments     segments that were sent, with those that only acknowledge
    min_rtt      shortest round trip in seconds
    """

    header: int
    mss: int
    sent: int
    retransmitted: int
    acked: int
    unsent: int
    segments: int
    min_rtt: float

    @classmethod
    def parse(cls, data: bytes, header: int) -> Self | None:
        """From the kernel's bytes. `header`: bytes of IP and TCP without options. None if the kernel is too old."""
        if len(data) < KNOWN:
            return None
        header += _TIMESTAMPS_SIZE if data[5] & _TIMESTAMPS else 0
        (mss,) = struct.unpack_from("=I", data, 16)
        (acked,) = struct.unpack_from("=Q", data, 120)
        segments, _, unsent, min_rtt = struct.unpack_from("=4I", data, 136)
        sent, retransmitted = struct.unpack_from("=2Q", data, 200)
        shortest = 0.0 if min_rtt == _NONE else min_rtt / 1e6
        return cls(header, mss, sent, retransmitted, max(0, acked - _SYN), unsent, segments, shortest)

    @property
    def on_wire(self) -> int:
        """All bytes that were sent, with the headers of IP and TCP."""
        return self.sent + self.segments * self.header

    @property
    def waiting(self) -> int:
        """Payload bytes that the peer has not acknowledged, sent or not."""
        return max(0, self.sent - self.retransmitted - self.acked) + self.unsent


_NONE = 0xFFFF_FFFF
"""min_rtt before the first measurement."""


def tcp_info(sock: socket.socket) -> TcpInfo | None:
    """The counts of a connection; None if the system does not have them, or the socket is closed."""
    if not hasattr(socket, "TCP_INFO") or sock.family not in _IP:
        return None
    try:
        data = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, SIZE)
    except OSError:
        return None
    return TcpInfo.parse(data, _TCP + _IP[sock.family])
