"""Settings from TOML: every key takes effect, every error names its key and line, no password is ever shown."""

from __future__ import annotations

import dataclasses
import random
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from klvrelay.cli import main as cli
from klvrelay.config.credentials import MQTT_PASSWORD as PASSWORD_VARIABLE
from klvrelay.config.mqtt import MqttSettings, mqtt_settings
from klvrelay.config.settings import RelaySettings, SourceSettings
from klvrelay.config.settings_file import load
from klvrelay.config.tables import TABLES
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.relay.build import build_relay
from klvrelay.sources.datagrams import schedule
from klvrelay.text import Secret

SAMPLE = ROOT / "samples" / "relay.toml"
CANARY = "c4n4ry-s3cret"

EVERYTHING = f"""
[relay]
waiting = 77
waiting_size = 99

[[sink]]
host = "broker"
port = 8884
tls = true
username = "relay"
password = "{CANARY}"
client_id = "relay-1"
qos = 0
prefix = "site/klv"
protocol = 4
keepalive = 11
ca_file = "/ca.pem"
cert_file = "/cert.pem"
key_file = "/key.pem"
allow_plaintext = true
raw = true
publish_bad = "drop"
numbers = "safe"
window = 5
timeout = 3
expiry = 9
client = "aiomqtt"

[[source]]
url = "srt://camera:9000"
stream = "uav1"
interface = "eth0"
sender = "192.0.2.7"
timeout = 7
ca_file = "/cam.pem"
speed = 2
follow = true
stall = 2.5
demux = "libav"
isolate = true
packet_limit = 2000
passphrase = "{CANARY}"
loop = true
record_segment = "5m"
record_total = "20G"
record_age = "9d"
pids = {{0x101 = "uav1-eo", 513 = "uav1-ir"}}
program = "2"

[[source]]
url = "udp://0.0.0.0:5000"
"""


@pytest.fixture(autouse=True)
def no_password_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "relay.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)
    return path


def test_every_setting_takes_effect(tmp_path: Path):
    """Each field of the three kinds of settings can be set in the file, and has the file's value."""
    settings = load(written(tmp_path, EVERYTHING))
    first, second = settings.sources
    assert (settings.waiting, settings.waiting_size) == (77, 99)
    expected: dict[str, Any] = {
        "host": "broker", "port": 8884, "tls": True, "username": "relay", "password": Secret(CANARY),
        "client_id": "relay-1", "qos": 0, "prefix": "site/klv", "protocol": 4, "keepalive": 11,
        "ca_file": "/ca.pem", "cert_file": "/cert.pem", "key_file": "/key.pem", "allow_plaintext": True,
        "raw": True, "publish_bad": "drop", "numbers": "safe", "window": 5, "timeout": 3.0, "expiry": 9,
        "client": "aiomqtt",
    }  # fmt: skip
    assert {f.name: getattr(settings.sinks[0].mqtt, f.name) for f in dataclasses.fields(MqttSettings)} == expected
    values = {f.name: getattr(first, f.name) for f in dataclasses.fields(SourceSettings)}
    assert str(values.pop("url")) == "srt://camera:9000"
    assert values == {
        "stream": "uav1", "interface": "eth0", "sender": "192.0.2.7", "timeout": 7.0, "ca_file": "/cam.pem",
        "speed": 2.0, "loop": True, "follow": True, "stall": 2.5, "demux": "libav", "isolate": True,
        "passphrase": Secret(CANARY), "packet_limit": 2000,
        "record": None, "record_segment": 300.0, "record_total": 20 << 30, "record_age": 9 * 86400.0,
        "pids": {257: "uav1-eo", 513: "uav1-ir"}, "only": frozenset(), "program": 2,
    }  # fmt: skip
    assert second == SourceSettings(second.url)


def test_an_empty_file_gives_the_defaults(tmp_path: Path):
    """Nothing is set."""
    assert load(written(tmp_path, "")) == RelaySettings()


def test_the_sample_loads_and_builds_a_relay():
    """The shipped file works unchanged: two named streams to a broker on this machine."""
    settings = load(SAMPLE)
    assert [name for name, _ in settings.named()] == ["uav1", "uav2"]
    assert settings.sinks[0].mqtt == MqttSettings(host="127.0.0.1")
    assert len(build_relay(settings).streams) == 2


