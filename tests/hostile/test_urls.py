"""Mistyped URLs are refused without being shown: in the library, in settings and on every command line."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from cases import each_case

from klvrelay.cli import main as cli
from klvrelay.cli.redaction import Redaction
from klvrelay.config.mistyped import looks_like_url
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.names import stream_name
from klvrelay.config.settings_file import load
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.sources.open import open_source

CANARY = "c4n4ry-s3cret"

MISTYPED = [
    f"rtsp:/u:{CANARY}@h/x",
    f"rtsp:u:{CANARY}@h",
    f"rtsp//u:{CANARY}@h/x",
    f"rtsp;//u:{CANARY}@h/x",
    f"rtsp:\\\\u:{CANARY}@h/x",
    f"rtsp\\u:{CANARY}@h/x",
    f"://u:{CANARY}@h/x",
    f"//u:{CANARY}@h/x",
    f"u:{CANARY}@h/x",
    f"u:{CANARY}@h",
    f"rtsp\uff1a//u:{CANARY}@h",
    f"rtsp\uff1a\uff0f\uff0fu\uff1a{CANARY}\uff20h",
    f"rtsp%3A//u%3A{CANARY}%40h",
    f"rtsp%253A//u%253A{CANARY}%2540h",
    f'"rtsp://u:{CANARY}@h/x"',
    f"<rtsp://u:{CANARY}@h/x>",
    f"url=rtsp://u:{CANARY}@h/x",
    f"rtsp ://u:{CANARY}@h/x",
    f"r\u200btsp://u:{CANARY}@h/x",
    f"htt:ps//h/x?token={CANARY}",
    f"https:/h/x?token={CANARY}",
    f"https\\\\h/x?token={CANARY}",
    f"srt:9000?passphrase={CANARY}",
    f"rstp:/h/x?token={CANARY}",
    f"rstp;/h/x?token={CANARY}",
    f"u\uff053A{CANARY}@h",
    f"file://u:{CANARY}@h/x",
    f"file:///tmp/u:{CANARY}@h",
    f"file:/u:{CANARY}@h",
    f"file://rtsp://{CANARY}",
    f"u:{CANARY}\n@h",
    f"htp//h/x?token={CANARY}",
    f"srt@//h:9000?passphrase={CANARY}&latency=20",
    f"http.//h/cgi?user=u&password={CANARY}",
    f"./h/user=admin&api_key ={CANARY}",
]


@each_case("text", MISTYPED)
def test_a_text_that_looks_like_a_url_is_no_file(text: str):
    """Refused as a text and as a relative Path; the message says what to write, and does not repeat it."""
    for given in (text, Path(text) if "@" in text and text[0] != "/" else text):
        with pytest.raises(ConfigError) as refused:
            Url.parse(given)
        assert CANARY not in str(refused.value)
        assert re.search("write|file", str(refused.value))


@each_case("blank", [" ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\ufeff", "\u200b", "\u2028", "\0"])
def test_blanks_around_a_url_do_not_count(blank: str):
    """As copied from a page or a file, visible or invisible."""
    url = Url.parse(f"{blank}rtsp://u:{CANARY}@h/x{blank}{blank}")

    assert url == Url.parse(f"rtsp://u:{CANARY}@h/x")
    assert CANARY not in f"{url} {url!r}"


def test_nothing_is_no_source():
    """Nor are blanks alone."""
    for text in ("", " ", "\ufeff"):
        with pytest.raises(ConfigError, match="empty"):
            Url.parse(text)


@each_case(
    "name",
    ["flight.ts", "./flight.ts", "/var/a b.ts", "10:20:30.ts", "a:b.ts", "x@2.ts", "dir//file.ts", "//tmp/x.ts",
     "http/x.ts", "tcp", "50%.ts", "C:x.ts", "flight@10:20.ts", "a?b=c&d.ts", "~/udp.ts"],
)  # fmt: skip
def test_names_of_files_stay_names_of_files(name: str):
    """A colon, an @, a double slash or the name of a scheme alone make no URL."""
    assert Url.parse(name) == Url("file", path=name)


def test_any_name_of_a_file_can_be_written(tmp_path: Path):
    """A name that looks like a URL is written as an absolute Path or as file:///... with @ as %40."""
    path = tmp_path / "u:p@h.ts"

    assert Url.parse(path).path == str(path)
    assert Url.parse(f"file://{tmp_path}/u:p%40h.ts").path == str(path)


