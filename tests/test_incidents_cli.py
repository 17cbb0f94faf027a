"""`klvrelay incidents`: lists, figures, acknowledgements, and errors that say what to do."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from incident_clock import NOON
from test_cli import ran
from test_incidents_ledger import incident

from klvrelay.cli.verbs.incident_tables import seconds_text
from klvrelay.incidents import database
from klvrelay.incidents.figures import FIGURES_MEMBERS
from klvrelay.incidents.incident import MEMBERS
from klvrelay.incidents.opening import NAME, connect
from klvrelay.incidents.parts import Part
from klvrelay.incidents.rows import RelayRun

Ran = pytest.CaptureFixture[str]


@pytest.fixture
def state(tmp_path: Path) -> str:
    """A ledger with three incidents of a run of 1000 s."""
    found = [
        incident(100, 50, id="aa0000000001"), incident(300, 10, id="ab0000000002", cause="network", message="=cmd|x"),
        incident(500, None, id="bb0000000003", subject="sink", name="mqtt", cause="broker"),
    ]  # fmt: skip
    parts: list[Part] = [("stream", "uav1"), ("stream", "uav2"), ("relay", "relay")]
    with closing(connect(tmp_path / NAME)) as connection:
        database.write(connection, found, [RelayRun("run1", NOON, NOON + 1_000_000_000, "stopped")], parts)
    return str(tmp_path)


def test_incidents_are_listed_the_latest_first(capfd: Ran, state: str):
    """As a table, with the first characters of the ids."""
    code, out, _ = ran(capfd, "incidents", "--state", state)
    lines = out.splitlines()
    assert (code, lines[0]) == (0, "3 incidents")
    assert [line.split()[0] for line in lines[3:]] == ["bb000000", "ab000000", "aa000000"]
    assert "open" in lines[3]
    assert "50.0 s" in lines[5]


def test_incidents_are_selected(capfd: Ran, state: str):
    """By stream, sink, cause, time, and whether they are open."""
    for words, ids in (
        (("--stream", "uav1"), ["ab", "aa"]), (("--sink", "mqtt"), ["bb"]), (("--cause", "source"), ["aa"]),
        (("--open",), ["bb"]), (("--limit", "1"), ["bb"]), (("--since", "2026-12-01T12:05:00"), ["bb", "ab"]),
        (("--stream", "uav1", "--cause", "broker"), []),
    ):  # fmt: skip
        code, out, _ = ran(capfd, "incidents", "--state", state, "--json", *words)
        assert code == 0
        assert [one["id"][:2] for one in json.loads(out)["incidents"]] == ids, words


def test_csv_has_all_members_and_no_formulas(capfd: Ran, state: str):
    """A spreadsheet must not run what a far end said."""
    _, out, _ = ran(capfd, "incidents", "--state", state, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert tuple(rows[0]) == tuple(name for name in MEMBERS if name != "schema")
    assert [row["message"] for row in rows][1] == "'=cmd|x"
    _, out, _ = ran(capfd, "incidents", "--state", state, "--csv", "--stream", "none")
    assert out.count("\n") == 1


def test_the_figures_are_printed(capfd: Ran, state: str):
    """As a table, as JSON and as CSV."""
    words = ("incidents", "--state", state, "--figures", "--since", "2026-12-01", "--stream", "uav1")
    code, out, _ = ran(capfd, *words)
    assert code == 0
    assert [line.split()[:3] for line in out.splitlines()[3:]] == [
        ["stream", "uav1", "all"], ["stream", "uav1", "network"], ["stream", "uav1", "source"]
    ]  # fmt: skip
    _, out, _ = ran(capfd, *words, "--json")
    first = json.loads(out)["figures"][0]
    assert (first["mttr_s"], first["availability"], first["observed_s"]) == (30.0, 0.94, 1000.0)
    _, out, _ = ran(capfd, *words, "--csv")
    assert tuple(next(csv.reader(io.StringIO(out)))) == FIGURES_MEMBERS


def test_parts_without_incidents_are_in_the_figures(capfd: Ran, state: str):
    """Each that the relay had in the period, with its availability, observed time and downtime."""
    _, out, _ = ran(capfd, "incidents", "--state", state, "--figures", "--since", "2026-12-01")
    lines = out.splitlines()
    assert all(column in lines[2] for column in ("time to detect", "downtime", "observed", "lost", "delayed"))
    rows = {tuple(line.split()[:3]): line for line in lines[3:]}
    assert "100.000 %" in rows["stream", "uav2", "all"]
    assert "16 min 40 s" in rows["stream", "uav2", "all"]
    assert ("relay", "all", "0") in rows
    _, out, _ = ran(capfd, "incidents", "--state", state, "--figures", "--since", "2026-12-02")
    assert "uav2" not in out


@pytest.mark.parametrize("words", [(), ("--figures",)])
def test_an_unknown_name_is_a_warning(capfd: Ran, state: str, words: tuple[str, ...]):
    """With the names that the ledger knows."""
    code, _, err = ran(capfd, "incidents", "--state", state, "--stream", "uav11", *words)
    assert (code, err.count("\n")) == (0, 1)
    assert "no stream of this name is in the ledger: uav11; did you mean uav1?; known: uav1, uav2" in err
    assert "known: mqtt" in ran(capfd, "incidents", "--state", state, "--sink", "nix", *words)[2]
    assert ran(capfd, "incidents", "--state", state, "--stream", "uav2", *words)[2] == ""


def test_an_incident_is_acknowledged(capfd: Ran, state: str):
    """By the first characters of its id; the list shows who did so."""
    words = ("--state", state, "--by", "A. Operator", "--note", "antenna exchanged")
    code, out, _ = ran(capfd, "incidents", "ack", "aa", *words)
    assert (code, out) == (0, "acknowledged aa0000000001: stream uav1, source\n")
    _, out, _ = ran(capfd, "incidents", "--state", state)
    assert "A. Operator: antenna exchanged" in out


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("ack", "a", "--by", "x"), "several ids begin so: aa0000000001, ab0000000002"),
        (("ack", "zz", "--by", "x"), "no incident has this id"),
        (("ack",), "give the id of the incident"),
        (("ack", "aa", "--by", ""), "at most 100 printable"),
        (("ack", "aa", "--open"), "--open: has no effect with ack"),
        (("--note", "x"), "--note: has an effect only with ack"),
        (("--cause", "brokr"), "did you mean"),
        (("--since", "yesterday"), "such as 24h or 7d"),
        (("--limit", "0"), "must be from 1"),
        (("--stream", "a", "--sink", "b"), "give one of them"),
        (("--url", "http://127.0.0.1:1"), "give one of them"),
        (("nonsense",), "nonsense"),
    ],
)
def test_wrong_words_are_refused(capfd: Ran, state: str, words: tuple[str, ...], text: str):
    """With what is valid."""
    code, out, err = ran(capfd, "incidents", *words, "--state", state)
    assert (code, out) == (2, "")
    assert text in err


def test_the_state_directory_must_be_known(capfd: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str):
    """From the option, the settings, the environment or systemd."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    code, _, err = ran(capfd, "incidents")
    assert (code, "no state directory: give --state DIR" in err) == (2, True)
    settings = tmp_path / "relay.toml"
    settings.write_text(f'[relay]\nstate = "{state}"\n')
    assert "3 incidents" in ran(capfd, "incidents", "-c", str(settings))[1]
    monkeypatch.setenv("STATE_DIRECTORY", state)
    assert "3 incidents" in ran(capfd, "incidents")[1]
    monkeypatch.setenv("KLVRELAY_RELAY_STATE", str(tmp_path / "other"))
    code, _, err = ran(capfd, "incidents")
    assert (code, "no ledger of incidents" in err) == (2, True)


