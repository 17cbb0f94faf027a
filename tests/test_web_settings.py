"""Settings of the web server: addresses, and which need a token."""

from __future__ import annotations

import pytest

from klvrelay.config.web import WebSettings, address_of
from klvrelay.errors import ConfigError
from klvrelay.text import Secret

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)), ("[::1]:80", ("::1", 80)), (":9000", ("0.0.0.0", 9000)),
        ("localhost:0", ("localhost", 0)), ("[fe80::1%eth0]:1", ("fe80::1%eth0", 1)),
    ],
)  # fmt: skip
def test_addresses(text: str, address: tuple[str, int]):
    """IPv4, IPv6 in brackets, a name, or all addresses."""
    assert address_of(text) == address


@pytest.mark.parametrize("text", ["", "8080", "127.0.0.1", "1.2.3.4:99999", "::1:80", "[::g]:80", "a:b:80", "http://x:1"])
def test_other_addresses_are_refused(text: str):
    """With the form that is expected."""
    with pytest.raises(ConfigError, match="must be an address and a port"):
        address_of(text)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (WebSettings("0.0.0.0:80"), "listen"),
        (WebSettings("[::]:80"), "listen"),
        (WebSettings("10.0.0.1:80"), "listen"),
        (WebSettings("127.0.0.1:80", Secret("short")), "token"),
        (WebSettings("127.0.0.1:80", Secret("x " * 20)), "token"),
        (WebSettings("127.0.0.1:80", key_file="x"), "key_file"),
    ],
)
def test_settings_that_open_the_relay_to_others_are_refused(settings: WebSettings, key: str):
    """An address that others can reach needs a token of some length."""
    fault = settings.fault()
    assert fault is not None
    assert fault[0] == key


@pytest.mark.parametrize("listen", ["127.0.0.1:80", "[::1]:80", "localhost:80"])
def test_loopback_needs_no_token(listen: str):
    """Any other address does, and has one here."""
    assert WebSettings(listen).fault() is None
    assert WebSettings(":80", Secret(TOKEN)).fault() is None
