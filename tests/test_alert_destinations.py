"""Webhooks, Apprise services and commands: taken, retried in bounds, given up; one that is dead hurts no other."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from http_far_end import PostReceiver, answer_of

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.destinations.apprise_service import AppriseService
from klvrelay.alerts.destinations.command import Command, environment
from klvrelay.alerts.destinations.contract import Notification, NotifyFault
from klvrelay.alerts.destinations.notifier import Notifier
from klvrelay.alerts.destinations.open import check_destinations
from klvrelay.alerts.destinations.outbox import WAITING_MOST, AlertOutbox
from klvrelay.alerts.destinations.webhook import Webhook
from klvrelay.alerts.rules import rules_of
from klvrelay.config.alerts import AlertsSettings, NotifySettings
from klvrelay.config.quiet_hours import QUIET
from klvrelay.config.sinks.http import HttpSettings
from klvrelay.errors import ConfigError
from klvrelay.text import Secret

CANARY = "c4n4ry-s3cret"
ALERT = Alert("5f2c9a-1", "no_klv", "stream", "uav1", "critical", 10.2, 10.2, 5.0, "s", 1_800_000_000_000_000,
              1_800_000_010_000_000, "no KLV for 10.2 s", "Check the sender.")  # fmt: skip
RULE = next(rule for rule in rules_of(AlertsSettings(), "stream", "uav1") if rule.id == "no_klv")

OLD_MODULES = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""Apprise loads modules of Python that are deprecated."""


@pytest.fixture
async def receiver() -> AsyncIterator[PostReceiver]:
    server = PostReceiver(None, 0)
    await server.start()
    yield server
    await server.close()


def webhook(url: str, **settings: Any) -> Webhook:
    return Webhook(HttpSettings.from_url(url, {"timeout": 4.0, **settings}))


async def test_a_webhook_gets_the_alert_as_signed_json(receiver: PostReceiver):
    """With an id that is the same at each attempt."""
    hook = webhook(f"{receiver.url}?token={CANARY}", sign_key=Secret("key"))
    assert await hook.send(Notification(ALERT)) == "status 204"
    (request,) = receiver.requests
    assert request.target == f"/records?token={CANARY}"
    assert request.fields["idempotency-key"] == '"5f2c9a-1-raised"'
    when, _, digest = request.fields["klvrelay-signature"].partition(",v1=")
    signed = f"{when.removeprefix('t=')}.".encode() + request.body
    assert digest == hmac.new(b"key", signed, hashlib.sha256).hexdigest()
    document = orjson.loads(request.body)
    assert (document["schema"], document["event"]) == ("klvrelay/notification/1", "raised")
    assert document["alert"] == ALERT.document()


@pytest.mark.parametrize(
    ("status", "is_final"),
    [(400, True), (401, True), (404, True), (302, True), (408, False), (429, False), (500, False)],
)
async def test_a_refusal_is_final_unless_the_server_may_take_it_later(
    receiver: PostReceiver, status: int, is_final: bool
):
    """Redirects are not followed."""
    receiver.answering = lambda _: answer_of(status)
    with pytest.raises(NotifyFault, match=str(status)) as raised:
        await webhook(receiver.url).send(Notification(ALERT))
    assert raised.value.is_final is is_final


async def test_a_webhook_that_is_down_is_reported_without_its_path():
    """The path of a webhook is often its secret."""
    with pytest.raises(NotifyFault, match="refused") as raised:
        await webhook(f"http://127.0.0.1:9/{CANARY}").send(Notification(ALERT))
    assert CANARY not in str(raised.value)
    assert not raised.value.is_final


async def test_a_server_that_answers_a_byte_at_a_time_is_given_up_in_time():
    """So is one that never answers."""
    ending = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for letter in b"HTTP/1.1 200 OK\r\n" * 100:
                writer.write(bytes([letter]))
                await writer.drain()
                async with asyncio.timeout(0.05):
                    await ending.wait()
        except (TimeoutError, ConnectionError):
            await ending.wait()
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(NotifyFault, match="no answer within"):
        await webhook(f"http://127.0.0.1:{port}/", timeout=0.3).send(Notification(ALERT))
    assert loop.time() - began < 3
    ending.set()
    server.close()
    await server.wait_closed()