def test_a_long_text_takes_no_longer_than_its_length():
    """A quarter of a megabyte of any sign that a form begins with is scanned once."""
    for sign in (":", "@", "a", "/", " ", "%25", ";", "a:", "a;"):
        looks_like_url(sign * (1 << 18))


WELL_FORMED = [
    f"rtsp://us3r:{CANARY}@camera.example:8554/Streaming/Channels/101?transport=udp",
    f"rtsps://us3r:{CANARY}@[2001:db8::1]:322/live",
    f"http://us3r:{CANARY}@camera/live.m3u8",
    f"https://camera.example/live/uav.m3u8?transport=tcp&token={CANARY}",
    f"https://camera.example/live.ts?token={CANARY}&interface=eth0",
    f"srt://camera.example:9000?mode=caller&passphrase={CANARY}&latency=120",
    f"srt://camera.example:9000?passphrase={CANARY}",
    f"mqtts://us3r:{CANARY}@broker:8883/site-a?qos=1&client_id=relay",
    f"mqtt://{CANARY}@broker",
    f"rtsp://{CANARY}@camera/live",
]
SIGNS = list(" :/@?#&=;\\%.-[]\"'\t\n\u00a0\ufeff\uff1a\uff20x7")


def typo(text: str, chance: random.Random) -> str:
    """One typing mistake outside the secret; inside it would be another secret."""
    begin = text.index(CANARY)
    places = [*range(begin + 1), *range(begin + len(CANARY), len(text) + 1)]
    at = chance.choice(places)
    match chance.randrange(4):
        case 0:
            return text[:at] + chance.choice(SIGNS) + text[at:]
        case 1 if at != begin:
            return text[:at] + text[at + 1 :]
        case 2 if at != begin:
            return text[: at + 1] + text[at:]
        case _:
            if at < begin - 1 or begin + len(CANARY) <= at < len(text) - 1:
                return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
            return text


def is_promised(text: str) -> bool:
    """Is the secret still recognisable: an @ after it and a : or

    before it, or the = or ? before it after a ://?

    A password without its @ is in the place of a host, a port or a path: nothing sets it apart.
    """
    begin = text.index(CANARY)
    before, behind = text[:begin], text[begin + len(CANARY) :]
    login = any(sign in before for sign in (":", "\uff1a", "//")) and any(at in behind for at in "@\uff20")
    return login or (before[-1:] in "=?" and "://" in before)


def outcomes(text: str) -> str:
    """All output for a text used as a source or as a broker."""
    shown = []
    for read in (Url.parse, MqttSettings.from_url):
        try:
            result = read(text)
        except KlvrelayError as fault:
            shown.append(str(fault))
        else:
            if isinstance(result, Url):
                shown += [str(result), repr(result), stream_name(result)]
            else:  # the user name is in the repr of settings by design
                shown += [result.url, repr(replace(result, username=None, password=None))]
    return "\n".join(shown) + Redaction([text])(f"{text} {text!r}")


@pytest.mark.parametrize("ways", [300, pytest.param(5000, marks=pytest.mark.long)])
@pytest.mark.parametrize("url", WELL_FORMED)
def test_no_two_typos_show_a_secret(url: str, ways: int):
    """Hundreds of ways to mistype each: neither the exception, nor the result, nor the stream's name has the secret."""
    chance, looked = random.Random(url), 0
    for _ in range(ways):
        text = url
        for _ in range(chance.choice((1, 2))):
            if CANARY in text:
                text = typo(text, chance)
        if CANARY in text and is_promised(text):
            looked += 1
            assert CANARY not in outcomes(text), repr(text)
    assert looked > 0.4 * ways


