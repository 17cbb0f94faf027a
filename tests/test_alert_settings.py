"""The settings of alerts: what is valid, and what each fault says."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import each_case

from klvrelay.config.alerts import AlertsSettings
from klvrelay.config.faults import InvalidSettings
from klvrelay.config.settings_file import read_settings
from klvrelay.text import Secret

CANARY = "c4n4ry-s3cret"
REST = '[[source]]\nurl = "udp://:5000"\n[[sink]]\nurl = "mqtt://127.0.0.1"\n'


def read(folder: Path, text: str) -> AlertsSettings:
    path = folder / "relay.toml"
    path.write_text(f"{text}\n{REST}")
    path.chmod(0o600)
    return read_settings(path).settings.alerts


def test_all_tables_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With secrets from wherever they are."""
    monkeypatch.setenv("KLVRELAY_HOOK_TOKEN", CANARY)
    found = read(
        tmp_path,
        '[alerts]\nquiet = "22:00-06:00"\nzone = "Europe/Berlin"\nstartup = "5s"\nhold = "1s"\n'
        '[[alert]]\nrule = "no_klv"\nstream = ["uav*", "cam"]\nthreshold = 20\nhold = 0\nnotify = []\n'
        '[[alert]]\nrule = "sink_down"\nsink = "mqtt"\nenabled = false\n'
        '[[alert]]\nrule = "geofence:zone"\nseverity = "critical"\n'
        '[[geofence]]\nname = "zone"\nfile = "zone.geojson"\nof = ["platform", "target"]\n'
        'when = "dwell"\ndwell = "2m"\n'
        '[[notify]]\nname = "hook"\nurl = "https://example.org/x"\nsecret_env = "KLVRELAY_HOOK_TOKEN"\n'
        '[[notify]]\nname = "page"\ncommand = ["/bin/page", "-x"]\nseverity = "critical"\nretries = 0\n',
    )
    assert [entry.rule for entry in found.entries] == ["no_klv", "sink_down", "geofence:zone"]
    assert (found.entries[0].threshold, found.entries[0].hold, found.entries[0].notify) == (20.0, 0.0, ())
    assert (found.geofences[0].of, found.geofences[0].dwell) == (("platform", "target"), 120.0)
    hook, page = found.destinations
    assert hook.web is not None
    assert hook.web.sign_key == Secret(CANARY)
    assert (page.command, page.severity, page.retries, page.kind) == (("/bin/page", "-x"), "critical", 0, "command")
    assert (str(found.quiet), found.zone, found.startup, found.hold) == ("22:00-06:00", "Europe/Berlin", 5.0, 1.0)


FAULTS = [
    ('[[alert]]\nrule = "no_kvl"', "alert.rule: unknown rule; did you mean no_klv?"),
    ('[[alert]]\nhold = "5s"', "alert.rule: missing: every [[alert]] needs one"),
    ('[[alert]]\nrule = "no_klv"\nholds = "5s"', "alert.holds: unknown setting; did you mean hold?"),
    ('[[alert]]\nrule = "no_klv"\nhold = 5', 'alert.hold: must be a time from "100ms" to "1d", or 0'),
    ('[[alert]]\nrule = "no_klv"\nseverity = "criticall"', "did you mean critical?"),
    ('[[alert]]\nrule = "no_klv"\nsink = "mqtt"', "alert.sink: has no effect: no_klv is a rule of streams"),
    ('[[alert]]\nrule = "disk_space"\nstream = "uav1"', "has no effect: disk_space is a rule of the relay"),
    ('[[alert]]\nrule = "checksum"\nclear = 0.5', "alert.clear: must not be above the threshold, 0.05 share"),
    ('[[alert]]\nrule = "klv_rate"\nclear = 0.2', "alert.clear: must not be below the threshold, 0.5 share"),
    ('[[alert]]\nrule = "altitude_above"', "alert.threshold: missing: altitude_above has no default, in m"),
    ('[[alert]]\nrule = "no_klv"\nnotify = "op"\n[[notify]]\nname = "ops"\ncommand = ["x"]', "did you mean ops?"),
    ('[[alert]]\nrule = "geofence:zone"', "alert.rule: no [[geofence]] has the name zone"),
    ('[[geofence]]\nname = "a"', "geofence.file: missing"),
    ('[[geofence]]\nname = "a"\nfile = "f"\nof = ["plattform"]', "did you mean platform?"),
    ('[[geofence]]\nname = "a"\nfile = "f"\nwhen = "look_at"', "did you mean looks_at?"),
    ('[[notify]]\nname = "a"', "notify.url: missing: give url, apprise or command"),
    ('[[notify]]\nname = "a"\nurl = "http://h"\ncommand = ["x"]', "notify.command: url is given too; give only one"),
    ('[[notify]]\nname = "a"\ncommand = "x"', "notify.command: must be an array of words"),
    ('[[notify]]\nname = "a"\ncommand = ["x"]\nsecret = "s"', "notify.secret: applies to url only"),
    ('[[notify]]\nname = "a b"\ncommand = ["x"]', "notify.name: must be a name of at most 32 letters"),
    ('[[notify]]\nname = "a"\ncommand = ["x"]\n' * 2, "two [[notify]] have this name"),
    ('[[notify]]\nname = "a"\nurl = "ftp://h"', "notify.url: "),
    ('[alerts]\nquiet = "22-6"', 'alerts.quiet: must be a range of local times, such as "22:00-06:00"'),
    ('[alerts]\nzone = "Europe/Berln"', "alerts.zone: unknown time zone; did you mean Europe/Berlin?"),
    ('[[alert]]\nrule = "no_klv"\nthreshold = -1', "alert.threshold: must not be negative: no_klv is measured in s"),
    ('[[notify]]\nname = "a"\nurl = "ftp://h"', "notify.url: must begin with http:// or https://"),
    ('[[alerts]]\nquiet = "22:00-06:00"', "alerts: must be a table: [alerts]; for one of several: [[alert]]"),
    ('[alert]\nrule = "no_klv"', "must be one table per alert: [[alert]]"),
]


