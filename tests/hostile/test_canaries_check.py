"""No output of `check` and `--print-config` contains a secret: in files, in the environment, at peers, in warnings."""

from __future__ import annotations

import contextlib
import os

import pytest
from canaries import LOGIN, PASSWORD, TOKEN, USER, malformed, well_formed
from test_canaries import CONFIGURATIONS, home, search, tempfile

__all__ = ["home", "search"]  # fixtures

OUTPUTS = (["--json"], ["--print-config"], ["--connect", "--seconds", "0.2"])
PLACES = {
    "KLVRELAY_SOURCE_CAM_URL": "rtsp", "KLVRELAY_SINK_MQTT_URL": "mqtt", "KLVRELAY_SOURCE_CAM_STREAM": "rtsp",
    "KLVRELAY_SINK_MQTT_PREFIX": "mqtt", "KLVRELAY_SINK_MQTT_QOS": "mqtt", "KLVRELAY_SINK_MQTT_CA_FILE": "mqtt",
    "KLVRELAY_SOURCE_CAM_PIDS": "rtsp", "KLVRELAY_SPOOL_PATH": "mqtt", "KLVRELAY_SPOL_PATH": "mqtt",
    "KLVRELAY_SOURCE_CAM_PASSWORD_FILE": "rtsp", "KLVRELAY_SINK_MQTT_PASSWORD_ENV": "mqtt",
}  # fmt: skip


@pytest.mark.parametrize("place", CONFIGURATIONS)
def test_a_mistyped_url_in_a_file_is_not_quoted(place, search):
    """In any place, and in any form of output."""
    for name, url in malformed("rtsp").items():
        escaped = url.replace("\\", "\\\\").replace("\n", "\\n").replace("\x1b", "\\u001b")
        with tempfile(CONFIGURATIONS[place].replace("{url}", escaped)) as path:
            for output in OUTPUTS[:2]:
                search.run(f"{place}, {name}, {output}", "check", path, *output)

    search.check(52)


FILE = f"""\
[[sink]]
url = "mqtt://{LOGIN}@127.0.0.1:1"
[[sink]]
name = "keys"
url = "mqtts://127.0.0.1:1"
username = "{USER}"
password = "{PASSWORD}"
[[source]]
url = "http://127.0.0.1:1/x"
username = "{USER}"
password = "{PASSWORD}"
[[source]]
url = "srt://127.0.0.1:1?streamid={TOKEN}"
passphrase = "{PASSWORD}"
"""


def test_a_valid_file_is_printed_without_its_secrets(search):
    """Nor does a warning that others can read the file, or a source or broker that is tried."""
    for number, url in enumerate(well_formed("rtsp", 1).values()):
        with tempfile(f'{FILE}[[source]]\nurl = "{url}"\nstream = "cam{number}"\n') as path:
            for output in OUTPUTS if number < 3 else OUTPUTS[:2]:
                search.run(f"{number}, {output}", "check", path, *output)
            os.chmod(path, 0o644)
            search.run(f"{number}, run", "run", "-c", path, "--print-config")

    search.check(3 * 4 + 8 * 3)


@pytest.mark.parametrize("name", PLACES)
def test_a_variable_is_not_quoted(name, search, monkeypatch):
    """Valid, mistyped or unknown."""
    monkeypatch.setenv("KLVRELAY_SOURCE_CAM_URL", "udp://127.0.0.1:5000")
    monkeypatch.setenv("KLVRELAY_SINK_MQTT_URL", "mqtts://127.0.0.1:1")
    monkeypatch.setenv("KLVRELAY_MQTT_PASSWORD", PASSWORD)
    runs = 0
    for kind, url in (well_formed(PLACES[name], 1) | malformed(PLACES[name])).items():
        with contextlib.suppress(ValueError):  # NUL
            monkeypatch.setenv(name, url)
        for output in OUTPUTS[:2]:
            search.run(f"{name}, {kind}, {output}", "check", *output)
            runs += 1

    search.check(runs)
    assert runs > 50
