"""`klvrelay check`: validates settings, and tries sources and brokers without publishing."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

import feed
import pytest
from brokers import Mosquitto
from oracle_broker import OracleBroker
from settings_file import written

from klvrelay.cli import main as cli
from klvrelay.cli.verbs.check import check
from klvrelay.config.faults import InvalidSettings


def run(capfd: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = cli.main(["check", *argv])
    return code, *capfd.readouterr()


GOOD = '[[sink]]\nurl = "mqtt://127.0.0.1"\n[[source]]\nurl = "udp://127.0.0.1:5000"\n'
BAD = '[[sink]]\nurl = "mqtt://127.0.0.1"\nqos = 7\n[[source]]\nurl = "udp://:port"\n'


def test_a_valid_file_is_exit_code_0(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """One line counts what it has."""
    path = written(tmp_path, GOOD)
    assert run(capfd, path) == (0, f"{path}: valid: 1 source, 1 sink\n", "")


def test_an_invalid_file_is_exit_code_2_with_all_faults(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """As `run` reports them."""
    path = written(tmp_path, BAD)
    code, out, said = run(capfd, path)
    assert (code, out) == (2, "")
    assert said.splitlines()[0] == f"klvrelay: {path}: line 3: sink.qos: must be one of 0, 1, 2"
    assert said.splitlines()[1].startswith(f"{path}: line 5: source.url: ")


def test_the_result_may_be_json(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """One document, for valid, invalid and missing files."""
    path = written(tmp_path, GOOD)
    code, out, said = run(capfd, path, "--json")
    assert (code, said) == (0, "")
    assert json.loads(out) == {"settings": path, "valid": True, "faults": [], "warnings": [], "tried": []}
    code, out, said = run(capfd, written(tmp_path, BAD), "--json")
    assert (code, said) == (2, "")
    first, second = json.loads(out)["faults"]
    assert first == {"place": path, "line": 3, "key": "sink.qos", "text": "must be one of 0, 1, 2"}
    assert (second["line"], second["key"]) == (5, "source.url")
    code, out, said = run(capfd, "/none.toml", "--json")
    assert (code, said) == (2, "")
    assert json.loads(out)["faults"] == [{"text": "/none.toml: can't be read: No such file or directory"}]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[relay]\nwaiting = 5", "0 sources, 0 sinks; `run` also needs SOURCE and --mqtt URL or --sink URL"),
        ('[[source]]\nurl = "udp://127.0.0.1:5000"', "1 source, 0 sinks; `run` also needs --mqtt URL or --sink URL"),
        ('[[sink]]\nurl = "mqtt://127.0.0.1"', "0 sources, 1 sink; `run` also needs SOURCE"),
    ],
)
def test_what_the_file_lacks_is_named(text: str, found: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """It is no fault: the command line of `run` may have it."""
    path = written(tmp_path, text)
    code, out, said = run(capfd, path)
    assert (code, out, said) == (0, f"{path}: valid: {found}\n", "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[[geofence]]\nname = "keep-out"\nfile = "nowhere.json"\n', "geofence.file: can't be read: No such"),
        ('[[geofence]]\nname = "keep-out"\nfile = "/etc/passwd"\n', "geofence.file: not JSON"),
    ],
)  # fmt: skip
def test_files_of_alerts_are_read(text: str, found: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """What `run` would refuse is not valid."""
    code, _, said = run(capfd, written(tmp_path, GOOD + text))
    assert code == 2
    assert found in said


def test_the_old_form_gives_one_warning_with_the_new_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Its settings count as before."""
    path = written(tmp_path, GOOD.replace("[[sink]]", "[mqtt]"))
    code, out, said = run(capfd, path)
    assert (code, out) == (0, f"{path}: valid: 1 source, 1 sink\n")
    assert said.count("\n") == 1
    assert "line 1: [mqtt] is deprecated, and the next release refuses it: write [[sink]] instead" in said


