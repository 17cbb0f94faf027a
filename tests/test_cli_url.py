"""`--url` of `alerts` and `incidents`: both ask the real server of a relay, with its token and its certificate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from certificates import certified
from served_relay import LOCAL, alerting, board_of, flown, ledger, serving
from test_web_alerts import ALERT

from klvrelay.cli import main as cli
from klvrelay.config.web import WebSettings
from klvrelay.text import Secret
from klvrelay.web.observed import Observed

TOKEN = "0123456789abcdef-token"
Said = pytest.CaptureFixture[str]


@contextmanager
def relay(settings: WebSettings = LOCAL) -> Iterator[str]:
    """The URL of one with an incident and an alert. It has another event loop: commands need the main thread."""
    started: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        board = board_of([flown()])
        async with ledger(board) as incidents:
            found = alerting(board)
            patch.setattr(found.alerts, "raised", lambda: [ALERT])
            async with serving(Observed(board, incidents=incidents, alerting=found), settings) as served:
                started.set_result((served.url, asyncio.get_running_loop(), done := asyncio.Event()))
                await done.wait()

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as threads:
        serving_it = threads.submit(asyncio.run, serve())
        url, loop, done = started.result(timeout=20)
        try:
            yield url
        finally:
            loop.call_soon_threadsafe(done.set)
            serving_it.result(timeout=20)


def ran(capsys: Said, *argv: str) -> tuple[int, str, str]:
    code = cli.main(list(argv))
    return code, *capsys.readouterr()


def test_both_commands_ask_the_server_of_a_relay(capsys: Said):
    """What is raised, incidents, figures, and an acknowledgement."""
    with relay() as url:
        given = ("--url", url)
        code, out, _ = ran(capsys, "alerts", "list", *given)
        assert (code, "critical  uav1   no_klv" in out) == (0, True)
        code, out, _ = ran(capsys, "incidents", *given, "--json")
        (one,) = json.loads(out)["incidents"]
        assert (code, one["name"]) == (0, "uav1")
        assert ran(capsys, "incidents", "ack", one["id"], *given, "--by", "A")[0] == 0
        code, out, _ = ran(capsys, "incidents", *given, "--figures")
        assert (code, "stream uav1" in out, "relay" in out) == (0, True, True)
        assert "known: uav1" in ran(capsys, "incidents", *given, "--stream", "nix")[2]


def test_both_commands_take_the_token(capsys: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Of a file or the environment; without it they say how to give it."""
    monkeypatch.delenv("KLVRELAY_HTTP_TOKEN", raising=False)
    (file := tmp_path / "token").write_text(TOKEN)
    file.chmod(0o600)
    with relay(WebSettings("127.0.0.1:0", token=Secret(TOKEN))) as url:
        for verb in (["alerts", "list"], ["incidents"]):
            code, _, err = ran(capsys, *verb, "--url", url)
            assert (code, "--token-file, or KLVRELAY_HTTP_TOKEN" in err) == (2, True)
            assert ran(capsys, *verb, "--url", url, "--token-file", str(file))[0] == 0
            with monkeypatch.context() as patch:
                patch.setenv("KLVRELAY_HTTP_TOKEN", TOKEN)
                assert ran(capsys, *verb, "--url", url)[0] == 0


def test_both_commands_check_the_certificate(capsys: Said, tmp_path: Path):
    """One that is not trusted is explained; --ca-file trusts it."""
    authority, certificate = certified(tmp_path)
    with relay(WebSettings("127.0.0.1:0", cert_file=certificate)) as url:
        url = url.replace("http:", "https:")
        for verb in (["alerts", "list"], ["incidents"]):
            code, _, err = ran(capsys, *verb, "--url", url)
            assert (code, "not trusted" in err, "--ca-file" in err) == (3, True, True)
            assert ran(capsys, *verb, "--url", url, "--ca-file", authority)[0] == 0


@pytest.mark.parametrize("verb", [["alerts", "list"], ["incidents"]])
@pytest.mark.parametrize("option", ["--token-file", "--ca-file"])
def test_options_of_a_url_need_one(capsys: Said, verb: list[str], option: str):
    """They have no effect without it."""
    assert cli.main([*verb, option, "x"]) == 2
    assert f"{option}: has an effect with --url only" in capsys.readouterr().err
