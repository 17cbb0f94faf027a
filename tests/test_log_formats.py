"""Log events: their members, and the formats text, JSON and journal."""

from __future__ import annotations

import array
import fcntl
import logging
import os
import re
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from cases import each_case
from logged import lines_of, logging_to

from klvrelay.config.log import LogSettings
from klvrelay.logs import formats, journal
from klvrelay.logs.log_event import MEMBER_MOST, MESSAGE_MOST, LogEvent, event_of
from klvrelay.logs.log_file import SIZE_LEAST

CANARY = "c4n4ry-s3cret"
HOSTILE = "a\nb\r\x1b[2J\x00\u2028\u202e\udc80\\\"'"


def made(message: str, *arguments: object, name: str = "klvrelay.sinks", level: int = logging.WARNING) -> LogEvent:
    record = logging.LogRecord(name, level, "sinks/mqtt/sink.py", 7, message, arguments, None, "send")
    return event_of(record, lambda text: text.replace(CANARY, "***"))


@each_case(
    ("message", "arguments", "members"),
    [
        ("%s: topic suspended: topic=%s reason=%r", ("mqtt://h", "a/b", "not authorised"),
         {"sink": "mqtt://h", "topic": "a/b", "reason": "not authorised"}),
        ("records: count=%d rate=%.1f", (3, 2.5), {"count": 3, "rate": 2.5}),
        ("code=0x%02x path=%s", (135, Path("/x")), {"path": "/x"}),
        ("nothing to reload: advice='name a file' code=3", (), {"advice": "name a file", "code": "3"}),
        ("%s: said: %s", ("mqtt://h", "sink=evil stream=evil count=9"), {"sink": "mqtt://h"}),
        ("share=%d%% of=%d", (50, 9), {"share": 50, "of": 9}),
        ("value=%g none=%s flag=%s", (float("nan"), None, True), {"value": "nan", "none": "None", "flag": "true"}),
        ("too few: a=%d b=%d", (1,), {"a": 1, "b": "None"}),
    ],
)  # fmt: skip
def test_the_members_are_those_of_the_constant_text(message: str, arguments: tuple[object, ...], members: object):
    """A text that comes from outside adds no member, and arguments that do not fit raise nothing."""
    assert made(message, *arguments).members == members


@each_case(
    ("name", "module", "kind"),
    [
        ("klvrelay.health", "stream", "stream"), ("klvrelay.health", "sink", "sink"),
        ("klvrelay.sinks", "publisher", "sink"), ("klvrelay.sources", "replay", "source"),
        ("klvrelay.sinks", "conversion", "stream"), ("klvrelay.spool", "log", None),
    ],
)  # fmt: skip
def test_an_event_names_its_stream_or_sink(name: str, module: str, kind: str | None):
    """By its logger, or by what the caller passes as `extra`."""
    record = logging.LogRecord(name, logging.INFO, f"{module}.py", 1, "%s: live", ("uav1",), None)
    assert event_of(record, str).members == ({} if kind is None else {kind: "uav1"})

    record.stream = "uav2"
    assert event_of(record, str).members == {"stream": "uav2"}


def test_a_hostile_event_is_bounded_and_one_line():
    """Whatever is in its message, members and traceback: also the largest line fits into the smallest file."""
    try:
        raise ValueError(HOSTILE * 10_000)
    except ValueError as fault:
        trace = (ValueError, fault, fault.__traceback__)
    text = "%s: " + " ".join(f"key_{number}=%s" for number in range(40))
    arguments = ("\U0001f6f8\\" * 5000, *("\U0001f6f8\\" * 5000 for _ in range(40)))
    record = logging.LogRecord("klvrelay.sinks", logging.ERROR, "x.py", 1, text, arguments, trace)

    event = event_of(record, str)

    assert len(event.message) == len(event.traceback) == MESSAGE_MOST
    assert all(len(str(value)) <= MEMBER_MOST for value in event.members.values())
    for line in (formats.json_line, formats.long_text, formats.prefixed):
        assert len(line(event).encode()) < SIZE_LEAST
        assert "\n" not in line(event)
        assert line(made("%s: name=%s", HOSTILE, HOSTILE)).isprintable()


def test_a_json_line_has_the_field_names_of_ecs():
    """Time in UTC with milliseconds; the parts of the message below `klvrelay`."""
    event = made("%s: refused: topic=%s count=%d", "mqtt://h", "a/b", 3)._replace(time=1.2345)

    found = orjson.loads(formats.json_line(event))

    assert found == {
        "@timestamp": "1970-01-01T00:00:01.234Z", "log.level": "warning", "ecs.version": formats.ECS,
        "log.logger": "klvrelay.sinks", "message": "mqtt://h: refused: topic=a/b count=3", "service.name": "klvrelay",
        "process.pid": os.getpid(), "klvrelay": {"sink": "mqtt://h", "topic": "a/b", "count": 3},
    }  # fmt: skip


