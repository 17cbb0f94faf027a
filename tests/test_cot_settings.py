"""Settings of Cursor on Target sinks: URLs, wrong values, outputs, and the whole file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cases import each_case
from settings_file import written

from klvrelay.config.settings_file import load, sinks_of_urls
from klvrelay.config.sinks.cot import COT, CotSettings
from klvrelay.errors import ConfigError


def cot(url: str, **settings: Any) -> CotSettings:
    found = COT.from_url(url, settings)
    assert isinstance(found, CotSettings)
    return found


@each_case(
    ("url", "carrier", "port", "shown"),
    [
        ("cot+udp://239.2.3.1:6969", "udp", 6969, "cot+udp://239.2.3.1:6969"),
        ("cot+tcp://tak", "tcp", 8087, "cot+tcp://tak:8087"),
        ("cot+tls://tak", "tls", 8089, "cot+tls://tak:8089"),
        ("cot+tls://[fe80::1]:9000", "tls", 9000, "cot+tls://[fe80::1]:9000"),
    ],
)
def test_a_url_says_carrier_and_address(url: str, carrier: str, port: int, shown: str):
    """TAK servers have usual ports; a group has none."""
    found = cot(url)
    assert (found.carrier, found.port, found.url, found.tls) == (carrier, port, shown, carrier == "tls")


def test_options_of_the_url_are_settings():
    """Those of the table override them."""
    found = cot("cot+udp://h:1?events=spi,platform&stale_after=30s&ttl=2&video=rtsp://m/{stream}", ttl=3)
    assert (found.events, found.stale_after, found.ttl) == (("platform", "spi"), 30.0, 3)
    assert found.video == "rtsp://m/{stream}"


@each_case(
    ("url", "says"),
    [
        ("cot+udp://239.2.3.1", "the port is missing"),
        ("cot+tcp://", "the host is missing"),
        ("cot+tcp://u:s3cret@h", "has no user and no path"),
        ("cot+tcp://h/path", "has no user and no path"),
        ("cot+ssl://h", r"did you mean cot\+tls"),
        ("cot+tcp://h?cot_type=a f", "cot_type: must be a type"),
        ("cot+tcp://h?events=aircraft", "events: must be an array of platform"),
        ("cot+tcp://h?stale_after=0s", "stale_after: must be from"),
        ("cot+tcp://h?uid_from=name", "uid_from: must be stream, tail_number, mission"),
        ("cot+tcp://h?tak_protocol=2", "tak_protocol: must be xml, protobuf"),
        ("cot+tcp://h?interface=lo", r"interface: applies to cot\+udp"),
        ("cot+tcp://h?ca_file=ca.pem", "ca_file: used by TLS only"),
        ("cot+tls://h?cert_file=relay.pem", "cert_file, key_file: a client certificate requires both"),
        ("cot+tcp://h?callsing=x", "did you mean callsign"),
    ],
)
def test_a_wrong_url_is_refused_with_what_is_valid(url: str, says: str):
    """Without a part that may be a password."""
    with pytest.raises(ConfigError, match=says) as refused:
        sinks_of_urls([url], ())
    assert "s3cret" not in str(refused.value)


@each_case(
    ("setting", "says"),
    [
        ({"callsign": "UAV {name}"}, r"callsign: \{name\} is unknown; valid names: stream, platform_call_sign"),
        ({"callsign": "UAV {platform_callsign}"}, r"did you mean platform_call_sign"),
        ({"callsign": "{stream"}, "callsign: has a { or }"),
        ({"callsign": " "}, "callsign: must be 1 to 500 printable characters"),
        ({"callsign": "a\nb"}, "callsign: must be 1 to 500 printable characters"),
        ({"video": "rtsp://viewer:s3cret@cam/1"}, "video: has a user or a password, which every TAK client"),
        ({"video": "/live/{stream}"}, "video: must be a URL that TAK clients can play"),
        ({"video": "rtsp://m/{platform_call_sign}"}, "video: .* is unknown"),
        ({"uid_prefix": "a/b"}, "uid_prefix: must be at most 60 letters"),
        ({"cot_type": "a--f"}, "cot_type: must be a type"),
        ({"target_type": "a-" * 40 + "a"}, "target_type: must be a type"),
        ({"max_targets": 0}, "max_targets: must be from 1 to 1000"),
        ({"events": ()}, "events: must be an array of platform"),
        ({"events": ("platform", "target")}, "did you mean targets"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_valid(setting: dict[str, Any], says: str):
    """The message begins with its key, and quotes no password."""
    with pytest.raises(ConfigError, match=says) as refused:
        cot("cot+udp://h:1", **setting)
    assert "s3cret" not in str(refused.value)


FILE = """
[[sink]]
url = "cot+tls://takserver"
ca_file = "ca.pem"
cert_file = "relay.pem"
key_file = "relay.key"
events = ["spi", "platform"]
stale_after = "20s"
callsign = "UAV {stream}"
[[sink.output]]
name = "slow"
streams = ["uav*"]
rate = 0.1
coarse = "100m"
[[source]]
url = "udp://0.0.0.0:5000"
"""


def test_a_settings_file_has_all_settings(tmp_path: Path):
    """Outputs need no format: events are made of packets."""
    (sink,) = load(written(tmp_path, FILE)).sinks
    assert isinstance(sink.far_end, CotSettings)
    assert (sink.name, sink.far_end.stale_after, sink.far_end.events) == ("cot", 20.0, ("platform", "spi"))
    (output,) = sink.published
    assert (output.format, output.rate, output.coarse, output.streams) == ("klv", 0.1, 100.0, ("uav*",))


@each_case(
    ("old", "new", "says"),
    [
        ("rate = 0.1", "rate = 0.04", "line 13: sink.output.rate: events would be old after 20 s"),
        ("rate = 0.1", 'format = "json"', "outputs of cot have no such setting"),
        ("rate = 0.1", "on_change = true", "outputs of cot have no such setting"),
        ("rate = 0.1", 'preset = "state"', "state is not available for cot"),
        ('stale_after = "20s"', "prefix = 'x'", "cot has no such setting; it belongs to mqtt"),
        ('stale_after = "20s"', 'password = "x"', "cot has no such setting"),
    ],
)
def test_what_a_file_cannot_have_is_named(tmp_path: Path, old: str, new: str, says: str):
    """With the line, or the key."""
    with pytest.raises(ConfigError, match=says):
        load(written(tmp_path, FILE.replace(old, new)))


def test_events_may_be_text_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An array as in TOML, or names with commas."""
    for text in ('["targets", "platform"]', "targets,platform"):
        monkeypatch.setenv("KLVRELAY_SINK_COT_EVENTS", text)
        (sink,) = load(written(tmp_path, FILE.replace("[[sink]]", '[[sink]]\nname = "cot"'))).sinks
        assert isinstance(sink.far_end, CotSettings)
        assert sink.far_end.events == ("platform", "targets")


def test_by_default_there_is_one_record_per_second():
    """Of each stream, and events are old after five."""
    (sink,) = sinks_of_urls(["cot+udp://239.2.3.1:6969"], ())
    (output,) = sink.published
    assert (output.rate, output.format) == (1.0, "klv")
    assert isinstance(sink.far_end, CotSettings)
    assert sink.far_end.stale_after == 5.0
