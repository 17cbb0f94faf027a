"""`klvrelay alerts`: rules with their values and origins, raised alerts of a running relay, test alerts."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import orjson
import pytest
from cases import each_case

from klvrelay.cli import main as cli
from klvrelay.cli.verbs import alerts
from klvrelay.cli.verbs.relay_http import RelayHttp
from klvrelay.config.alert_rules import RULE_IDS

CANARY = "c4n4ry-s3cret"
REST = '[[source]]\nurl = "udp://:5000"\n[[sink]]\nurl = "mqtt://127.0.0.1"\n'


def written(folder: Path, text: str) -> str:
    path = folder / "relay.toml"
    path.write_text(f"{text}\n{REST}")
    path.chmod(0o600)
    return str(path)


def test_all_rules_are_listed_with_their_values(capsys: pytest.CaptureFixture[str]):
    """Without settings: the defaults."""
    assert cli.main(["alerts", "list"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["RULE", "FOR", "THRESHOLD", "CLEAR", "UNIT", "HOLD", "REARM", "SEVERITY", "FROM"]
    assert [line.split()[0] for line in lines] == list(RULE_IDS)
    assert all(line.endswith(("default", "off")) for line in lines)


def test_values_of_the_settings_are_listed_with_their_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Those for some streams beside the others; as they apply to one stream."""
    path = written(tmp_path, '[[alert]]\nrule = "no_klv"\nstream = "uav*"\nhold = "20s"\n'
                             '[[alert]]\nrule = "checksum"\nenabled = false')  # fmt: skip
    assert cli.main(["alerts", "list", "-c", path, "--json"]) == 0
    rows = orjson.loads(capsys.readouterr().out)["rules"]
    found = [(row["for"], row["hold_s"], row["origin"]) for row in rows if row["rule"] == "no_klv"]
    assert found == [("every stream", 5.0, "default"), ("uav*", 20.0, f"{path}:1")]
    assert [row["severity"] for row in rows if row["rule"] == "checksum"] == ["off"]
    assert cli.main(["alerts", "list", "-c", path, "--stream", "uav7"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("no_klv") and "20 s" in line for line in lines)
    assert not any(line.startswith("checksum") for line in lines)


@each_case(("script", "code", "said"), [
    ("print('ok')", 0, "ops (command): sent: exit code 0: ok\n"),
    ("raise SystemExit(3)", 1, "ops (command): not sent: exit code 3\n"),
])  # fmt: skip
def test_a_test_alert_says_what_happened(
    script: str, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Exit code 1 if it was not taken."""
    path = written(tmp_path, f'[[notify]]\nname = "ops"\ncommand = ["{sys.executable}", "-c", "{script}"]')
    assert cli.main(["alerts", "test", "ops", "-c", path]) == code
    assert capsys.readouterr().out == said


def test_a_webhook_that_is_down_is_named_without_its_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Its path and query are not shown."""
    path = written(tmp_path, f'[[notify]]\nname = "ops"\nurl = "http://127.0.0.1:9/{CANARY}?t={CANARY}"')
    assert cli.main(["alerts", "test", "ops", "-c", path]) == 1
    out, err = capsys.readouterr()
    assert "ops (webhook): not sent: connection refused" in out
    assert CANARY not in out + err


@each_case(("words", "fault"), [
    (["test"], "give the name of a [[notify]]"),
    (["test", "opz", "-c", "FILE"], "no [[notify]] has the name opz; did you mean ops?"),
    (["test", "ops", "--url", "http://h"], "--url: has an effect with list only"),
    (["list", "uav1"], "for one stream: --stream uav1"),
    (["list", "--token-file", "x"], "--token-file: has an effect with --url only"),
    (["list", "--url", "http://h", "-c", "x"], "--url: not together with --config"),
    (["list", "--url", "mqtt://h"], "--url: must be http://host:port"),
    (["lists"], "invalid choice"),
])  # fmt: skip
def test_wrong_arguments_are_explained(
    words: list[str], fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """With exit code 2."""
    path = written(tmp_path, '[[notify]]\nname = "ops"\ncommand = ["x"]')
    assert cli.main(["alerts", *(path if word == "FILE" else word for word in words)]) == 2
    assert fault in capsys.readouterr().err


async def test_what_a_running_relay_has_raised_is_listed(capsys: pytest.CaptureFixture[str]):
    """From its API, with its token."""
    raised = {"severity": "critical", "name": "uav1", "rule": "no_klv", "since": "now", "text": "no KLV"}
    raised["advice"] = "Go."
    body = orjson.dumps([raised])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        assert request.startswith(b"GET /api/v1/alerts HTTP/1.1")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    assert await alerts.list_raised(RelayHttp(url), as_json=False) == 0
    server.close()
    await server.wait_closed()
    assert "critical  uav1   no_klv  now    no KLV  Go." in capsys.readouterr().out


def test_the_notification_of_a_test_is_marked():
    """So that a receiver can ignore it."""
    document = orjson.loads(alerts.test_notification().body)
    assert document["test"] is True
    assert document["alert"]["rule"] == "test"