COMMANDS = [
    ["decode", "{}"],
    ["decode", "{}", "--frame-times"],
    ["probe", "{}"],
    ["probe", "a.ts", "--html", "{}"],
    ["record", "{}", "out"],
    ["record", "a.ts", "{}"],
    ["record", "a.ts", "out", "--stream", "{}"],
    ["record", "a.ts", "out", "--keep-size", "{}"],
    ["send", "{}", "udp://127.0.0.1:9"],
    ["send", "a.ts", "{}"],
    ["send", "a.ts", "udp://127.0.0.1:9", "--impair", "{}"],
    ["send", "a.ts", "udp://127.0.0.1:9", "--impair", "loss=1%,x={}"],
    ["send", "a.ts", "udp://127.0.0.1:9", "--impair", "loss=1%,flip={}"],
    ["send", "a.ts", "udp://127.0.0.1:9", "--rate", "{}"],
    ["run", "{}", "--mqtt", "mqtt://127.0.0.1:1"],
    ["run", "a.ts", "--mqtt", "{}"],
    ["run", "a.ts", "--mqt", "{}"],
    ["run", "a.ts", "--mqt={}"],
    ["run", "a.ts", "--mqtt-version={}"],
    ["run", "a.ts", "--unknown={}"],
    ["run", "a.ts", "--unknown", "{}"],
    ["run", "-c", "{}"],
    ["run", "-c{}"],
    ["run", "-q,{}"],
    ["run", "-qc{}"],
    ["run", "--config={}"],
    ["run", "a.ts", "--mqtt", "mqtt://127.0.0.1:1", "--stream", "{}"],
    ["run", "a.ts", "--mqtt", "mqtt://127.0.0.1:1", "--pid", "{}"],
    ["run", "a.ts", "--mqtt", "mqtt://127.0.0.1:1", "--qos", "{}"],
    ["run", "udp://127.0.0.1:9", "--mqtt", "mqtt://127.0.0.1:1", "--prefix", "#{}"],
    ["decode", "rtsps://127.0.0.1:1/x", "--password-file", "{}"],
    ["watch", "--mqtt", "{}"],
    ["watch", "--mqtt", "mqtt://127.0.0.1:1", "{}"],
    ["watch", "--mqtt", "mqtt://u@127.0.0.1:1", "--mqtt-password-file", "{}"],
    ["watch", "--mqtt", "mqtts://127.0.0.1:1", "--ca-file", "{}"],
    ["demo", "{}"],
    ["demo", "--mqtt", "{}"],
    ["sample", "{}"],
    ["sample", "x.ts", "--size", "{}"],
    ["items", "{}"],
    ["items", "--set", "{}"],
    ["{}"],
]


@each_case("command", COMMANDS, ids=" ".join)
@each_case("text", [f"rtsp:/u:{CANARY}@h/x", f"u:{CANARY}@h", f"foo://u:{CANARY}@h/x y",
    f"http/\u200b/u:{CANARY}%40h/x", f"http//h/x?token={CANARY}"])  # fmt: skip
