"""The notifications to systemd: where they go, who may send them, and faults of the socket."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path

import pytest
from brokers import until
from cases import each_case
from service_manager import service_manager

from klvrelay.systemd.notify_socket import NotifySocket


@pytest.mark.parametrize("abstract", [False, True])
async def test_a_notification_arrives(abstract: bool, tmp_path: Path):
    """At a path, and at a name in the abstract namespace."""
    with service_manager(tmp_path, abstract=abstract) as manager:
        notify = NotifySocket(manager.address)
        assert notify.send("READY=1", "STATUS=3 of 4 streams live")
        await until(lambda: manager.heard)
        notify.close()
    assert [lines for _, lines in manager.heard] == [{"READY": "1", "STATUS": "3 of 4 streams live"}]


def test_child_processes_do_not_have_the_socket():
    """What the environment says is taken out of it."""
    limit = {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
    environment = {"NOTIFY_SOCKET": "/run/n", **limit, "HOME": "/"}

    notify = NotifySocket.take(environment)

    assert environment == {"HOME": "/"}
    assert notify is not None
    assert notify.watchdog == 30.0


@each_case("limit, process, seconds", [
    ("2500000", "", 2.5),
    ("2500000", str(os.getpid()), 2.5),
    ("2500000", "1", None),
    ("", "", None),
    ("0", "", None),
    ("-1", "", None),
    ("30s", "", None),
    ("9" * 400, "", None),
    ("\u0663", "", None),
])  # fmt: skip
def test_the_watchdog_is_that_of_this_process(limit: str, process: str, seconds: float | None):
    """Its time limit is a number of microseconds; for another process there is none."""
    notify = NotifySocket.take({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": limit, "WATCHDOG_PID": process})

    assert notify is not None
    assert notify.watchdog == seconds


@each_case("address", ["", "run/notify", "vsock:2:9999", "/", "@"])
def test_an_address_that_is_no_socket_is_ignored(address: str):
    """Neither a path nor a name."""
    assert NotifySocket.take({"NOTIFY_SOCKET": address}) is None


@each_case("address", ["/no/such/socket", "/" + "x" * 200, "/a\0b"])
def test_a_socket_that_fails_is_logged_once(address: str, caplog: pytest.LogCaptureFixture, monkeypatch):
    """And raises nothing."""
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    caplog.clear()
    notify = NotifySocket(address)
    assert [notify.send("WATCHDOG=1") for _ in range(3)] == [False] * 3
    assert len([message for message in caplog.messages if message.startswith("systemd not notified: reason=")]) == 1
    notify.close()


def test_a_full_socket_does_not_block(tmp_path: Path):
    """A service manager that reads nothing: the notification is not sent."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        notify = NotifySocket(str(tmp_path / "notify"))
        sent = [notify.send("WATCHDOG=1") for _ in range(5000)]
        notify.close()
    assert sent[0]
    assert not sent[-1]