def commented(text: str) -> list[tuple[str, str, str]]:
    """The table, key and TOML value of each commented line of the sample."""
    found, header = [], ""
    for line in text.splitlines():
        if table := re.match(r"(?:# )?\[+([\w.]+)\]", line):
            header = table[1]
        elif setting := re.match(r"# (\w+) = (.*)", line):
            found.append((header, setting[1], setting[2]))
    return found


def test_the_sample_is_the_manual():
    """Every key is in it. Each commented line is a setting of its table, with a valid value: the default, if any."""
    text = SAMPLE.read_text()
    shown = {(header, key) for header, key, _ in commented(text)}
    tables = [*TABLES, *(inner for table in TABLES for inner in table.inner)]
    for table in tables:
        for key in table.keys:
            assert (table.name, key) in shown or re.search(rf"\b{key}\b", text), key
    by_name = {table.name: table for table in tables}
    for header, key, value in commented(text):
        setting, place = by_name[header].setting_of(key)
        typed = tomllib.loads(f"value = {value}")["value"]
        if place:
            assert isinstance(typed, str), key
        else:
            assert setting.kind.read(typed) == (setting.default or setting.kind.read(typed)), key
    assert len(shown) > 50


@pytest.mark.parametrize(
    ("text", "seconds"), [('"2ms"', 0.002), ('"0.5ms"', 0.0005), ('"0.1s"', 0.1), ("0", 0.0), ('"0"', 0.0)]
)
def test_coalesce_is_a_time_with_its_unit(tmp_path: Path, text: str, seconds: float):
    """In milliseconds or seconds; 0 disables it. The default is that of the receiver module."""
    assert load(written(tmp_path, f"[relay]\ncoalesce = {text}\n")).coalesce == pytest.approx(seconds)
    assert RelaySettings().coalesce == schedule.COALESCE


def test_the_line_is_that_of_the_mistake_and_not_of_the_same_key_elsewhere(tmp_path: Path):
    """`timeout` is in two tables; the wrong one is the second."""
    text = '[[sink]]\nurl = "mqtt://h"\ntimeout = 5\n[[source]]\nurl = "a"\n[[source]]\nurl = "b"\ntimeout = "x"\n'
    with pytest.raises(ConfigError, match=r"line 8: source\.timeout: "):
        load(written(tmp_path, text))


def test_a_byte_order_mark_is_skipped(tmp_path: Path):
    """Editors put one before the first line."""
    load(written(tmp_path, "\ufeff[relay]\nwaiting = 7\n"))

    with pytest.raises(ConfigError, match="line 1: waitin"):
        load(written(tmp_path, "\ufeffwaitin = 7\n"))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[mqtt\n", "line 1: invalid TOML"),
        ("[relay]\nwaiting = 1\n[relay]\ncoalesce = 0\n", "line 3"),
        ('[[sink]]\nurl = "a"\nurl = "b"\n', "line 3"),
        (b'[[sink]]\nurl = "\xff\xfe"\n', "not UTF-8"),
        ("a = [" * 3000, ""),
        ("a = " + "[" * 3000, ""),
        ("a = " + "1" * 5000, ""),
        ('[[source]]\nurl = "a.ts"\ntimeout = ' + "9" * 400, ""),
        ('"a\\u001b[31m\\nb" = 1', "unknown setting"),
        ("\x00", "invalid TOML"),
    ],
)
def test_invalid_toml_is_one_line(text: str | bytes, hint: str, tmp_path: Path):
    """Half a table, a table or key twice, another encoding, absurd depth and size: never a traceback."""
    with pytest.raises(ConfigError) as fault:
        load(written(tmp_path, text))
    assert hint in str(fault.value)
    assert str(fault.value).isprintable()
    assert len(str(fault.value)) < 1000


def test_a_missing_file_or_a_folder_is_refused(tmp_path: Path):
    """One error line names it."""
    with pytest.raises(ConfigError, match=r"none\.toml: can't be read: No such file"):
        load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="can't be read"):
        load(tmp_path)