@each_case("form", ["text", "json"])
def test_no_format_shows_a_secret(form: str, tmp_path: Path):
    """In a message, a member, a name, and a traceback."""
    path = tmp_path / form
    with logging_to(LogSettings(format=form, file=str(path))) as log:  # type: ignore[arg-type]
        try:
            raise ValueError(f"mqtt://u:{CANARY}@h")
        except ValueError:
            log.exception("%s: failed: url=%s", f"mqtt://u:{CANARY}@h", f"mqtt://u:{CANARY}@h", extra={"sink": CANARY})
        logging.getLogger("some.library").error(CANARY)

    lines = lines_of(path)
    assert len(lines) == 2
    assert CANARY not in path.read_text()
    assert "Traceback" in lines[0]


# ---- the journal ----


@pytest.fixture
def journald(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A socket in place of journald's."""
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        server.settimeout(5)
        monkeypatch.setattr(journal, "SOCKET", path)
        yield server


def fields_of(data: bytes) -> dict[str, str]:
    """The fields of an entry, parsed as the protocol defines it."""
    found = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (size,) = struct.unpack_from("<Q", data)
            value, data = data[8 : 8 + size], data[8 + size + 1 :]
        found[name.decode()] = value.decode()
    return found


def test_the_journal_receives_entries_with_fields(journald: socket.socket):
    """Priority, identifier, place in the code, stream or sink, members; without a secret."""
    with logging_to(LogSettings(format="journal")):
        logging.getLogger("klvrelay.sinks").error("%s: refused: topic=%s url=%s", "mqtt://h", "a/b", CANARY)
        found = fields_of(journald.recv(65536))

    assert re.fullmatch(r"\d+", found.pop("CODE_LINE"))
    assert found == {
        "MESSAGE": "mqtt://h: refused: topic=a/b url=***", "PRIORITY": "3", "SYSLOG_IDENTIFIER": "klvrelay",
        "LOGGER": "klvrelay.sinks", "CODE_FILE": __file__,
        "CODE_FUNC": "test_the_journal_receives_entries_with_fields", "SINK": "mqtt://h",
        "KLVRELAY_TOPIC": "a/b", "KLVRELAY_URL": "***",
    }  # fmt: skip


def test_a_value_of_several_lines_is_binary():
    """With its length, as the protocol requires."""
    data = journal.entry(made("x")._replace(message="two\nlines"))
    assert data.startswith(b"MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\nPRIORITY=4\n")
    assert fields_of(data)["MESSAGE"] == "two\nlines"


def test_an_entry_beyond_a_datagram_is_a_sealed_file(journald: socket.socket):
    """The datagram is empty, and has one descriptor, which can neither be written nor resized."""
    data = journal.entry(made("x")._replace(message="m" * (4 << 20)))
    sender = journal.Journal(journal.SOCKET)
    sender.send(data)
    sender.close()

    payload, rights, _, _ = journald.recvmsg(10, socket.CMSG_SPACE(4))
    (file,) = array.array("i", rights[0][2])
    try:
        seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        assert (payload, fcntl.fcntl(file, fcntl.F_GET_SEALS)) == (b"", seals)
        assert os.pread(file, len(data) + 1, 0) == data
    finally:
        os.close(file)


def test_a_busy_journal_delays_nothing(journald: socket.socket):
    """What it does not accept is counted, and the count follows."""
    with logging_to(LogSettings(format="journal")) as log:
        for number in range(150):
            log.warning("x: %s", "z" * number)
        received = []
        journald.setblocking(False)
        try:
            while True:
                received.append(fields_of(journald.recv(65536))["MESSAGE"])
        except BlockingIOError:
            pass
        journald.settimeout(5)
        log.warning("last")
        lost = fields_of(journald.recv(65536))["MESSAGE"]
        last = fields_of(journald.recv(65536))["MESSAGE"]

    count = int(re.fullmatch(r"log lines lost: count=(\d+)", lost)[1])  # type: ignore[index]
    assert last == "last"
    assert len(received) + count == 150


def test_without_journald_lines_have_a_priority(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """On standard error, which systemd reads."""
    monkeypatch.setattr(journal, "SOCKET", "/nonexistent")
    with logging_to(LogSettings(format="journal")) as log:
        log.info("begins")
        log.error("fails")
    assert capfd.readouterr().err == "<6>begins\n<3>fails\n"


def test_a_journald_that_ends_is_replaced_by_standard_error(journald: socket.socket, capfd: pytest.CaptureFixture[str]):
    """Until it is back."""
    with logging_to(LogSettings(format="journal")) as log:
        os.rename(journal.SOCKET, f"{journal.SOCKET}.away")
        log.info("away")
        os.rename(f"{journal.SOCKET}.away", journal.SOCKET)
        log.info("back")
        assert fields_of(journald.recv(65536))["MESSAGE"] == "back"
    assert capfd.readouterr().err == "<6>away\n"


def test_text_for_the_journal_has_no_time(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """If standard error is the stream that systemd names; otherwise the time of day precedes it."""
    found = os.fstat(2)
    for name, form in ((f"{found.st_dev}:{found.st_ino}", r"begins\n"), ("1:2", r"\d\d:\d\d:\d\d begins\n")):
        monkeypatch.setenv("JOURNAL_STREAM", name)
        with logging_to(LogSettings()) as log:
            log.info("begins")
        assert re.fullmatch(form, capfd.readouterr().err)
