"""Stream names that would break a message, a log or a table are refused when they are read; text of far ends stays on
one line.
"""

from __future__ import annotations

import logging
import unicodedata
from pathlib import Path

import pytest
from cases import each_case

import klvrelay
from klvrelay.cli import main as cli
from klvrelay.cli.redaction import Redaction
from klvrelay.config.choice import Choice
from klvrelay.config.names import LEVEL_LIMIT, checked_name
from klvrelay.config.settings import RelaySettings, SourceSettings
from klvrelay.config.settings_file import load
from klvrelay.config.url import Url
from klvrelay.decoder import Decoder
from klvrelay.errors import ConfigError, SinkDown, SinkRefused, SourceDown
from klvrelay.log import log_later, logger
from klvrelay.recording import Recorder
from klvrelay.recordings.limits import RecordingLimits

REFUSED = {
    "control": "a\x00b",
    "line end": "a\nb",
    "escape": "a\x1b[31m",
    "delete": "a\x7f",
    "C1 control": "a\x9bb",
    "format": "a\u202eb",
    "zero width": "a\u200b",
    "byte order mark": "\ufeffa",
    "astral format": "a\U000e0001",
    "unassigned": "a\u0378",
    "noncharacter": "a\uffff",
    "surrogate": "a\udcff",
    "private use": "a\ue000",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "no-break space": "a\u00a0b",
    "leading blank": " a",
    "trailing blank": "a ",
    "blank": " ",
    "empty": "",
    "long": "a" * (2 * LEVEL_LIMIT + 1),
    "url": "rtsp://u:pw@h",
}


@each_case("name", REFUSED.values(), ids=REFUSED)
def test_a_name_that_does_not_fit_on_a_line_is_refused(name: str):
    """Everything that takes a name refuses it; the message names the key and has no such character."""
    takers = {
        "stream": lambda: SourceSettings(Url.parse("a.ts"), stream=name),
        "pids": lambda: SourceSettings(Url.parse("a.ts"), pids={257: name}),
        "pids ": lambda: Choice(names={257: name}),
        "stream ": lambda: Recorder(lambda: None, "out", name, RecordingLimits()),
    }
    if name:  # a decoder without a name makes records without a stream name
        takers["stream  "] = lambda: Decoder(name, None)
        takers["stream   "] = lambda: list(klvrelay.open("/nowhere/a.ts", name=name))
    for key, take in takers.items():
        with pytest.raises(ConfigError) as refused:
            take()
        said = str(refused.value)
        assert said.startswith(f"{key.strip()}: ")
        assert said.isprintable()
        assert len(said) < 200


@each_case("name", [name for kind, name in REFUSED.items() if kind != "surrogate"])  # not UTF-8
@each_case("key", ["stream", "pids"])
def test_settings_name_the_key_and_the_line(key: str, name: str, tmp_path: Path):
    """As for any other mistake in the file."""
    quoted = "".join(f"\\U{ord(c):08x}" for c in name)
    value = f'"{quoted}"' if key == "stream" else f'{{0x101 = "{quoted}"}}'
    path = tmp_path / "relay.toml"
    path.write_text(f'[[source]]\nurl = "a.ts"\n{key} = {value}\n')

    with pytest.raises(ConfigError, match=rf"line 3: source\.{key}: ") as refused:
        load(path)

    assert str(refused.value).isprintable()


@each_case("name", [name for name in REFUSED.values() if "\x00" not in name])
@each_case(
    "command",
    [["run", "a.ts", "--mqtt", "mqtt://127.0.0.1:1"], ["replay", "a.ts", "--mqtt", "mqtt://127.0.0.1:1"],
     ["record", "a.ts", "out"]],
    ids=lambda command: command[0],
)  # fmt: skip
def test_a_command_refuses_it(command: list[str], name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """With exit code 2, and one line that names the option."""
    assert cli.main([*command, "--stream", name]) == 2
    lines = capfd.readouterr().err.split("\n")
    assert lines[-2].startswith("klvrelay: --stream: ")
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("name", ["uav1", "cam 1", "Zürich/nord", "飛行", "a+#$%", "x" * LEVEL_LIMIT, "kestrel: 2"])
def test_other_names_are_accepted_unchanged(name: str):
    """Any script, any printable sign: the topic's level is made of them elsewhere."""
    assert checked_name(name) == name


def test_a_longest_name_may_be_made_of_two_urls():
    """The number after the second one does not make a name that is refused when the relay runs."""
    sources = tuple(SourceSettings(Url.parse(f"/{folder}/{'a' * LEVEL_LIMIT}.ts")) for folder in "xy")
    assert [len(name) for name, _ in RelaySettings(sources).named()] == [LEVEL_LIMIT + 2, LEVEL_LIMIT + 2]
    for name, _ in RelaySettings(sources).named():
        assert Decoder(name, None).stream == name


def test_every_character_is_either_printable_or_refused():
    """All 1,114,112: no unprintable category is accepted."""
    silent = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    passed = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) in silent and c.isprintable()]
    assert passed == []


HOSTILE = "no\r\n12:00:00 uav1: all is well\x1b[2J\u202e\u2028\x9b\x00"


@pytest.mark.parametrize("kind", [SourceDown, SinkDown, SinkRefused])
def test_an_error_with_text_of_a_far_end_is_one_line(kind: type[Exception]):
    """A broker's reason, a server's banner, a response's phrase, whichever message contains it."""
    assert str(kind(f"far end: {HOSTILE}")).isprintable()


def test_a_log_line_is_one_line(capfd: pytest.CaptureFixture[str]):
    """Whatever it quotes, even where the caller did not escape it."""
    log_later(Redaction(()), quiet=False)
    logger()
    logging.getLogger("klvrelay").warning("%s: it says %s", "uav1", HOSTILE)
    logging.getLogger("klvrelay.sources").error(HOSTILE)

    lines = capfd.readouterr().err.split("\n")
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    assert r"\r\n12:00:00 uav1" in lines[0]


def test_a_log_line_shows_no_password_of_the_command_line(capfd: pytest.CaptureFixture[str]):
    """Even where a library quotes its arguments."""
    log_later(Redaction(["run", "rtsp://u:c4n4ry@h/x", "--mqtt=mqtt://v:s3cret@h"]), quiet=False)
    logger()
    logging.getLogger("klvrelay").warning("%s", "can't open 'rtsp://u:c4n4ry@h/x', mqtt://v:s3cret@h, x:c4n4ry@h")

    said = capfd.readouterr().err
    assert said.endswith("can't open 'rtsp://***@h/x', mqtt://***@h, ***\n")