def test_mutated_files_never_make_a_traceback(tmp_path: Path):
    """200 damaged copies of a full file and of the sample: settings or clear lines, and never the password."""
    sources = [EVERYTHING.encode(), SAMPLE.read_bytes()]
    junk = [b"[", b"]", b"[[", b'"', b"'", b"=", b"\n", b"#", b"true", b"-1", b"1e999", b"nan", b"\xff", b"\0", b"{}",
            b"[]", b"1979-05-27", b"\\u0000", b'"""', b"mqtts://", b"."]  # fmt: skip
    loaded = 0
    for seed in range(200):
        chance = random.Random(seed)
        data = bytearray(chance.choice(sources))
        for _ in range(chance.randrange(1, 4)):
            at, end = chance.randrange(len(data)), chance.randrange(1, 30)
            match chance.randrange(4):
                case 0:
                    del data[at : at + end]
                case 1:
                    data[at:at] = chance.choice(junk)
                case 2:
                    data[at : at + end] = chance.choice(junk)
                case _:
                    data[at] = chance.randrange(256)
        said = _fault_of(written(tmp_path, bytes(data)))
        loaded += said == ""
        assert all(line.isprintable() for line in said.split("\n")), seed
        assert CANARY not in said, seed
    assert 5 < loaded < 195


def _fault_of(path: Path) -> str:
    try:
        build_relay(load(path))
    except ConfigError as fault:
        return str(fault)
    return ""


def test_a_wrong_file_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """`klvrelay run -c` prints one error line before anything starts."""
    path = written(tmp_path, '[[sink]]\nurl = "mqtt://h"\nqos = 7\n[[source]]\nurl = "udp://:5000"\n')
    assert cli.main(["run", "-c", str(path)]) == 2
    out, said = capsys.readouterr()
    assert out == ""
    assert said == f"klvrelay: {path}: line 3: sink.qos: must be one of 0, 1, 2\n"


@pytest.mark.parametrize("url", ["gopher://h:1", "udp://h", "srt://h", "udp://h:1?colour=red", "rtsp://h/x?transport=x"])
def test_an_impossible_source_is_refused_before_anything_starts(url: str, tmp_path: Path):
    """Including errors that only the source itself detects."""
    path = written(tmp_path, f'[[sink]]\nurl = "mqtt://h"\n[[source]]\nurl = "{url}"\n')
    assert cli.main(["run", "-c", str(path)]) == 2


def test_a_password_file_must_be_private(tmp_path: Path):
    """0600 is accepted, without the line end; a file others can read is refused with the command to run; a missing one
    is named.
    """
    secret = tmp_path / "password"
    secret.write_text(f"{CANARY}\n")
    path = written(tmp_path, f'[[sink]]\nurl = "mqtts://relay@h"\npassword_file = "{secret}"\n')
    for mode in (0o644, 0o640, 0o604, 0o660):
        secret.chmod(mode)
        with pytest.raises(ConfigError, match=f"chmod 600 {secret}") as fault:
            load(path)
        assert "line 3" in str(fault.value)
        assert CANARY not in str(fault.value)
    secret.chmod(0o600)
    settings = load(path).sinks[0].mqtt
    assert settings.password == Secret(CANARY)
    secret.write_text("\n")
    with pytest.raises(ConfigError, match=r"password_file: is empty"):
        load(path)
    secret.unlink()
    with pytest.raises(ConfigError, match=r"password_file: can't be read"):
        load(path)


def test_the_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Where the file has none; the file's wins."""
    monkeypatch.setenv(PASSWORD_VARIABLE, CANARY)
    for text, expected in (("", CANARY), ('password = "other"\n', "other")):
        settings = load(written(tmp_path, f'[[sink]]\nurl = "mqtts://relay@h"\n{text}')).sinks[0].mqtt
        assert settings.password == Secret(expected)


def test_a_password_in_the_url_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch):
    """The most specific one wins."""
    monkeypatch.setenv(PASSWORD_VARIABLE, "other")
    assert mqtt_settings(f"mqtts://relay:{CANARY}@h", {}).password == Secret(CANARY)


def test_an_unused_password_in_the_environment_is_no_mistake(monkeypatch: pytest.MonkeyPatch):
    """A broker without users works as before, though the variable is set."""
    monkeypatch.setenv(PASSWORD_VARIABLE, CANARY)
    assert mqtt_settings("mqtt://127.0.0.1", {}).password is None