def test_a_damaged_ledger_is_one_line(capfd: Ran, tmp_path: Path):
    """No traceback, and nothing is changed."""
    (tmp_path / NAME).write_bytes(b"damaged" * 2000)
    code, _, err = ran(capfd, "incidents", "--state", str(tmp_path))
    assert (code, err.count("\n")) == (1, 1)
    assert "the ledger is damaged" in err
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@contextmanager
def api(status: int, answer: Any) -> Iterator[tuple[str, list[Any]]]:
    """A server with one answer; its URL, and what it was asked."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            asked.append((self.command, self.path, self.headers.get("Authorization"), self.rfile.read(size)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

        do_PATCH = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_running_relay_is_asked(capfd: Ran, monkeypatch: pytest.MonkeyPatch):
    """Over its API, with its token; the answer is shown in the same way."""
    monkeypatch.setenv("KLVRELAY_HTTP_TOKEN", "s3cret")
    one = incident(1).document()
    with api(200, {"incidents": [one]}) as (url, asked):
        assert json.loads(ran(capfd, "incidents", "--url", url, "--json", "--open")[1]) == {"incidents": [one]}
    assert asked == [("GET", "/api/v1/incidents?limit=100&open=true", "Bearer s3cret", b"")]
    with api(200, one) as (url, asked):
        assert "acknowledged" in ran(capfd, "incidents", "ack", "a/b", "--url", url, "--by", "x")[1]
    assert asked[0][:2] == ("PATCH", "/api/v1/incidents/a%2Fb")
    assert json.loads(asked[0][3]) == {"by": "x", "note": None}


def test_a_refusal_of_a_running_relay_is_one_line(capfd: Ran):
    """A wrong token, something that is no relay, and nothing at all."""
    with api(401, {"title": "send the token"}) as (url, _):
        code, _, err = ran(capfd, "incidents", "--url", url)
        assert (code, "send the token (HTTP 401); give its token: --token-file" in err) == (2, True)
    with api(200, b"<html>") as (url, _):
        code, _, err = ran(capfd, "incidents", "--url", url)
        assert (code, "the answer is not that of a relay" in err) == (3, True)
    code, _, err = ran(capfd, "incidents", "--url", "http://127.0.0.1:1")
    assert (code, "connection refused" in err) == (3, True)
    code, _, err = ran(capfd, "incidents", "--url", "ftp://x")
    assert (code, "--url: must be http://host:port" in err) == (2, True)


def test_times_are_readable():
    """Two units at most."""
    shown = {0.04: "0.0 s", 2.44: "2.4 s", 723.0: "12 min 03 s", 18_420.0: "5 h 07 min", 273_600.0: "3 d 04 h"}
    assert {seconds: seconds_text(seconds) for seconds in shown} == shown
