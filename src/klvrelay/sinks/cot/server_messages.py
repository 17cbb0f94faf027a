"""What a TAK server sends: events of others, which are discarded, and messages for the connection.

state      bytes                                    ends with
xml        ...<event ...>...</event>                the event that says `TakResponse status="true"`
protobuf   bf, length as a varint, message          -
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

EVENT_MOST = 64 << 10
"""Maximum bytes of an event that is read; longer ones are discarded."""
HEAD = 64
"""Bytes of a message in protocol buffers that are kept: its type is among them."""

_END = b"</event>"
_CONTROL = b"t-x-"  # begin of the types of messages for the connection
# A tag ends at the next < or >, so that no search reads a byte more than a few times, whatever a server sends.
_TAG = re.compile(rb"<event\s[^<>]*>")
_TYPE = re.compile(rb"\stype=[\"'](t-x-[\w-]{1,40})[\"']")
_UID = re.compile(rb"\suid=[\"']([\w.:-]{1,200})[\"']")
_OFFER = re.compile(rb"<TakProtocolSupport\s(?:[^<>]*\s)?version=[\"']1[\"']")
_ACCEPTED = re.compile(rb"<TakResponse\s(?:[^<>]*\s)?status=[\"']true[\"']")
_PING = b"\x0a\x07t-x-c-t"  # field 1 of an event, its type
_MAGIC = 0xBF
_LENGTH_MOST = 5

ServerNotice = Literal["ping", "offer", "accepted", "refused", "garbled"]


class ServerMessage(NamedTuple):
    """A message for the connection. uid: of the event."""

    notice: ServerNotice
    uid: str = ""


class ServerMessages:
    """Finds messages in the bytes of a server. Memory: at most `EVENT_MOST` and one read.

    "accepted"   what follows is in protocol buffers
    "garbled"    what follows is neither, and is discarded
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._is_protobuf = self._is_garbled = self._is_torn = False
        self._skipped = 0
        self._asked = False

    def request(self) -> None:
        """Protocol 1 was requested: an answer counts from now on."""
        self._asked = True

    def feed(self, data: bytes) -> Iterator[ServerMessage]:
        """The messages in the next bytes."""
        self._rest += data
        while not self._is_garbled:
            found = self._next_frame() if self._is_protobuf else self._next_event()
            if found is None:
                return
            yield from found
        self._rest.clear()

    def _next_event(self) -> list[ServerMessage] | None:
        """The messages of the next event, at most one; None: its end is not there yet."""
        end = self._rest.find(_END)
        if end < 0:
            if len(self._rest) > EVENT_MOST:
                self._is_torn = True
                del self._rest[: 1 - len(_END)]
            return None
        if _CONTROL not in self._rest:
            end = self._rest.rfind(_END)  # events of others only: skip them together
        event = bytes(self._rest[:end])
        del self._rest[: end + len(_END)]
        torn, self._is_torn = self._is_torn, False
        return [] if torn or _CONTROL not in event else self._of_event(event)

    def _of_event(self, event: bytes) -> list[ServerMessage]:
        tag = _TAG.search(event)
        kind = _TYPE.search(tag[0]) if tag else None
        match kind[1] if kind else b"":
            case b"t-x-c-t":
                return [ServerMessage("ping")]
            case b"t-x-takp-v" if _OFFER.search(event):
                uid = _UID.search(tag[0]) if tag else None
                return [ServerMessage("offer", uid[1].decode() if uid else "protouid")]
            case b"t-x-takp-r" if self._asked:
                self._asked = False
                self._is_protobuf = _ACCEPTED.search(event) is not None
                return [ServerMessage("accepted" if self._is_protobuf else "refused")]
        return []

    def _next_frame(self) -> list[ServerMessage] | None:
        if self._skipped:
            gone = min(self._skipped, len(self._rest))
            del self._rest[:gone]
            self._skipped -= gone
        if not self._rest:
            return None
        head = self._length()
        if head is None:
            return None
        size, begin = head
        if size < 0:
            self._is_garbled = True
            return [ServerMessage("garbled")]
        if len(self._rest) - begin < min(size, HEAD):
            return None
        kept = bytes(self._rest[begin : begin + min(size, HEAD)])
        self._skipped = begin + size
        return [ServerMessage("ping")] if _PING in kept else []

    def _length(self) -> tuple[int, int] | None:
        """Bytes of the next message, and where it begins; -1: there is none. None: more bytes are needed."""
        if self._rest[0] != _MAGIC:
            return -1, 0
        size = 0
        for at, byte in enumerate(self._rest[1 : 1 + _LENGTH_MOST]):
            size |= (byte & 0x7F) << 7 * at
            if byte < 0x80:
                return size, at + 2
        return None if len(self._rest) <= _LENGTH_MOST else (-1, 0)