def command(script: str, timeout: float = 10.0) -> Command:
    return Command((sys.executable, "-c", script), timeout)


async def test_a_command_gets_json_and_variables(monkeypatch: pytest.MonkeyPatch):
    """And none of the settings of klvrelay."""
    monkeypatch.setenv("KLVRELAY_RELAY_WAITING", "5")
    script = (
        "import json, os, sys; d = json.load(sys.stdin); e = os.environ;"
        "print(d['alert']['rule'], e['KLVRELAY_ALERT_NAME'], e['KLVRELAY_ALERT_EVENT'], 'KLVRELAY_RELAY_WAITING' in e)"
    )
    assert await command(script).send(Notification(ALERT)) == "exit code 0: no_klv uav1 raised False"


async def test_a_command_that_fails_hangs_or_floods_is_bounded():
    """Its output is read to its end, but only the first 500 bytes are kept."""
    with pytest.raises(NotifyFault, match="exit code 3: no"):
        await command("import sys; print('no'); sys.exit(3)").send(Notification(ALERT))
    with pytest.raises(NotifyFault, match=r"not done within 0\.3 s, killed"):
        await command("import time; time.sleep(60)", 0.3).send(Notification(ALERT))
    flood = await command("print('x' * 3_000_000)").send(Notification(ALERT))
    assert len(flood) == len("exit code 0: ") + 500
    with pytest.raises(NotifyFault, match="can't run /nowhere/page: No such file") as raised:
        await Command(("/nowhere/page",), 1).send(Notification(ALERT))
    assert raised.value.is_final


async def test_a_command_that_never_stops_to_write_is_killed():
    """Output that is not read would hide the end of the program, and stop all further alerts."""
    async with asyncio.timeout(20):
        with pytest.raises(NotifyFault, match="killed"):
            await command("import sys\nwhile True: sys.stdout.write('x' * 100_000)", 1.0).send(Notification(ALERT))


async def test_the_exit_code_of_a_command_counts_whatever_it_leaves_behind(tmp_path):
    """A child holds its output open, in another process group: the alert is sent once, and no descriptor is left."""
    script = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
        f" start_new_session=True); open({str(tmp_path / 'pid')!r}, 'w').write(str(p.pid))"
    )
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        assert await command(script).send(Notification(ALERT)) == "exit code 0"
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert len(os.listdir("/proc/self/fd")) <= before + 1  # of the loop itself


async def test_what_a_command_leaves_behind_is_killed(tmp_path):
    """A child that holds its output open."""
    script = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f" open({str(tmp_path / 'pid')!r}, 'w').write(str(p.pid))"
    )
    assert await command(script).send(Notification(ALERT)) == "exit code 0"
    pid = int((tmp_path / "pid").read_text())
    async with asyncio.timeout(10):
        while _runs(pid):
            await asyncio.sleep(0.01)


def _runs(pid: int) -> bool:
    """Is the process neither gone nor a zombie?"""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@OLD_MODULES
async def test_an_apprise_service_gets_title_and_text(receiver: PostReceiver):
    """By Apprise's own json:// plugin."""
    service = AppriseService(Secret(f"json://127.0.0.1:{receiver.port}/{CANARY}"), 5.0)
    receiver.answering = lambda request: answer_of(200)
    assert await service.send(Notification(ALERT)) == "sent"
    document = orjson.loads(receiver.requests[0].body)
    assert document["title"] == "[critical] uav1: no_klv"
    assert "no KLV for 10.2 s" in document["message"]
    assert document["type"] == "failure"


