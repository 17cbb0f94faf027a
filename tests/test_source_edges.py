"""Wrap-arounds, limits from both sides and races of sources and senders."""

from __future__ import annotations

import os
import socket
import struct
from itertools import pairwise
from types import SimpleNamespace

import pytest

from klvrelay.config.url import Url
from klvrelay.recordings.segment_names import RecordedSegment
from klvrelay.sending.udp import UdpDestination
from klvrelay.sources.datagrams import multicast
from klvrelay.sources.files import growing
from klvrelay.sources.files.growing import _Folder
from klvrelay.sources.files.written import WrittenFile
from klvrelay.sources.libav.rfc6597 import Track
from klvrelay.sources.srt.source import TOGETHER_US, _Inbox
from klvrelay.sources.web.position import HEADS, REMEMBERED, Position
from klvrelay.transports import srt as srt_line
from klvrelay.transports.libsrt import ConnectionLost, Option, SrtMessage
from klvrelay.transports.srt import SrtSettings

KEY = bytes.fromhex("060e2b34020b01010e01030101000000")
IP_MULTICAST_ALL = 49


def test_numbers_and_time_of_a_sent_stream_wrap():
    """RTP numbers have 16 bits and its time 32: a sender continues past both, one more each."""
    line = UdpDestination(Url.parse("rtp://127.0.0.1:5000"), timeout=1)
    heads = [struct.unpack(">HHII", line.frame(b"x", number)[:12]) for number in range(0, 70_000)]
    numbers, ticks = [head[1] for head in heads], [head[2] for head in heads]

    assert all((after - before) % 65536 == 1 for before, after in pairwise(numbers))
    assert all((after - before) % (1 << 32) == 90_000 for before, after in pairwise(ticks))
    assert any(after < before for before, after in pairwise(ticks))


