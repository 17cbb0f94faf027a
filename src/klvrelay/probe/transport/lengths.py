"""Compares PES_packet_length with the length of the PES packets (ISO/IEC 13818-1, 2.4.3.7)."""

from __future__ import annotations

from klvrelay.probe.metadata.series import Spread
from klvrelay.probe.transport.framer import TS, Rows

HEAD = 6
"""Bytes before those that PES_packet_length counts."""


class PesLengths:
    """Declared and actual sizes of the PES packets of one PID.

    short, long   PES packets that declare less, or more, than was received; `off`: by how many bytes
    """

    def __init__(self) -> None:
        self.short = self.long = 0
        self.off = Spread()
        self._declared_size = self._received_size = 0  # 0: not declared, or not to be checked
        self._counter = -1

    def take(self, rows: Rows) -> None:
        """Add TS packets of the PID, in order."""
        block = rows.tobytes()
        for at in range(0, len(block), TS):
            data = block[at : at + TS]
            if data[1] & 0x80 or data[3] & 0xC0:
                self._declared_size = 0
            elif data[3] & 0x10:
                self._packet(data)

    def skip(self) -> None:
        """TS packets are skipped here: do not check the current PES packet."""
        self._declared_size, self._counter = 0, -1

    def finish(self) -> None:
        """End of data: check the last packet, which may be incomplete."""
        if self._declared_size and self._received_size > self._declared_size:
            self._judge()
        self._declared_size = 0

    def _packet(self, data: bytes) -> None:
        counter, before = data[3] & 15, self._counter
        if counter == before:
            return  # a repeated packet
        self._counter = counter
        whole = before < 0 or counter == before + 1 & 15
        at = 5 + data[4] if data[3] & 0x20 else 4
        if data[1] & 0x40:
            if whole and self._declared_size:
                self._judge()
            head = data[at : at + HEAD]
            size = int.from_bytes(head[4:6]) if len(head) == HEAD and head[:3] == b"\0\0\1" else 0
            self._declared_size, self._received_size = (size + HEAD if size else 0), TS - at
        elif whole:
            self._received_size += TS - at
        else:
            self._declared_size = 0

    def _judge(self) -> None:
        self.short += self._declared_size < self._received_size
        self.long += self._declared_size > self._received_size
        if self._declared_size != self._received_size:
            self.off.add(abs(self._declared_size - self._received_size))
