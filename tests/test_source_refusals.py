"""Unreadable sources and invalid settings: one line for each."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing

import pytest
from cases import each_case

import klvrelay
from klvrelay.errors import ConfigError, KlvrelayError, NotMedia, SourceDown
from klvrelay.sources.open import open_source

BAD = [
    ("/nowhere/tape.ts", SourceDown, "no such file"),
    ("/", NotMedia, "folder"),
    ("{empty}", NotMedia, "empty"),
    ("{text}", NotMedia, "not MPEG-TS or KLV"),
    ("{zeros}", NotMedia, "only zeros"),
    ("{secret}", SourceDown, "permission"),
    ("tcp://127.0.0.1:{closed}", SourceDown, "connection refused"),
    ("rtsp://user:c4n4ry@127.0.0.1:{closed}/live", SourceDown, "connection refused"),
    ("http://user:c4n4ry@127.0.0.1:{closed}/a.ts?token=c4n4ry", SourceDown, "connection refused"),
    ("https://127.0.0.1:{closed}/a.ts", SourceDown, "connection refused"),
    ("udp://192.0.2.1:{closed}", SourceDown, "sender=192.0.2.1"),
    ("udp://239.1.1.1:{closed}?interface=nowhere0", SourceDown, "no network interface nowhere0"),
]


@pytest.mark.parametrize(("url", "error", "says"), BAD, ids=[url for url, _, _ in BAD])
async def test_an_unreadable_source_is_reported(url, error, says, tmp_path, free_port):
    """Within bounded time one line says what is wrong, without a password and without a traceback of libav."""
    files = {"empty": b"", "text": b"hello, world\n" * 100_000, "zeros": bytes(1 << 20), "secret": b"G"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    if "{secret}" in url and os.geteuid() == 0:
        pytest.skip("root may read everything")
    (tmp_path / "secret").chmod(0)
    places = {name: tmp_path / name for name in files}

    source = open_source(url.format(closed=free_port, **places), timeout=0.5)
    with pytest.raises(error) as raised:
        async with asyncio.timeout(4), aclosing(source.packets()) as packets:
            await anext(packets)

    assert says in str(raised.value)
    assert "c4n4ry" not in f"{raised.value!r} {raised.value.__cause__!r} {raised.value.__context__!r}"
    assert "\n" not in str(raised.value)


@each_case(
    ("url", "settings", "says"),
    [
        ("srt://127.0.0.1", {}, "port"),
        ("rtmp://cam/live", {}, "rtsp://"),
        ("mqtt://user:c4n4ry@broker", {}, "udp://"),
        ("udp://127.0.0.1", {}, "port"),
        ("udp://127.0.0.1:5000?colour=red", {}, "colour"),
        ("udp://239.1.1.1:5000?sources=me", {}, "sources"),
        ("udp://127.0.0.1:5000?sources=127.0.0.2", {}, "sender="),
        ("udp://127.0.0.1:5000?buffer_size=big", {}, "buffer_size"),
        ("tcp://127.0.0.1", {}, "port"),
        ("tcp://:5000", {}, "listen=1"),
        ("http:///live.m3u8", {}, "a host is missing"),
        ("https://:8443", {"isolate": False}, "a host is missing"),
        ("rtsp:///live", {}, "a host is missing"),
        ("tcp://cam:5000?lisen=1", {}, "listen"),
        ("tcp://cam:5000?listen=2", {}, "listen must be 1"),
        ("tcp://cam:5000?listen=no", {}, "listen must be 1"),
        ("rtsp://cam/live?transport=http", {}, "tcp or udp"),
        ("rtsps://cam/live", {"ca_file": "/nowhere/ca.pem"}, "/nowhere/ca.pem"),
        ("udp://127.0.0.1:5000", {"speed": 2.0}, "only a file"),
        ("tape.ts", {"speed": 0.0}, "above 0"),
        ("tape.ts", {"speed": float("nan")}, "above 0"),
        ("-", {"loop": True}, "loop"),
        ("tape.ts", {"timeout": 0}, "timeout"),
        ("tape.ts", {"demux": "ffmpeg"}, "native or libav"),
        ("rtsp://cam/live", {"demux": "", "isolate": True}, "native or libav"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_opened(url, settings, says):
    """An unknown scheme or option is a ConfigError that says what would be valid."""
    with pytest.raises(ConfigError) as refused:
        open_source(url, **settings)

    assert says in str(refused.value)
    assert "c4n4ry" not in str(refused.value)
    assert isinstance(refused.value, KlvrelayError)


@pytest.mark.parametrize("url", ["http:///a.ts", "rtsps:///a"])
def test_frames_without_a_host_are_refused_alike(url):
    """Before anything is opened."""
    with pytest.raises(ConfigError, match="a host is missing"):
        klvrelay.frame_times(url)
