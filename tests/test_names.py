"""Names: the displayed form of a URL, the names of streams, valid topic levels."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest
from cases import each_case
from hypothesis import given
from hypothesis import strategies as st

from klvrelay import core
from klvrelay.config import mistyped, names
from klvrelay.config.names import LEVEL_LIMIT, distinct_names, name_candidates, safe_level, stream_name
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.json_output import dumps
from klvrelay.text import Secret

CANARY = "c4n4ry"


@pytest.mark.parametrize(
    "text",
    [
        f"rtsp://user:{CANARY}@cam/path",
        f"rtsp://{CANARY}@cam:8554/path",
        f"rtsp://user:{CANARY}%40x@[::1]:554/path",
        f"rtsp://user:a@{CANARY}@cam/path",
        f"https://cam/live.m3u8?token={CANARY}",
        f"https://cam/live.m3u8?{CANARY}",
        f"mqtts://user:{CANARY}@broker:8883",
    ],
)
def test_a_url_shows_no_credentials(text):
    """Neither str() nor repr(), nor the fields, nor a copy show the text before the @ or after token=."""
    url = Url.parse(text)

    assert CANARY not in f"{url} {url!r} {url.password} {url.password!r} {url.query!r} {copy.deepcopy(url)!r}"
    assert CANARY in url.unredacted()


def test_a_secret_prints_as_stars():
    """However it is formatted, only an explicit read returns the text."""
    secret = Secret(CANARY)

    assert f"{secret} {secret!r} {secret!s:>5} %s" % secret == "*** ***   *** ***"
    assert secret.reveal() == CANARY
    assert (secret == Secret(CANARY), secret == CANARY, bool(Secret(""))) == (True, False, False)


@each_case(
    "text",
    [
        f"rtsp://user:{CANARY}#x@cam/path",
        f"rtsp://user:{CANARY}/x@cam/path",
        f"rtsp://user:12/{CANARY}@cam/path",
        f"rtsp://user:{CANARY}?x@cam/path",
        f"rtsp://user:{CANARY}",
        f"rtsp://cam:{CANARY}/",
        f"rtsp://{CANARY} x/",
        "udp://::1:5000",
        "udp://127.0.0.1:99999",
        "udp://127.0.0.1:0",
        "udp://127.0.0.1:5\u0660",
    ],
)
def test_a_url_that_can_not_be_split_is_refused_without_being_quoted(text):
    """Half of a password may be anywhere in it, so the message repeats only the scheme."""
    with pytest.raises(ConfigError) as refused:
        Url.parse(text)

    assert CANARY not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(text.partition("://")[0])


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://user:pass@cam:8554/path?channel=1&subtype=0",
        "rtsp://user@cam/path",
        "rtsp://user:@cam/path",
        "rtsp://us%3Aer:p%40ss%2F@cam/a%20b",
        "udp://[ff02::1]:5000?interface=lo",
        "http://cam/a?b",
        "tcp://cam:5000",
    ],
)
def test_the_connection_gets_the_original_url(text):
    """The joined URL equals the user's."""
    assert Url.parse(text).unredacted() == text


def test_own_options_stay_out_of_the_request():
    """Options of klvrelay are not sent to the far end."""
    url = Url.parse("rtsp://cam/live?transport=udp&channel=1")

    assert url.unredacted(without={"transport"}) == "rtsp://cam/live?channel=1"
    assert url.options == {"transport": "udp", "channel": "1"}


def test_user_and_password_are_decoded():
    """%40 in a URL is an @ in the password."""
    url = Url.parse("mqtt://us%3Aer:p%40ss@broker")

    assert (url.user, url.password) == ("us:er", Secret("p@ss"))
    assert (url.host, url.port) == ("broker", None)


@pytest.mark.parametrize(
    ("text", "scheme", "path"),
    [
        ("-", "stdin", ""),
        ("flights/a b.ts", "file", "flights/a b.ts"),
        ("file:///tmp/a%20b.ts", "file", "/tmp/a b.ts"),
        ("file://localhost/tmp/a.ts", "file", "/tmp/a.ts"),
        ("odd?name#1@2.ts", "file", "odd?name#1@2.ts"),
        (Path("/tmp/x.ts"), "file", "/tmp/x.ts"),
    ],
)
def test_a_path_is_a_source_too(text, scheme, path):
    """A text without a scheme is a file, and `-` is standard input."""
    url = Url.parse(text)

    assert (url.scheme, url.path) == (scheme, path)