@pytest.mark.parametrize(
    "text",
    [
        f'[[sink]]\nurl = "mqtt://relay:{CANARY}@broker.example"\n',
        f'[[sink]]\nurl = "mqtt://relay:{CANARY}@h:x"\n',
        f'[[sink]]\nurl = "mqtt://relay:{CANARY}/@h"\n',
        f'[[sink]]\nurl = "mqtts://h"\npassword = "{CANARY}"\n',
        f'[[sink]]\nurl = "mqtts://h"\npassword = ["{CANARY}"]\n',
        f'[[sink]]\nurl = "mqtts://h"\npasword = "{CANARY}"\n',
        f'[[sink]]\nurl = "mqtts://r@h"\npassword = "{CANARY}\n',
        f'[[sink]]\nurl = "mqtt://h?password={CANARY}"\n',
        f'[[source]]\nurl = "rtsp://u:{CANARY}@h:x/y"\n',
        f'[[source]]\nurl = "rtsp://u:{CANARY}/@h/y"\n',
        f'[[source]]\nurl = "rtsp://u:{CANARY}@h/y"\nspeed = 1\n[[sink]]\nurl = "mqtt://h"\n',
        f'[[source]]\nurl = "http://u:{CANARY}@h/y?token={CANARY}"\ntimeout = "x"\n',
        f'[[source]]\nurl = "foo://u:{CANARY}@h/y?token={CANARY}"\n[[sink]]\nurl = "mqtt://h"\n',
    ],
)
def test_no_message_shows_a_password(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Whatever else is wrong."""
    assert cli.main(["run", "-c", str(written(tmp_path, text))]) == 2
    out, said = capsys.readouterr()
    assert said.startswith("klvrelay: ")
    assert CANARY not in out + said


def test_settings_print_without_their_password(tmp_path: Path):
    """In a traceback, a log or a debugger."""
    settings = load(written(tmp_path, re.sub(r"(speed|loop|follow|\w+_file) = .*\n", "", EVERYTHING)))
    relay = build_relay(settings)
    assert CANARY not in f"{settings!r} {settings} {settings.sinks[0].mqtt!r} {relay.__dict__} {vars(relay.streams[0])}"


def test_streams_of_one_name_are_kept_apart(tmp_path: Path):
    """Two sources with the same name get two topics."""
    settings = load(written(tmp_path, '[[source]]\nurl = "a/x.ts"\n[[source]]\nurl = "b/x.ts"\n'))
    assert [name for name, _ in settings.named()] == ["x-a", "x-b"]


def test_pids_may_be_numbers_or_text(tmp_path: Path):
    """TOML's keys are text: hexadecimal, decimal, quoted or not; a list says which PIDs are wanted."""
    for keys in ("{0x101 = 'a', 513 = 'b'}", "{'0x101' = 'a', '513' = 'b'}", "{'257' = 'a', \"0x201\" = 'b'}"):
        (source,) = load(written(tmp_path, f'[[source]]\nurl = "a.ts"\npids = {keys}')).sources
        assert (source.pids, source.only) == ({257: "a", 513: "b"}, frozenset())
    (source,) = load(written(tmp_path, '[[source]]\nurl = "a.ts"\npids = [0x101, 513, "0x301"]')).sources
    assert (source.pids, source.only) == ({}, {257, 513, 769})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({257: "uav1", 258: "uav1"}, {}),
        ({257: "uav1"}, {257: "uav1"}),
        ({257: "b"}, {}),
        ({}, {300: "a"}),
    ],
    ids=str,
)
def test_a_name_that_two_streams_would_have_is_refused(first: dict[int, str], second: dict[int, str]):
    """A name of another source, of another PID of this one, or of another PID of another source."""
    sources = SourceSettings(Url.parse("a.ts"), pids=first), SourceSettings(Url.parse("b.ts"), pids=second)
    with pytest.raises(ConfigError, match=r"pids: \w+ is the name of another stream"):
        RelaySettings(sources).choices()


def test_a_name_made_of_a_pid_gives_way_to_one_of_the_settings():
    """`cam.513` is another source: the PID 513 of `cam` gets another name, the same each time."""
    sources = tuple(SourceSettings(Url.parse("a.ts"), stream=name) for name in ("cam", "cam.513"))
    choice, _ = RelaySettings(sources).choices()
    assert choice.taken == {"cam", "cam.513"}
    first_pinned = SourceSettings(Url.parse("a.ts"), "cam", pids={257: "cam"})
    assert RelaySettings((first_pinned,)).choices()[0].names == {257: "cam"}