@each_case(("text", "fault"), FAULTS)
def test_each_fault_is_named_with_what_is_valid(text: str, fault: str, tmp_path: Path):
    """With the nearest valid name, where there is one."""
    with pytest.raises(InvalidSettings) as raised:
        read(tmp_path, text)
    assert fault in str(raised.value)


def test_no_fault_shows_a_secret(tmp_path: Path):
    """Of a URL, or of Apprise."""
    texts = f'url = "ftp://{CANARY}"', f'url = "http://u:{CANARY}@h"\nsecret = 5', f'apprise = "x://{CANARY}"\nurl = 5'
    for text in texts:
        with pytest.raises(InvalidSettings) as raised:
            read(tmp_path, f'[[notify]]\nname = "a"\n{text}')
        assert CANARY not in str(raised.value)


def test_a_webhook_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Of a [[notify]] that the file names."""
    monkeypatch.setenv("KLVRELAY_NOTIFY_OPS_URL", f"https://example.org/{CANARY}")
    (found,) = read(tmp_path, '[[notify]]\nname = "ops"\nurl = "https://other"').destinations
    assert found.web is not None
    assert found.web.target.reveal() == f"/{CANARY}"


def test_another_place_in_the_file_is_no_change(tmp_path: Path):
    """A comment before the tables moves their lines: a reload finds nothing changed."""
    text = '[[alert]]\nrule = "no_klv"\nthreshold = 9.0\n'
    one, other = read(tmp_path, text), read(tmp_path, f"# comment\n{text}")
    assert one.origins != other.origins
    assert one == other


@each_case(
    ("text", "fault"),
    [
        ('[[alert]]\nrule = "altitude_above"\ntreshold = 9', "treshold: unknown setting; did you mean threshold?"),
        ('[http]\nlisen = "127.0.0.1:8080"', "http.lisen: unknown setting; did you mean listen?"),
        ('[[geofence]]\nname = "a"\nfil = "x"', "geofence.fil: unknown setting; did you mean file?"),
        ('[[notify]]\nname = "a"\ncomand = ["x"]', "notify.comand: unknown setting; did you mean command?"),
    ],
)
def test_a_mistyped_key_is_one_fault(text: str, fault: str, tmp_path: Path):
    """Not also the lack of the key that was meant."""
    with pytest.raises(InvalidSettings) as raised:
        read(tmp_path, text)
    (line,) = str(raised.value).splitlines()
    assert fault in line


NO_EFFECT = [
    ('[[alert]]\nrule = "no_klv"\n' * 2, "alert.rule: has no effect: an [[alert]] of no_klv above it applies first"),
    ('[[geofence]]\nname = "a"\nfile = "f"\nradius = 9', 'radius: has no effect: it applies to when = "looks_at"'),
    ('[[geofence]]\nname = "a"\nfile = "f"\ndwell = "9s"', 'dwell: has no effect: it applies to when = "dwell"'),
    ('[alerts]\nzone = "Europe/Berlin"', "alerts.zone: has no effect: no quiet hours are set"),
    ('[[alert]]\nrule = "no_klv"\nstream = "cam*"', "alert.stream: has no effect: it matches no stream; streams: "),
    ('[[geofence]]\nname = "a"\nfile = "f"\nstream = "cam"', "geofence.stream: has no effect: it matches no stream"),
]


@each_case(("text", "warning"), NO_EFFECT)
def test_a_setting_without_effect_is_a_warning(text: str, warning: str, tmp_path: Path):
    """With its line."""
    path = tmp_path / "relay.toml"
    path.write_text(f"{text}\n{REST}")
    (found,) = read_settings(path).warnings
    assert warning in found
    assert "relay.toml: line " in found


@each_case(
    ("text",),
    [
        ('[[alert]]\nrule = "no_klv"\nstream = "uav-1"\n[[alert]]\nrule = "no_klv"',),
        ('[[geofence]]\nname = "a"\nfile = "f"\nwhen = "looks_at"\nradius = 9',),
        ('[[alert]]\nrule = "no_klv"\nstream = "uav-1-0x101"',),
        ('[[alert]]\nrule = "no_klv"\nstream = "uav*"',),
        ('[alerts]\nzone = "Europe/Berlin"\nquiet = "22:00-06:00"',),
    ],
)
def test_settings_with_an_effect_are_no_warning(text: str, tmp_path: Path):
    """Nor is a pattern that may match a further PID of a source."""
    path = tmp_path / "relay.toml"
    path.write_text(f'{text}\n[[source]]\nurl = "udp://:5000"\nstream = "uav-1"\n[[sink]]\nurl = "mqtt://127.0.0.1"\n')
    assert read_settings(path).warnings == ()


def test_a_variable_of_a_destination_that_the_file_does_not_have_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """With what to do, and without a guess at a sink."""
    monkeypatch.setenv("KLVRELAY_NOTIFY_OPS_URL", f"https://example.org/{CANARY}")
    path = tmp_path / "relay.toml"
    path.write_text(REST)
    assert read_settings(path).warnings == (
        "KLVRELAY_NOTIFY_OPS_URL: has no effect: the settings file has no [[notify]] with such a name; add one",
    )