@pytest.mark.parametrize(
    ("streams", "source", "is_warned"),
    [('["uav2"]', "", True), ('["!uav*"]', "", True), ('["uav1"]', "", False), ('["uav1-*"]', "", False),
     ('["uav[12]", "x"]', "", False), ('["eo"]', 'pids = {0x101 = "eo"}\n', False)],
)  # fmt: skip
def test_an_output_without_any_stream_is_warned_of(
    streams: str, source: str, is_warned: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """A mistyped stream else gives an empty topic. Further streams of a source have its name and a suffix."""
    text = f"""
[[sink]]
url = "mqtt://127.0.0.1"
[[sink.output]]
name = "a"
streams = {streams}
[[source]]
url = "udp://127.0.0.1:5000"
stream = "uav1"
"""
    code, _, said = run(capfd, written(tmp_path, text + source))
    assert code == 0
    assert ("sink mqtt: output a: streams match none of the sources" in said) == is_warned
    assert said.endswith("streams: uav1\n") == is_warned


def test_every_value_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """As `run --print-config` does."""
    path = written(tmp_path, GOOD)
    code, out, _ = run(capfd, path, "--print-config")
    assert code == 0
    assert f'url = "udp://127.0.0.1:5000"                 # {path}:4\n' in out


@pytest.mark.needs("mosquitto")
async def test_sources_and_brokers_that_work_are_exit_code_0(
    mosquitto: Mosquitto, free_port: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """A file and a live stream with KLV, and a broker."""
    tape = feed.recording(30)
    (tmp_path / "flight.ts").write_bytes(tape.ts)
    path = written(
        tmp_path,
        f'[[sink]]\nurl = "{mosquitto.url}"\n[[source]]\nurl = "{tmp_path}/flight.ts"\n'
        f'[[source]]\nurl = "udp://127.0.0.1:{free_port}"\nstream = "uav1"\n',
    )
    checking = asyncio.create_task(check(path, connects=True, seconds=20, as_json=False))
    await feed.listening(free_port)
    feed.send_udp(feed.datagrams(tape.ts), free_port)

    assert await asyncio.wait_for(checking, 30) == 0

    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == f"{path}: valid: 2 sources, 1 sink"
    assert lines[1].startswith(f"source flight: ok: {tmp_path}/flight.ts: KLV after ")
    assert lines[2].startswith(f"source uav1: ok: udp://127.0.0.1:{free_port}: KLV after ")
    assert lines[3] == f"sink mqtt: ok: {mosquitto.url}: connected"


async def test_what_does_not_work_is_named_with_a_remedy(
    free_port: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """A silent stream, a file without KLV, a missing one, and a closed port; the exit code is that of the first."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        (tmp_path / "empty.ts").write_bytes(feed.recording(30).ts.replace(feed.UAS_KEY, bytes(16)))
        path = written(
            tmp_path,
            f'[[sink]]\nurl = "mqtt://127.0.0.1:{closed.getsockname()[1]}"\n'
            f'[[source]]\nurl = "udp://127.0.0.1:{free_port}"\n'
            f'[[source]]\nurl = "{tmp_path}/empty.ts"\n[[source]]\nurl = "{tmp_path}/none.ts"\n',
        )
        code = await asyncio.wait_for(check(path, connects=True, seconds=0.5, as_json=True), 30)

    tried = json.loads(capfd.readouterr().out)["tried"]
    assert code == 3
    assert [one["ok"] for one in tried] == [False] * 4
    texts = [one["text"] for one in tried]
    assert texts[0].startswith(f"udp://127.0.0.1:{free_port}: no data in 0.5 s: see that the sender is running")
    assert "empty.ts: no KLV: " in texts[1]
    assert "none.ts: no such file" in texts[2].lower()
    assert ": connection refused: " in texts[3]


async def test_a_broker_that_is_tried_gets_nothing(oracle: OracleBroker, tmp_path: Path):
    """No message, no last will, and not the client id of the relay, which stays connected."""
    path = written(tmp_path, f'[[sink]]\nurl = "{oracle.url}"\nclient_id = "relay-1"\n')
    assert await asyncio.wait_for(check(path, connects=True, seconds=1, as_json=True), 20) == 0
    assert (oracle.published, oracle.wills, oracle.goodbyes) == ([], [], 1)
    (guest,) = oracle.guests
    assert guest.client_id.startswith("klvrelay-check-")
    assert guest.will is None


async def test_an_invalid_file_connects_to_nothing(oracle: OracleBroker, tmp_path: Path):
    """Even with --connect."""
    path = written(tmp_path, f'[[sink]]\nurl = "{oracle.url}"\n[[source]]\nurl = "udp://:port"\n')
    with pytest.raises(InvalidSettings):
        await check(path, connects=True, seconds=1, as_json=False)
    assert oracle.guests == []