def test_a_socket_gets_only_the_group_that_it_joined():
    """Otherwise the kernel would also deliver groups that other programs of the machine joined on other networks."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        before = sock.getsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL)
        multicast.join(sock, multicast.ipaddress.ip_address("239.7.7.7"), "lo", [])

        assert before == 1
        assert sock.getsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL) == 0


class FakeLine:
    """A libsrt connection with messages that were received."""

    now_us = 0

    def __init__(self, *messages: SrtMessage) -> None:
        self.messages = list(messages)
        self.options: dict[Option, object] = {}

    def receive(self) -> SrtMessage | None:
        return self.messages.pop(0) if self.messages else None

    def set(self, option: Option, value: object) -> None:
        self.options[option] = value


LAST = (1 << 31) - 1


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        ([LAST - 1, LAST, 0, 1], [b"abcd"]),
        ([LAST, 1], [b"a", b"", b"b"]),
        ([LAST, 0, 2], [b"ab", b"", b"c"]),
    ],
    ids=["wraps", "lost behind the wrap", "lost later"],
)
def test_srt_numbers_wrap_without_a_loss(numbers, found):
    """31 bits: 0 follows the last one, and only a missing number is a loss."""
    messages = [SrtMessage(b"abcd"[n : n + 1], number, 0) for n, number in enumerate(numbers)]
    inbox = _Inbox(FakeLine(*messages))  # type: ignore[arg-type]
    inbox.fetch()
    pieces = list(inbox.pieces())

    assert [piece.data for piece in pieces] == found
    assert [piece.damaged for piece in pieces] == [not data for data in found]


@pytest.mark.parametrize(("apart", "count"), [(TOGETHER_US, 1), (TOGETHER_US + 1, 2)])
def test_messages_due_together_make_one_packet(apart, count):
    """Up to ten milliseconds apart, and no more."""
    inbox = _Inbox(FakeLine(SrtMessage(b"a", 5, 0), SrtMessage(b"b", 6, apart)))  # type: ignore[arg-type]
    inbox.fetch()

    assert len(list(inbox.pieces())) == count


@pytest.mark.parametrize(("timeout", "idle"), [(0.5, 3000), (2.999, 3000), (3.001, 3001), (10, 10_000)])
def test_an_srt_connection_is_not_closed_between_two_keep_alives(timeout, idle, monkeypatch):
    """Where no data is sent there is a keep-alive each second: three seconds at least, otherwise the timeout."""
    line = FakeLine()
    monkeypatch.setattr(srt_line, "SrtSocket", lambda: line)
    srt_line._prepared(SrtSettings.of(Url.parse("srt://127.0.0.1:9000?latency=77")), timeout)

    assert line.options[Option.PEERIDLETIMEO] == idle
    assert line.options[Option.CONNTIMEO] == round(timeout * 1000)
    assert line.options[Option.RCVLATENCY] == line.options[Option.PEERLATENCY] == 77


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("limit", [127, 128, 1000])
def test_an_rtp_track_accepts_units_up_to_the_limit(limit, more):
    """With one byte more none is held: it is counted as lost."""
    size = limit + more
    length = bytes([size]) if size < 128 and not more else b"\x82" + size.to_bytes(2, "big")
    unit = KEY + length + bytes(size)
    (found,) = Track(limit).units(unit, 1)

    assert found.damaged == bool(more)
    assert found.data == unit


def segment(number):
    return SimpleNamespace(number=number, part=SimpleNamespace(url=f"http://a/{number}.ts", start=0))


def test_the_memory_of_a_playlist_is_bounded():
    """As many segments as the limit; one more replaces the oldest."""
    place = Position()
    for number in range(REMEMBERED):
        place.took(segment(number))
    full = [*place._names]
    place.took(segment(REMEMBERED))
    for number in range(HEADS + 1):
        place.begins(segment(number), b"head")

    assert full == list(range(REMEMBERED))
    assert [*place._names] == list(range(1, REMEMBERED + 1))
    assert [*place._heads] == list(range(1, HEADS + 1))


def test_data_written_while_a_file_was_replaced_is_read(tmp_path, monkeypatch):
    """Its writer adds bytes, then the name goes to another file, all between two checks: nothing is lost."""
    path = tmp_path / "growing"
    path.write_bytes(b"first ")
    file = WrittenFile(str(path))
    assert file.look() == b"first "
    look = WrittenFile._is_another

    def at_that_moment(self):
        monkeypatch.setattr(WrittenFile, "_is_another", look)
        with path.open("ab") as writer:
            writer.write(b"late")
        (tmp_path / "new").write_bytes(b"another")
        os.replace(tmp_path / "new", path)
        return look(self)

    monkeypatch.setattr(WrittenFile, "_is_another", at_that_moment)
    found = [file.look() for _ in range(4)]
    file.close()

    assert found == [b"late", None, b"another", b""]


def test_data_written_while_a_segment_was_begun_is_read(tmp_path, monkeypatch):
    """The recorder ends a segment and begins the next between two checks: the end is read first, then the next one."""
    first, second = (RecordedSegment("uav1", 1_700_000_000_000_000 + n * 60_000_000, "ts") for n in range(2))
    (tmp_path / first.name).write_bytes(b"first ")
    folder = _Folder(Url.parse(str(tmp_path)), waited=False)
    assert folder.look() == b"first "
    following = _Folder._following

    def at_that_moment(self):
        monkeypatch.setattr(_Folder, "_following", following)
        with (tmp_path / first.name).open("ab") as writer:
            writer.write(b"late")
        (tmp_path / second.name).write_bytes(b"second")
        return following(self)

    monkeypatch.setattr(_Folder, "_following", at_that_moment)
    monkeypatch.setattr(growing, "SETTLED", -1)  # an unchanged folder is not listed again
    found = [folder.look() for _ in range(3)]
    folder.close()

    assert found == [b"late", b"second", b""]


def test_an_srt_connection_that_fails_is_closed(monkeypatch):
    """An option that libsrt refuses leaves no socket."""
    line = FakeLine()
    closed = []
    line.close = lambda: closed.append(True)  # type: ignore[attr-defined]

    def refuse(*_):
        raise ConnectionLost("refused")

    line.set = refuse  # type: ignore[method-assign]
    monkeypatch.setattr(srt_line, "SrtSocket", lambda: line)
    with pytest.raises(ConnectionLost):
        srt_line._prepared(SrtSettings.of(Url.parse("srt://127.0.0.1:9000")), 1.0)

    assert closed == [True]
