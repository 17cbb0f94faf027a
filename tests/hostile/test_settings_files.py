"""Files of settings, certificates and passwords: special files are refused or read within bounds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cases import each_case
from conftest import ROOT

from klvrelay.config import small_file
from klvrelay.config.credentials import secret_file
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.names import distinct_names
from klvrelay.config.settings_file import CONFIG_MOST, load
from klvrelay.config.small_file import PEM_MOST, read_small
from klvrelay.errors import ConfigError
from klvrelay.sinks.dialing.dial import tls_context
from klvrelay.transports.tls import client_context

COMMAND = (sys.executable, "-m", "klvrelay")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}


def pipe(folder: Path) -> str:
    os.mkfifo(folder / "pipe")
    return str(folder / "pipe")


def endless(folder: Path) -> str:
    with open(folder / "large", "wb") as file:
        file.truncate(10 << 30)
    return str(folder / "large")


def listening(folder: Path) -> str:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
    return str(folder / "socket")


ODD: dict[str, Callable[[Path], str]] = {
    "device": lambda _: "/dev/zero",
    "null": lambda _: "/dev/null",
    "folder": str,
    "pipe": pipe,
    "10 GB": endless,
    "socket": listening,
    "process": lambda _: "/proc/self/mem",
}
SAYS = {
    "device": "is a device", "null": "is a device", "folder": "is a folder", "pipe": "the pipe has no writer",
    "10 GB": "has more than", "socket": "is a socket", "process": "can't be read",
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.timeout(10)
def test_settings_are_a_file_of_limited_size(kind: str, tmp_path: Path):
    """Special files are reported at once, before opening them where opening alone has an effect."""
    with pytest.raises(ConfigError, match=SAYS[kind]):
        load(ODD[kind](tmp_path))


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.timeout(10)
def test_a_password_is_a_file_of_limited_size(kind: str, tmp_path: Path):
    """And its name is not repeated."""
    path = ODD[kind](tmp_path)
    if os.path.isfile(path) and kind != "process":
        os.chmod(path, 0o600)

    with pytest.raises(ConfigError, match=f"^key: .*{SAYS[kind]}") as refused:
        secret_file(path, "key")

    assert path not in str(refused.value)


@pytest.mark.parametrize("kind", ["device", "folder", "pipe", "10 GB", "socket"])
@pytest.mark.timeout(10)
def test_certificates_and_keys_are_files_of_limited_size(kind: str, tmp_path: Path):
    """OpenSSL opens them by name, and would wait for a pipe or read a device without end."""
    path, good = ODD[kind](tmp_path), tmp_path / "good.pem"
    says = "is a pipe" if kind == "pipe" else SAYS[kind]
    good.write_text("")
    with pytest.raises(ConfigError, match=rf"^ca_file: {says}"):
        client_context(path)
    for key in ("ca_file", "cert_file", "key_file"):
        files = {"cert_file": str(good), "key_file": str(good)} if key != "ca_file" else {}
        with pytest.raises(ConfigError, match=rf"^{key}: {says}"):
            tls_context(MqttSettings(host="h", tls=True, **{**files, key: path}))


def test_a_special_file_that_replaces_it_meanwhile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A file replaced between the check and its opening is refused."""
    (tmp_path / "small").write_text("")
    found = os.stat(tmp_path / "small")
    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", lambda path: found)
        with pytest.raises(ConfigError, match="is a device"):
            read_small("/dev/zero", "key", 10)


def test_no_more_is_read_than_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """One byte beyond the bound shows that there is more."""
    taken = []
    read = os.read

    def counted(number: int, size: int) -> bytes:
        data = read(number, size)
        taken.append(len(data))
        return data

    monkeypatch.setattr(os, "read", counted)
    with pytest.raises(ConfigError, match="more than"):
        load(endless(tmp_path))

    assert sum(taken) == CONFIG_MOST + 1


