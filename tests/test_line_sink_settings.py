"""Line sinks in settings: one far end each, a name each, and what `--print-config` shows."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from conftest import ROOT

from klvrelay.cli import main as cli

ORBIT = ROOT / "samples" / "orbit.ts"


@pytest.mark.parametrize(("url", "shown"), [("-", "standard output"), ("tcp://h:5", "tcp://h:5")])
def test_two_sinks_of_the_command_line_cannot_have_one_far_end(
    url: str, shown: str, capfd: pytest.CaptureFixture[str]
):
    """Their lines would intermix, or arrive twice."""
    assert cli.main(["replay", str(ORBIT), "--sink", url, "--sink", "udp://h:5", "--sink", url]) == 2
    assert f"{shown} is used by two sinks; give each its own" in capfd.readouterr().err


def test_a_sink_of_the_command_line_cannot_have_the_far_end_of_one_in_the_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """As two in the file."""
    (tmp_path / "relay.toml").write_text(f'[[sink]]\nurl = "-"\n[[source]]\nurl = "{ORBIT}"\n')
    assert cli.main(["run", "-c", str(tmp_path / "relay.toml"), "--sink", "-"]) == 2
    assert "standard output is used by two sinks" in capfd.readouterr().err


def test_sinks_of_a_file_without_a_name_are_refused_with_the_cause(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """The name in the error is not in the file."""
    sinks = "".join(f'[[sink]]\nurl = "tcp://h:{port}"\n' for port in (1, 2))
    (tmp_path / "relay.toml").write_text(f'{sinks}[[source]]\nurl = "{ORBIT}"\n')
    assert cli.main(["check", str(tmp_path / "relay.toml")]) == 2
    said = capfd.readouterr().err
    assert "line 3: sink.name: lines, the name of this sink unless it has another, is used by two sinks" in said


def test_the_printed_settings_have_the_url_of_standard_output(capfd: pytest.CaptureFixture[str]):
    """So that they are a valid file."""
    assert cli.main(["run", str(ORBIT), "--sink", "-", "--print-config"]) == 0
    (sink,) = tomllib.loads(capfd.readouterr().out)["sink"]
    assert sink["url"] == "-"


@pytest.mark.parametrize(
    ("url", "more", "said"),
    [
        ("tcp://h:5", 'preset = "state"', "state is not available for tcp"),
        ("udp://h:5", "qos = 1", "outputs of udp have no such setting"),
        ("unix:///s", 'name = "n"\nformat = "cbor"', "must be one of json, klv for unix"),
        ("-", 'preset = "state"', "state is not available for -"),
    ],
)
def test_an_output_that_is_not_available_is_refused_for_the_scheme_of_the_url(
    url: str, more: str, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """Messages have the word that is in the file."""
    text = f'[[sink]]\nurl = "{url}"\n[[sink.output]]\n{more}\n[[source]]\nurl = "{ORBIT}"\n'
    (tmp_path / "relay.toml").write_text(text)
    assert cli.main(["check", str(tmp_path / "relay.toml")]) == 2
    assert said in capfd.readouterr().err


@pytest.mark.parametrize(
    ("url", "more", "said"),
    [
        ("-", "keepalive = 5", "- has no such setting; it belongs to mqtt"),
        ("mqtt://h", 'framing = "klv"', "mqtt has no such setting; it belongs to tcp, udp, unix and -"),
    ],
)
def test_a_setting_of_another_kind_is_refused_for_the_scheme_of_the_url(
    url: str, more: str, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """And the kinds that have the setting are called by their schemes."""
    (tmp_path / "relay.toml").write_text(f'[[sink]]\nurl = "{url}"\n{more}\n[[source]]\nurl = "{ORBIT}"\n')
    assert cli.main(["check", str(tmp_path / "relay.toml")]) == 2
    assert said in capfd.readouterr().err
