"""Parameters in the path and the query of a URL: what is shown, and what names a stream."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from cases import each_case
from hypothesis import given
from hypothesis import strategies as st

from klvrelay.cli.redaction import Redaction
from klvrelay.config import parameters
from klvrelay.config.credentials import is_secret
from klvrelay.config.names import stream_name
from klvrelay.config.url import Url
from klvrelay.sources.isolated.source import _SecretFilter

CANARY = "c4n4ry-s3cret"

NAMES = [
    "password", "Passwd", "PWD", "pass", "token", "key", "auth", "secret", "sig", "api_key", "apiKey", "access_token",
    "accessToken", "X-Amz-Signature", "X-Amz-Credential", "AWSAccessKeyId", "client-secret", "Authorization", "hmac",
]  # fmt: skip


@each_case("name", NAMES)
def test_a_secret_is_known_by_its_name(name):
    """Whole, or as a part of a longer one, in lower or upper case."""
    assert parameters.holds_secret(name)
    assert is_secret(Url.parse(f"https://h/{name}={CANARY}"))
    assert is_secret(Url.parse(f"https://h/live?a=1&{name}={CANARY}"))


@pytest.mark.parametrize("name", ["keyframe", "signal", "design", "pbkeylen", "keepalive", "key_file", "channel", ""])
def test_a_name_that_only_resembles_one_is_no_secret(name):
    """Nor is the name of a file with a key in it."""
    assert not parameters.holds_secret(name)
    assert not is_secret(Url.parse(f"https://h/live?{name}=x"))


@each_case(
    ("path", "shown", "name"),
    [
        ("user=admin&password={}&channel=1.sdp", "user=***&password=***&channel=1.sdp", "h-channel-1"),
        ("user=admin_password={}_channel=2_stream=0.sdp", "user=***_password=***_channel=2_stream=0.sdp",
         "h-channel-2-stream-0"),
        ("live;user=a;password={}", "live;user=***;password=***", "h-live"),
        ("live&pwd={}/x&more", "live&pwd=***&***", "h-live"),
        ("live/token={}/a/b.m3u8", "live/token=***", "h-live"),
        ("token/{}/live.m3u8", "token/***/live.m3u8", "h-token-live"),
        ("session={}/live.m3u8", "session=***/live.m3u8", "h-session-live"),
        ("cam:password:{}", "cam:password:***", "h"),
        ("a%20b&pass%77ord%3D{}", "a b&password=***", "h-a-b"),
        ("live%253Bsig%253D{}", "live;sig=***", "h-live"),
        ("live;key\uff1d{}", "live;key=***", "h-live"),
        ("channel=1{}", "channel=***", "h-channel"),
    ],
)  # fmt: skip
def test_parameters_in_a_path_are_shown_without_their_values(path, shown, name):
    """Except those that select a picture; a stream's name contains neither a secret nor a user."""
    url = Url.parse(f"rtsp://h/{path.format(CANARY)}")

    assert str(url) == f"rtsp://h/{shown}"
    assert stream_name(url) == name
    assert url.unredacted() == f"rtsp://h/{path.format(CANARY)}"


@pytest.mark.parametrize(
    "path", ["Streaming/Channels/101", "axis-media/media.amp", "live.sdp;track:1", "a%20b%2Fc", "a&b;c", "key/auth/1"]
)
def test_a_path_without_parameters_is_shown_as_it_is(path):
    """Separators hide nothing where there are no parameters."""
    assert str(Url.parse(f"rtsp://h/{path}")) == f"rtsp://h/{path}"


def test_cameras_are_distinguished_by_their_channels():
    """Each camera of a recorder has another name, and the numbers of a query are shown."""
    url = "rtsp://h/user=a&password=b&channel={}.sdp"

    assert [stream_name(url.format(n)) for n in (1, 2)] == ["h-channel-1", "h-channel-2"]
    assert str(Url.parse("rtsp://h/cam?channel=3&subtype=0&id=7")) == "rtsp://h/cam?channel=3&subtype=0&id=***"


def test_a_repeatedly_coded_path_is_hidden():
    """Its content cannot be known."""
    path = f"password={CANARY}"
    for _ in range(7):
        path = quote(path, safe="")

    assert str(Url.parse(f"rtsp://h/{path}")) == "rtsp://h/***"


def test_a_long_path_takes_no_longer_than_its_length():
    """64 KiB of any sign are looked through once."""
    for sign in ("/", "&", ":", "=", "%25", "_", "a:", "key=", "/key=", "a=/", "&a=b", "A"):
        began = time.process_time()
        parameters.shown(sign * (1 << 16))
        assert time.process_time() - began < 1.5


WORD = st.text("abcXYZ019.-~+!*,", min_size=1, max_size=6)
SECRET = st.text(st.characters(codec="utf-8", exclude_characters="@&;", exclude_categories=("Cs", "Cc")), max_size=8)


@given(
    st.lists(WORD, max_size=3), st.sampled_from(NAMES), SECRET, st.sampled_from("&;/"), st.integers(0, 2),
    st.booleans(), st.lists(WORD, max_size=2),
)  # fmt: skip
def test_no_path_shows_a_secret(before, name, secret, sign, coded, in_path, behind):
    """Wherever it is and however it is coded: neither in the displayed URL nor in a stream's name."""
    parameter = f"{name}={CANARY}{secret}{CANARY}"
    for _ in range(coded):
        parameter = quote(parameter, safe="")
    path = sign.join((*before, parameter, *behind)) if in_path else f"live?{'&'.join((*before, parameter, *behind))}"
    url = Url.parse(f"rtsp://h/{path}")

    assert CANARY not in f"{url} {url!r} {stream_name(url)}"
    assert is_secret(url) or not in_path
    assert f"rtsp://h/{path}".partition("#")[0] == url.unredacted()


URL = f"rtsp://h/user=viewer-1&password={CANARY}&channel=1.sdp?token=70k3n-{CANARY}"


@pytest.mark.parametrize(
    "quoted", [URL, CANARY, quote(CANARY + "/x", safe=""), f"h/user=viewer-1, token=70k3n-{CANARY}"]
)
def test_a_message_that_quotes_a_part_of_a_url_is_shown_without_it(quoted):
    """Of the command line, and of the process that reads the source."""
    for hide in (Redaction(["run", URL]), _SecretFilter(Url.parse(URL), {})):
        said = hide(f"can't open {quoted}: refused")

        assert CANARY not in said
        assert "viewer-1" not in said
        assert said.startswith("can't open ")
        assert said.endswith(": refused")


@pytest.mark.parametrize("example", ["as in rtsp://user@host/path, or", "(mqtt://[user@]host[:port][/prefix])"])
def test_an_example_in_a_hint_is_not_hidden(example: str):
    """Its user is named `user` and has no password. With a password, or a parameter, the URL is hidden."""
    hide = Redaction(["run", "udp://:5000"])
    assert hide(example) == example
    for secret in ("rtsp://user:c4n4ry@host/path", "rtsp://user@host/path?token=c4n4ry", "rtsp://c4n4ry@host/path"):
        assert "c4n4ry" not in hide(f"as in {secret}")