def test_the_bound_itself_is_read(tmp_path: Path):
    """A file of exactly that size is complete."""
    (tmp_path / "x").write_bytes(b"x" * 1000)

    assert read_small(str(tmp_path / "x"), "key", 1000).data == b"x" * 1000
    assert PEM_MOST > CONFIG_MOST


def test_a_pipe_that_is_never_closed_is_ended_by_the_timeout(monkeypatch: pytest.MonkeyPatch):
    """Whether its writer is silent or slow."""
    monkeypatch.setattr(small_file, "PIPE_SECONDS", 0.05)
    read, write = os.pipe()
    try:
        os.write(write, b"[relay]\n")
        with pytest.raises(ConfigError, match="did not end within"):
            load(f"/dev/fd/{read}")
    finally:
        os.close(read)
        os.close(write)


def test_a_slow_pipe_is_ended_by_the_timeout(monkeypatch: pytest.MonkeyPatch):
    """Byte by byte it would take days."""
    monkeypatch.setattr(small_file, "PIPE_SECONDS", 0.05)
    monkeypatch.setattr(os, "read", lambda number, size: b"#")
    read, write = os.pipe()
    try:
        with pytest.raises(ConfigError, match="did not end within"):
            load(f"/dev/fd/{read}")
    finally:
        os.close(read)
        os.close(write)


_PIPES = ("klvrelay run -c <(cat {0})", "klvrelay run -c /dev/stdin < {0}", "cat {0} | klvrelay run -c /dev/stdin")


@pytest.mark.parametrize("way", _PIPES)
def test_settings_may_come_through_a_pipe(way: str, tmp_path: Path):
    """For example from a program that decrypts them: they are read to the end, then their content is checked."""
    path = tmp_path / "relay.toml"
    path.write_text("# " + "x" * 100_000 + '\n[[sink]]\nurl = "mqtt://h"\nqos = 7\n')
    command = f'klvrelay() {{ {" ".join(COMMAND)} "$@"; }}; {way.format(path)}'

    done = subprocess.run(
        ["bash", "-c", command], env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
    )

    assert done.returncode == 2
    assert "line 4: sink.qos: " in done.stderr


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin", "/dev/tty"])
def test_a_command_reports_it_at_once(path: str):
    """With exit code 2."""
    done = subprocess.run(
        [*COMMAND, "run", "-c", path], env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=30,
    )  # fmt: skip

    assert done.returncode == 2
    assert done.stderr.startswith(f"klvrelay: {path}: can't be read: is a device")


def test_a_name_with_a_nul_is_no_name():
    """No system call accepts one."""
    with pytest.raises(ConfigError, match="without null characters"):
        read_small("a\0b", "key", 100)


@each_case(
    "form",
    ["{}=1", "[{}]", "[[{}]]", "x={{{}=1}}", "x=[\n {{ b=1, {}=1}}]", "  {} = 1"],
)
@each_case("part", ["a", '"a b"', "'a'", "a "])
def test_a_key_of_many_parts_is_refused_before_it_uses_memory(form: str, part: str, tmp_path: Path):
    """200 KB of one took 20 GB. Similar text in a value is no key."""
    path = tmp_path / "relay.toml"
    path.write_text(form.format(".".join([part] * 10_000)))
    with pytest.raises(ConfigError, match="more than 32 parts"):
        load(path)

    path.write_text(f'[[source]]\nurl = "udp://127.0.0.1:5000"\nstream = "{".".join("a" * 40)}"\n')
    assert len(load(path).sources) == 1


def test_names_of_thousands_of_sources_are_each_made_once():
    """All are alike; a number that is taken is skipped."""
    made = 0

    class Name(str):
        def __format__(self, spec: str) -> str:
            nonlocal made
            made += 1
            return str(self)

    names = distinct_names([[Name("cam")]] * 2000 + [["cam-7"]])

    assert made <= 2001
    assert len(set(names)) == 2001
    assert names[4:7] == ["cam-5", "cam-6", "cam-8"]
    assert names[-1] == "cam-7"