def test_a_file_name_prints_on_one_line():
    """A line end or an escape code in a file's name cannot forge a line of the log."""
    assert str(Url.parse("a\nb\x1b[31m\udcff.ts")) == r"a\nb\x1b[31m\udcff.ts"


@each_case(
    ("source", "name"),
    [
        ("udp://239.1.1.1:5000", "udp-239.1.1.1-5000"),
        ("udp://@:5000", "udp-5000"),
        ("udp://[ff02::1]:5000", "udp-ff02-1-5000"),
        ("rtp://0.0.0.0:5004?interface=lo", "rtp-0.0.0.0-5004"),
        ("tcp://cam:5000", "tcp-cam-5000"),
        ("rtsp://user:pass@cam/path", "cam-path"),
        ("rtsp://cam:554/Streaming/Channels/101?x=1", "cam-Streaming-Channels-101"),
        ("rtsp://cam:8554/", "cam-8554"),
        ("https://host/live/uav1.m3u8", "host-live-uav1"),
        ("-", "stdin"),
        ("flights/day one.ts", "day-one"),
        ("flights/Zürich.ts", "Zurich"),
        ("飛行.ts", "stream"),
        ("..", "stream"),
        ("/", "stream"),
    ],
)
def test_a_stream_is_named_after_its_source(source, name):
    """The default name says where the stream comes from, safely, and without credentials."""
    assert stream_name(source) == name


@given(st.text())
def test_a_default_name_is_safe_as_it_is(text):
    """Whatever a file is called, its stream's name needs no coding, in a topic or elsewhere."""
    name = stream_name(Url("file", path=text))

    assert re.fullmatch(r"[A-Za-z0-9_.-]+", name)
    assert safe_level(name) == name
    assert len(name) <= LEVEL_LIMIT


@each_case(
    ("text", "level"),
    [
        ("uav-1_a.B", "uav-1_a.B"),
        ("a/b", "a%2Fb"),
        ("+", "%2B"),
        ("#", "%23"),
        ("$SYS", "%24SYS"),
        ("50%", "50%25"),
        ("ü", "%C3%BC"),
        ("", "%00"),
        (".", "%2E"),
        ("..", "%2E%2E"),
    ],
)
def test_a_topic_level_holds_only_what_is_safe(text, level):
    """No wildcard, no further level, no reserved name, never empty."""
    assert safe_level(text) == level


@given(st.text(st.characters()))
def test_no_text_leaves_its_level(text):
    """Any name of an aircraft or a user is one level of bounded length."""
    assert re.fullmatch(r"(?!\.+$)([A-Za-z0-9_.-]|%[0-9A-F]{2})+", level := safe_level(text))
    assert len(level) <= LEVEL_LIMIT


@given(st.text(min_size=1), st.text(min_size=1))
def test_different_texts_are_different_levels(one, other):
    """Two streams never share a topic because their names were made safe."""
    assert (safe_level(one) == safe_level(other)) == (one == other)


def test_long_texts_that_begin_alike_stay_apart():
    """A level that is too long is truncated, and marked so that no two are equal."""
    assert safe_level("ü" * 500 + "a") != safe_level("ü" * 500 + "b")


@pytest.mark.parametrize(
    ("names", "unique"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a", "a"], ["a", "a-2", "a-3"]),
        (["a", "a-2", "a"], ["a", "a-2", "a-3"]),
        (["a", "a", "a-2"], ["a", "a-3", "a-2"]),
        ([], []),
    ],
)
def test_sources_that_do_not_differ_are_numbered(names, unique):
    """Each stream has a unique name."""
    assert distinct_names([[name] for name in names]) == unique


@given(st.lists(st.sampled_from(["a", "a-2", "a-2-2", "a-3", "b"])), st.sets(st.sampled_from(["a", "a-2", "b-2"])))
def test_distinct_names_are_distinct(names, taken):
    """However often they repeat, and in their order."""
    distinct = distinct_names([[name] for name in names], taken)

    assert len({*distinct, *taken}) == len(names) + len(taken)
    assert all(new.startswith(old) for old, new in zip(names, distinct, strict=True))


