"""The options of an srt:// URL at each limit: latency, passphrase, stream id, key size."""

from __future__ import annotations

import pytest

from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.text import Secret
from klvrelay.transports.srt import SrtSettings


def settings(query: str = "", passphrase: str | None = None) -> SrtSettings:
    return SrtSettings.of(Url.parse(f"srt://127.0.0.1:9000{query}"), None if passphrase is None else Secret(passphrase))


@pytest.mark.parametrize("latency", [0, 1, 9_999])
def test_a_latency_in_milliseconds_is_accepted(latency: int):
    """Up to ten seconds."""
    assert settings(f"?latency={latency}").latency_ms == latency


@pytest.mark.parametrize(
    ("latency", "said"),
    [("10000", "its 10000 is latency=10"), ("120000", "its 120000 is latency=120"), ("-1", "number of milliseconds"),
     ("1.5", "number of milliseconds"), ("", "number of milliseconds"), ("9" * 40, "below 10000"),
     ("9" * 5000, "below 10000")],
)  # fmt: skip
def test_an_implausible_latency_is_refused(latency: str, said: str):
    """From ten seconds on it is probably ffmpeg's number, in microseconds."""
    with pytest.raises(ConfigError, match=said):
        settings(f"?latency={latency}")


@pytest.mark.parametrize("passphrase", ["x" * 10, "x" * 79, "é" * 5])
def test_a_passphrase_of_the_right_size_is_accepted(passphrase: str):
    """It is counted in bytes, as in libsrt."""
    found = settings(passphrase=passphrase).passphrase

    assert found is not None
    assert found.reveal() == passphrase


@pytest.mark.parametrize("passphrase", ["x" * 9, "x" * 80, "é" * 4, "é" * 40, ""])
def test_a_passphrase_of_another_size_is_refused(passphrase: str):
    """Ten bytes to 79; and the message does not show it."""
    with pytest.raises(ConfigError, match="has 10 to 79 characters") as fault:
        settings(passphrase=passphrase)

    assert not passphrase or passphrase not in str(fault.value)


@pytest.mark.parametrize(("stream_id", "is_fine"), [("x" * 512, True), ("x" * 513, False), ("é" * 256, True),
                                                    ("é" * 256 + "x", False)])  # fmt: skip
def test_a_stream_id_has_512_bytes_at_most(stream_id: str, is_fine: bool):
    """As the protocol defines."""
    if is_fine:
        assert settings(f"?streamid={stream_id}").stream_id.reveal() == stream_id
    else:
        with pytest.raises(ConfigError, match="more than 512 bytes"):
            settings(f"?streamid={stream_id}")


@pytest.mark.parametrize("size", ["0", "16", "24", "32"])
def test_the_key_sizes_of_aes_are_accepted(size: str):
    """And 0, for that of the far end."""
    assert settings(f"?pbkeylen={size}").key_size == int(size)


@pytest.mark.parametrize("size", ["8", "17", "33", "", "x", "016"])
def test_other_key_sizes_are_refused(size: str):
    """A wrong one would fail later, at the call."""
    with pytest.raises(ConfigError, match="pbkeylen is 16, 24 or 32"):
        settings(f"?pbkeylen={size}")
