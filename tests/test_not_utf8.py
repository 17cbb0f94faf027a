"""Names with bytes that are not UTF-8, of files, in URLs, in the environment: a message at most, never a traceback."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import feed
import orjson
import pytest
from oracle_broker import OracleBroker
from records import record

from klvrelay.cli.main import main
from klvrelay.config import credentials
from klvrelay.errors import ConfigError
from klvrelay.sources.open import open_source

BROKEN = os.fsdecode(b"\xff")
TAPE = feed.recording(5)


@pytest.fixture
def tape(tmp_path: Path) -> str:
    """A recording whose name cannot be decoded."""
    path = tmp_path / f"{BROKEN}.ts"
    path.write_bytes(TAPE.ts)
    return str(path)


@pytest.mark.parametrize(
    "url", [f"srt://h:1?streamid={BROKEN}", f"srt://h:1?passphrase={BROKEN}0123456789", f"rtsp://u:{BROKEN}@h/live",
            f"https://h/{BROKEN}"],
    ids=["stream id", "passphrase", "password", "path"],
)  # fmt: skip
def test_a_url_that_is_not_utf8_is_refused_before_anything_starts(url: str):
    """One sentence that shows nothing of it."""
    with pytest.raises(ConfigError, match="the URL is not UTF-8 text") as refused:
        open_source(url)
    assert BROKEN not in str(refused.value)


def test_a_secret_of_the_environment_that_is_not_utf8_is_refused(monkeypatch: pytest.MonkeyPatch):
    """The message names it, like one in a file."""
    monkeypatch.setenv(credentials.SRT_PASSPHRASE, f"{BROKEN}0123456789")
    with pytest.raises(ConfigError, match="KLVRELAY_SRT_PASSPHRASE: is not UTF-8 text"):
        open_source("srt://h:1")


def test_a_record_of_a_stream_whose_name_is_not_utf8_is_json():
    """Its name is in the JSON as messages show it."""
    document = record(0)._replace(stream=f"a{BROKEN}").json()
    assert orjson.loads(document)["stream"] == "a\\udcff"


@pytest.mark.parametrize("verb", ["decode", "record", "run"])
async def test_a_file_whose_name_is_not_utf8_is_a_source_like_any_other(
    verb: str, tape: str, tmp_path: Path, oracle: OracleBroker
):
    """All its records, and no traceback."""
    more = {"decode": [], "record": [str(tmp_path / f"out{BROKEN}")], "run": ["--mqtt", oracle.url]}[verb]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "klvrelay", verb, os.fsencode(tape), *map(os.fsencode, more),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(20):
        out, said = await process.communicate()
    assert (process.returncode, b"Traceback" in said) == (0, False), said.decode()
    found = {
        "decode": len(out.splitlines()),
        "record": sum(path.read_bytes() == TAPE.ts for path in tmp_path.glob("out*/*.ts")) * 5,
        "run": len([topic for topic in (p.topic for p in oracle.published) if topic.endswith("/telemetry")]),
    }
    assert found[verb] == 5


@pytest.mark.parametrize("verb", ["run", "record", "watch"])
def test_a_stream_name_that_is_not_utf8_is_refused(verb: str, tape: str, capsys: pytest.CaptureFixture[str]):
    """Exit code 2, with the invalid character."""
    more = {"run": [tape, "--stream", BROKEN], "record": [tape, "out", "--stream", BROKEN], "watch": [BROKEN]}[verb]
    assert main([verb, *more, *([] if verb == "record" else ["--mqtt", "mqtt://127.0.0.1:1"])]) == 2
    assert "U+DCFF" in capsys.readouterr().err