def test_no_command_shows_or_writes_it(
    command: list[str], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    """In every argument, also where no URL is expected: one clear line, and nothing on the disk."""
    monkeypatch.chdir(tmp_path)
    code = cli.main([part.format(text) for part in command])
    out, said = capfd.readouterr()

    assert code in (2, 3, 5)
    assert re.search("(?m)^klvrelay: .", said)
    assert CANARY not in out + said
    assert not [path for path in tmp_path.rglob("*") if CANARY in str(path)]


@each_case("option", ["--password", "--passphrase", "--token", "--api-secret"])
@each_case("form", ["{} {}", "{}={}"])
@each_case("command", ["{} decode a.ts", "decode a.ts {}", "run a.ts {}", "watch --mqtt mqtt://h {}"])
def test_a_password_as_an_argument_is_refused_and_not_quoted(
    command: str, form: str, option: str, capfd: pytest.CaptureFixture[str]
):
    """Every user can read a command line; the message does not repeat the password."""
    code = cli.main(command.format(form.format(option, CANARY)).split())
    out, said = capfd.readouterr()

    assert code == 2
    assert CANARY not in out + said


@each_case("key", ["url", "stream", "interface", "sender", "ca_file", "{}"])
@each_case("text", MISTYPED[:4])
def test_no_message_about_settings_shows_it(key: str, text: str, tmp_path: Path):
    """In every place of a file, also as a key."""
    path = tmp_path / "relay.toml"
    quoted = text.replace("\\", "\\\\")
    line = f'"{quoted}" = 1' if key == "{}" else f'{key} = "{quoted}"'
    path.write_text("[[source]]\n" + ("" if key == "url" else 'url = "a.ts"\n') + line + "\n")

    with pytest.raises(ConfigError) as refused:
        load(path)

    assert CANARY not in str(refused.value)
    assert re.search("source", str(refused.value))


def test_toml_that_is_wrong_is_not_quoted(tmp_path: Path):
    """The TOML reader quotes duplicate keys."""
    path = tmp_path / "relay.toml"
    path.write_text(f'[[sink]]\n"u:{CANARY}@h" = {{}}\n[mqtt."u:{CANARY}@h"]\n[mqtt."u:{CANARY}@h"]\n')

    with pytest.raises(ConfigError, match="invalid TOML") as refused:
        load(path)

    assert CANARY not in str(refused.value)


@each_case("text", MISTYPED[:10])
def test_no_setting_visible_to_subscribers_accepts_one(text: str):
    """A wrong interface appears in `link`; a client id and a prefix are in every status."""
    for key in ("interface", "sender", "ca_file"):
        with pytest.raises(ConfigError, match=f"^{key}: ") as refused:
            open_source("udp://239.1.1.1:5000", **{key: text})
        assert CANARY not in str(refused.value)
    for key in ("client_id", "prefix"):
        with pytest.raises(ConfigError, match=f"^mqtt {key}: ") as refused:
            MqttSettings(host="h", **{key: text})
        assert CANARY not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["rtsp://h/user=admin&password={}&channel=1.sdp", "https://h/live.m3u8token={}", "srt://h:1?latency=120token={}",
     "srt://h:1?modecaller{}=", "https://h/x?{}&a", "https://h/x?transport={}"],
)  # fmt: skip
def test_a_secret_in_a_path_or_a_broken_option_is_not_shown(url: str):
    """Some cameras have the password in their path; the separator before an option may be missing."""
    parsed = Url.parse(url.format(CANARY))

    assert CANARY not in f"{parsed} {parsed!r} {stream_name(parsed)}"
    assert CANARY in parsed.unredacted()


def test_an_at_sign_that_is_coded_does_not_make_a_host_of_a_password():
    """A host is shown and cannot contain an @; the zone of an IPv6 address is percent-coded too."""
    for host in (f"{CANARY}%40h", f"{CANARY}%40h:80", f"[{CANARY}%40h]"):
        with pytest.raises(ConfigError, match="host is not a name") as refused:
            Url.parse(f"http://{host}/x")
        assert CANARY not in str(refused.value)
    assert Url.parse("http://[fe80::1%25eth0]/x").host == "fe80::1%25eth0"


@pytest.mark.parametrize("url", ["mqtt://h?qos=1password={}", "mqtt://h?password{}", "mqtt://h?x{}=1"])
def test_a_broken_option_of_a_broker_is_not_quoted(url: str):
    """Where a separator is missing, the secret is in the name or in the value of another option."""
    with pytest.raises(ConfigError) as refused:
        MqttSettings.from_url(url.format(CANARY))

    assert CANARY not in str(refused.value)