@OLD_MODULES
async def test_an_apprise_service_that_refuses_shows_no_secret(
    receiver: PostReceiver, caplog: pytest.LogCaptureFixture
):
    """Not in the fault, and not in the log of the library."""
    caplog.set_level(logging.DEBUG)
    receiver.answering = lambda request: answer_of(500)
    service = AppriseService(Secret(f"json://user:{CANARY}@127.0.0.1:{receiver.port}/{CANARY}"), 5.0)
    with pytest.raises(NotifyFault, match="did not take it") as raised:
        await service.send(Notification(ALERT))
    assert CANARY not in f"{raised.value}{caplog.text}"
    with pytest.raises(ConfigError, match="not a URL that Apprise knows") as wrong:
        AppriseService(Secret(f"nothing://{CANARY}"), 5.0)
    assert CANARY not in f"{wrong.value}{caplog.text}"


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch):
    """Before anything starts."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    settings = AlertsSettings(destinations=(NotifySettings("ops", apprise=Secret("json://h")),))
    with pytest.raises(ConfigError, match=r"notify ops: apprise: .*pip install 'klvrelay\[alerts\]'"):
        check_destinations(settings)


class ScriptedDestination:
    """Fails as often as it is set to; `got`: the ids that it took."""

    def __init__(self, failures: int = 0, *, is_final: bool = False) -> None:
        self.failures, self.is_final = failures, is_final
        self.tries = 0
        self.got: list[str] = []

    async def send(self, notification: Notification) -> str:
        self.tries += 1
        if self.tries <= self.failures:
            raise NotifyFault("down", is_final=self.is_final)
        self.got.append(notification.id)
        return "ok"


class Pauses:
    """Sleeps that take no time. `enough`: after so many, they last."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


async def delivered(outbox: AlertOutbox) -> None:
    """Run an outbox until it is empty."""
    running = asyncio.create_task(outbox.run())
    async with asyncio.timeout(10):
        while outbox.waiting or not (outbox.counts.sent + outbox.counts.failed):
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_retries_are_bounded_with_growing_pauses(caplog: pytest.LogCaptureFixture):
    """Then the notification is given up, and the next one is tried."""
    dead, pauses = ScriptedDestination(4), Pauses()
    outbox = AlertOutbox(NotifySettings("ops", command=("x",), retries=3), dead, pauses)
    outbox.put(Notification(ALERT))
    outbox.put(Notification(ALERT))
    await delivered(outbox)
    assert (outbox.counts.failed, outbox.counts.sent, outbox.counts.attempts_failed) == (1, 1, 4)
    assert len(pauses.seconds) == 3
    assert all(pause <= 2.0**n for n, pause in enumerate(pauses.seconds))
    assert "alert not sent: notify=ops kind=command reason='down" in caplog.text


async def test_a_final_fault_is_not_retried():
    """Such as a path that does not exist."""
    final, pauses = ScriptedDestination(1, is_final=True), Pauses()
    outbox = AlertOutbox(NotifySettings("ops", command=("x",)), final, pauses)
    outbox.put(Notification(ALERT))
    await delivered(outbox)
    assert (outbox.counts.failed, final.tries, pauses.seconds) == (1, 1, [])


async def test_what_waits_is_bounded():
    """The oldest are dropped, and counted."""
    outbox = AlertOutbox(NotifySettings("ops", command=("x",)), ScriptedDestination())
    for _ in range(WAITING_MOST + 20):
        outbox.put(Notification(ALERT))
    assert (outbox.waiting, outbox.counts.dropped) == (WAITING_MOST, 20)


def cleared(alert: Alert) -> Notification:
    return Notification(replace(alert, cleared_us=alert.raised_us + 1))


async def test_the_clear_of_an_alert_that_was_sent_is_never_dropped():
    """However many wait: alerts that were not sent are dropped, each with its clear."""
    destination = ScriptedDestination()
    outbox = AlertOutbox(NotifySettings("ops", command=("x",)), destination)
    alerts = [replace(ALERT, id=f"more-{n}") for n in range(WAITING_MOST + 50)]
    outbox.put(Notification(ALERT))
    await delivered(outbox)
    outbox.put(cleared(ALERT))
    for alert in alerts:
        outbox.put(Notification(alert))
    for alert in alerts:
        outbox.put(cleared(alert))
    assert outbox.waiting <= WAITING_MOST
    await delivered(outbox)
    seen = destination.got
    assert seen[:2] == ["5f2c9a-1-raised", "5f2c9a-1-cleared"]
    assert {one.removesuffix("-raised") for one in seen if one.endswith("-raised")} == {
        one.removesuffix("-cleared") for one in seen if one.endswith("-cleared")
    }
    assert outbox.counts.dropped == 2 * len(alerts) + 2 - len(seen)


