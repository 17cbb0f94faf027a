"""Invalid settings: every fault is named with its key and line, all at once, and before anything starts."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from bad_settings import BAD, Bad
from cases import each_case
from conftest import ROOT
from settings_file import written

from klvrelay.cli import main as cli
from klvrelay.config.faults import FAULTS_MOST, InvalidSettings
from klvrelay.config.settings_file import read_settings
from klvrelay.relay.build import CHECKS

SAMPLE = ROOT / "samples" / "relay.toml"
CANARY = "c4n4ry-s3cret"
FULL = f"""
[relay]
waiting = 77
[spool]
path = "/tmp/spool"
size = "4G"
[[sink]]
url = "mqtts://relay@broker"
password = "{CANARY}"
qos = 2
prefix = "site/klv"
[[source]]
url = "rtsp://viewer:{CANARY}@cam/live?token={CANARY}"
stream = "uav1"
pids = {{0x101 = "uav1-eo", 513 = "uav1-ir"}}
[[source]]
url = "srt://camera:9000"
passphrase = "{CANARY}"
timeout = 7
"""
JUNK = (
    b"[", b"]", b"[[", b'"', b"'", b"=", b"\n", b"#", b"true", b"-1", b"1e999", b"nan", b"\xff", b"\0", b"{}", b"[]",
    b"1979-05-27", b"\\u0000", b'"""', b"mqtts://", b".", b"''", b"url", b"[[sink]]\n", b"[[source]]\n", b"_file",
    b"9" * 400,
)  # fmt: skip


def test_there_are_200_bad_files():
    """All different."""
    assert len({bad.text for bad in BAD}) == len(BAD) >= 200


@pytest.mark.promise(18)
@each_case("bad", BAD, ids=[bad.text.replace("\n", " ")[-60:] for bad in BAD])
def test_a_fault_is_named_with_its_key_and_line(bad: Bad, tmp_path: Path):
    """On one line, with what is valid; within a second."""
    path = written(tmp_path, bad.text)
    began = time.process_time()
    with pytest.raises(InvalidSettings) as refused:
        read_settings(path, checks=CHECKS)
    assert time.process_time() - began < 1
    said = str(refused.value)
    assert said.startswith(f"{path}: line {bad.line}: ")
    assert f" {bad.key}: " in said or not bad.key
    assert bad.hint in said
    assert said.isprintable(), "there is one fault only"


@pytest.mark.parametrize("value", ["NATO SECRET", "COSMIC TOP SECRET", "VS-NFD"])
def test_no_other_classification_is_suggested(value: str, tmp_path: Path):
    """It might be a higher limit; a mistyped one has its hint."""
    text = f'[[sink]]\nurl = "mqtt://h"\nmax_classification = "{value}"'
    with pytest.raises(InvalidSettings, match=r"must be one of UNCLASSIFIED, .*SECRET$"):
        read_settings(written(tmp_path, text))


@pytest.mark.parametrize("bad", BAD[:: len(BAD) // 3], ids=lambda bad: bad.key)
def test_the_command_ends_at_once_with_exit_code_2(bad: Bad, tmp_path: Path):
    """Without a traceback, and with nothing on standard output."""
    path = written(tmp_path, bad.text)
    done = subprocess.run(
        [sys.executable, "-m", "klvrelay", "run", "-c", path], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"klvrelay: {path}: line {bad.line}: ")
    assert done.stderr.count("\n") == 1


def test_all_faults_are_reported_at_once_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """In several tables, of every kind; a valid setting in between is no fault."""
    text = (
        '[relay]\nwaiting = 0\ncoalesce = "1h"\n[[sink]]\nurl = "ws://h"\nqos = 7\nraw = true\n'
        '[[source]]\nurl = "udp://:port"\nstall = 0\n[[source]]\nstream = "a"\nzoom = 1\n'
    )
    path = written(tmp_path, text)
    assert cli.main(["run", "-c", path]) == 2
    said = capsys.readouterr().err.removeprefix("klvrelay: ").splitlines()
    places = [line.removeprefix(f"{path}: ").split(": ")[:2] for line in said]
    assert places == [
        ["line 2", "relay.waiting"], ["line 3", "relay.coalesce"], ["line 5", "sink.url"], ["line 6", "sink.qos"],
        ["line 9", "source.url"], ["line 10", "source.stall"], ["line 11", "source.url"], ["line 13", "source.zoom"],
    ]  # fmt: skip


def test_the_number_of_faults_in_a_message_is_bounded(tmp_path: Path):
    """A file of another program does not fill the screen, nor take long."""
    path = written(tmp_path, "".join(f"key{number} = 1\n" for number in range(20_000)))
    began = time.process_time()
    with pytest.raises(InvalidSettings) as refused:
        read_settings(path)
    assert time.process_time() - began < 3
    lines = str(refused.value).splitlines()
    assert len(lines) == FAULTS_MOST + 1
    assert lines[-1] == f"and {20_000 - FAULTS_MOST} more faults"


def test_a_fault_in_a_long_key_stays_short(tmp_path: Path):
    """The key is shortened, and hidden if it may be a URL with a password."""
    text = f'{"k" * 5000} = 1\n"rtsp://u:{CANARY}@h" = 2\n[relay]\n"mqtt://u:{CANARY}@h" = 1'
    with pytest.raises(InvalidSettings) as refused:
        read_settings(written(tmp_path, text))
    said = str(refused.value)
    assert len(said) < 1000
    assert CANARY not in said
    assert "line 2: ***: " in said
    assert "line 4: relay.***: " in said


def mutated(seed: int) -> bytes:
    """A damaged copy of a full file or of the sample."""
    chance = random.Random(seed)
    data = bytearray(chance.choice((FULL.encode(), SAMPLE.read_bytes())))
    for _ in range(chance.randrange(1, 5)):
        at, end = chance.randrange(len(data)), chance.randrange(1, 30)
        match chance.randrange(5):
            case 0:
                del data[at : at + end]
            case 1:
                data[at:at] = chance.choice(JUNK)
            case 2:
                data[at : at + end] = chance.choice(JUNK)
            case 3:
                data[at:at] = data[max(0, at - end) : at]
            case _:
                data[at] = chance.randrange(256)
    return bytes(data)


def check_mutated(seeds: range, folder: Path) -> str:
    """Each damaged file gives settings, or lines with the file and a line number, and never the password.

    Returns the result in words.
    """
    refused = without_line = 0
    longest = 0.0
    for seed in seeds:
        path = written(folder, mutated(seed))
        began = time.process_time()
        try:
            read_settings(path, checks=CHECKS)
        except InvalidSettings as fault:
            refused += 1
            said = str(fault)
            assert CANARY not in said, seed
            assert all(line.isprintable() for line in said.split("\n")), seed
            without_line += any(one.origin.line is None for one in fault.faults)
        longest = max(longest, time.process_time() - began)
    assert longest < 1
    assert len(seeds) / 20 < refused < len(seeds)
    assert without_line <= len(seeds) / 100  # numbers that Python cannot represent
    return f"{refused:,} of {len(seeds):,} damaged files refused, each within {1000 * longest:.0f} ms of processor time"


@pytest.mark.promise(18)
def test_damaged_files_give_settings_or_faults(tmp_path: Path, proof: Callable[[str], None]):
    """300 of them."""
    proof(check_mutated(range(300), tmp_path))


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.promise(18)
def test_ten_thousand_damaged_files_give_settings_or_faults(tmp_path: Path, proof: Callable[[str], None]):
    """No traceback, and each takes less than a second."""
    proof(check_mutated(range(1000, 11_000), tmp_path))