ADDRESSES = st.sampled_from([
    "x.ts", "a/x.ts", "b/x.ts", "c/b/x.ts", "a/x-b.ts", "x-a.ts", "udp://239.1.1.1:5000", "udp://239.1.1.1:5000?ttl=2",
    "rtsp://cam/live", "rtsp://cam:8554/live", "rtsp://u:p@cam/live", "tcp://cam:1", "http://cam/live.ts",
])  # fmt: skip


@given(st.lists(ADDRESSES, unique=True), st.randoms(use_true_random=False))
def test_names_do_not_depend_on_the_order_of_the_sources(urls, random):
    """Sources are the same streams, however a file is rearranged."""
    named = dict(zip(urls, distinct_names([name_candidates(Url.parse(url)) for url in urls]), strict=True))
    random.shuffle(urls)
    again = dict(zip(urls, distinct_names([name_candidates(Url.parse(url)) for url in urls]), strict=True))
    assert named == again
    assert len(set(named.values())) == len(named)


@pytest.mark.parametrize(
    ("urls", "details", "names"),
    [
        (["/a/x.ts", "b/x.ts"], ["", ""], ["x-a", "x-b"]),
        (["udp://239.1.1.1:5"] * 2, ["eth0", "eth1"], ["udp-239.1.1.1-5-eth0", "udp-239.1.1.1-5-eth1"]),
        (["a.ts", "b.ts"], ["", ""], ["a", "b"]),
    ],
)
def test_equal_names_get_the_folder_or_the_interface(urls, details, names):
    """Short names, which a user recognises."""
    candidates = [name_candidates(Url.parse(url), detail) for url, detail in zip(urls, details, strict=True)]
    assert distinct_names(candidates) == names


def test_a_name_reveals_no_secret():
    """Sources that differ in their password only: a hash in the name would allow to test guesses of it."""
    one, other = (name_candidates(Url.parse(f"rtsp://u:{secret}@cam/live?token={secret}")) for secret in ("a", "b"))
    assert one == other


@each_case(
    ("path", "name"),
    [
        ("flight.ts", "flight"), ("a/flight.ts", "flight"), ("/a/b/flight.tar.ts", "flight.tar"), ("flight", "flight"),
        ("a.b/flight", "flight"), ("flight.ts/", "flight"), ("flight.ts//", "flight"), ("./x.ts", "x"),
        ("a/./x.ts/.", "x"), (".ts", ".ts"), ("..ts", "."), ("...ts", ".."), ("a/..", ".."), ("..", ".."),
        ("a..ts", "a."), ("x. .ts", "x. "), ("x .ts", "x "),
    ],
)  # fmt: skip
def test_a_stream_is_called_as_its_file_without_the_ending(path, name):
    """The same name on every version of Python."""
    assert names.stem(path) == name


LOOKED_AT = [
    f"{before}{sign}{other}{behind}"
    for before in ("udp", "token", "a/b", "", "rtsp ")
    for sign in map(chr, range(128))
    for other in ("", "/", ":", "=", "@", ";", " /", "\\")
    for behind in ("", "x/y.ts", "/host")
]


def test_the_fast_check_for_file_names_agrees_with_the_full_one(monkeypatch):
    """For every ASCII character."""
    shortly = [mistyped.looks_like_url(text) for text in LOOKED_AT]
    monkeypatch.setattr(mistyped, "_URL_CHARACTERS", frozenset(map(chr, range(128))))
    assert shortly == [mistyped.looks_like_url(text) for text in LOOKED_AT]
    assert 0 < sum(shortly) < len(LOOKED_AT)


@each_case("boot", [None, "5f2c9a", 'a"b'])
@each_case("stream", ["", "uav1", "udp-239.1.1.1-5000", 'a"b', "a\\b", "ü", "a\u202eb", "a\x7fb", "a b"])
def test_the_head_of_a_record_equals_the_json_writers(stream, boot):
    """Even where it is written without the writer."""
    assert core.head(stream, boot) == dumps({"schema": "klvrelay/1", "stream": stream, "boot": boot})[:-1]