def notifier(settings: AlertsSettings, found: dict[str, ScriptedDestination], wall: list[float]) -> Notifier:
    def opened(one: NotifySettings) -> ScriptedDestination:
        return found.setdefault(one.name, ScriptedDestination())

    return Notifier(settings, opened=opened, wall=lambda: wall[0], sleep=Pauses())


def destinations(**severities: Any) -> tuple[NotifySettings, ...]:
    return tuple(NotifySettings(name, command=("x",), severity=one) for name, one in severities.items())


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_severity_and_names_decide_who_gets_an_alert():
    """The clear goes to those that got the alert."""
    found: dict[str, ScriptedDestination] = {}
    sending = notifier(AlertsSettings(destinations=destinations(all="info", pager="critical")), found, [0.0])
    sending.start()
    warning = replace(ALERT, id="w", severity="warning")
    sending.note(warning, RULE)
    sending.note(replace(ALERT, id="c"), RULE)
    sending.note(replace(ALERT, id="n"), replace(RULE, notify=("all",)))
    sending.note(replace(warning, cleared_us=1), RULE)
    await settle()
    await sending.stop()
    assert found["all"].got == ["w-raised", "c-raised", "n-raised", "w-cleared"]
    assert found["pager"].got == ["c-raised"]


async def test_in_quiet_hours_only_critical_alerts_are_sent():
    """What is still raised at their end is sent then; a clear is sent where the alert was."""
    found: dict[str, ScriptedDestination] = {}
    wall = [23 * 3600.0]
    settings = AlertsSettings(destinations=destinations(ops="info"), quiet=QUIET.read("22:00-06:00"), zone="UTC")
    sending = notifier(settings, found, wall)
    sending.start()
    short, long, loud = (replace(ALERT, id=name, severity="warning") for name in ("short", "long", "loud"))
    sending.note(short, RULE)
    sending.note(long, RULE)
    sending.note(loud, replace(RULE, quiet=False))
    sending.note(ALERT, RULE)
    sending.note(replace(short, cleared_us=1), RULE)
    sending.note(replace(loud, cleared_us=1), RULE)
    sending.check()
    await settle()
    assert found["ops"].got == ["loud-raised", "5f2c9a-1-raised", "loud-cleared"]
    wall[0] = 31 * 3600.0
    sending.check()
    await settle()
    await sending.stop()
    assert found["ops"].got[3:] == ["long-raised"]


async def test_a_dead_destination_hurts_no_other_and_a_reload_keeps_what_waits():
    """Each has its own queue and task."""
    found = {"dead": ScriptedDestination(10**9)}
    settings = AlertsSettings(destinations=destinations(dead="info", ops="info"))
    sending = notifier(settings, found, [0.0])
    sending.start()
    sending.note(ALERT, RULE)
    await settle()
    assert found["ops"].got == ["5f2c9a-1-raised"]
    await sending.apply(AlertsSettings(destinations=(*settings.destinations[1:], *destinations(new="info"))))
    assert sending.counts()["ops"].sent == 1
    assert set(sending.counts()) == {"ops", "new"}
    await sending.stop()


@pytest.mark.parametrize("is_test", [True, False])
def test_a_command_can_tell_a_test_from_an_alert(is_test: bool):
    """By a variable, not by the name of the rule."""
    found = environment(Notification(ALERT, is_test=is_test))
    assert found["KLVRELAY_ALERT_TEST"] == str(is_test).lower()


def test_the_text_of_a_clear_begins_with_the_clear():
    """What was wrong follows, as it was when it was raised."""
    cleared = replace(ALERT, cleared_us=ALERT.since_us + 40_200_000, cleared_value=0.0, worst=40.0)
    lines = Notification(cleared).text.splitlines()
    assert lines[0].startswith("cleared: ")
    assert lines[0].endswith(", after 40.2 s")
    assert lines[-1] == f"When it was raised: {ALERT.text}"
    ended = Notification(replace(cleared, ended="the relay stops"))
    assert ended.text.startswith("ended (the relay stops): ")
    assert ended.title.startswith("[ended] ")


def test_the_environment_of_a_command_has_no_line_ends():
    """Whatever a stream is named."""
    found = environment(Notification(replace(ALERT, name="a\nb")))
    assert found["KLVRELAY_ALERT_NAME"] == "a\\nb"
    assert found["PATH"] == os.environ["PATH"]
