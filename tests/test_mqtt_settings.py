"""The settings of an MQTT connection: the parts of a URL, and what is refused before connecting."""

from __future__ import annotations

import pytest
from cases import each_case

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import ConfigError
from klvrelay.text import Secret

CANARY = "c4n4ry-pa55"


def test_a_bare_url_gives_the_documented_defaults():
    """Port 1883, prefix klvrelay, QoS 1, MQTT 5, the window of the protocol, a timeout of ten seconds, an expiry of one
    minute.
    """
    s = MqttSettings.from_url("mqtt://broker.example")

    assert (s.host, s.port, s.tls, s.prefix) == ("broker.example", 1883, False, "klvrelay")
    assert (s.qos, s.protocol, s.window, s.timeout, s.expiry) == (1, 5, None, 10.0, 60)
    assert (s.window_of(5), s.window_of(4)) == (1000, 100)
    assert (s.raw, s.publish_bad, s.allow_plaintext) == (False, "rejected", False)
    assert (s.username, s.password, s.client_id) == (None, None, None)


def test_a_full_url_is_parsed():
    """TLS on 8883, percent-coded credentials, a prefix of several levels, options after the ?."""
    s = MqttSettings.from_url(
        "mqtts://relay%40site:p%2Fw%3A@[::1]/site/klv?qos=2&protocol=3.1.1&raw=yes&publish_bad=drop&timeout=2.5"
        "&client_id=a&ca_file=/etc/ca.pem&keepalive=15&window=5&expiry=0"
    )

    assert (s.host, s.port, s.tls, s.prefix) == ("::1", 8883, True, "site/klv")
    assert s.username == "relay@site"
    assert s.password == Secret("p/w:")
    assert (s.qos, s.protocol, s.raw, s.publish_bad, s.timeout) == (2, 4, True, "drop", 2.5)
    assert (s.client_id, s.ca_file, s.keepalive, s.window, s.expiry) == ("a", "/etc/ca.pem", 15, 5, 0)
    assert s.url == "mqtts://[::1]:8883"


def test_keywords_win_over_the_url():
    """A settings file may extend and override a URL."""
    s = MqttSettings.from_url("mqtts://h?qos=2", qos=0, username="u", password=Secret("p"))

    assert (s.qos, s.username, s.password) == (0, "u", Secret("p"))


@each_case(
    ("url", "says"),
    [
        ("localhost:1883", "mqtt://"),
        ("http://h", "mqtt://"),
        ("mqtt://", "host"),
        ("mqtt://a..b", "host"),
        ("mqtt://.b", "host"),
        ("mqtt://" + "a" * 64 + ".b", "host"),
        ("mqtt://h:99999", "port"),
        ("mqtt://h:x", "port"),
        ("mqtt://h?qos=3", "qos"),
        ("mqtt://h?qos=many", "qos"),
        ("mqtt://h?protocol=3.1", "protocol"),
        ("mqtt://h?raw=perhaps", "raw"),
        ("mqtt://h?publish_bad=no", "rejected, telemetry, drop"),
        ("mqtt://h?timeout=nan", "timeout"),
        ("mqtt://h?window=0", "window"),
        ("mqtt://h?keepalife=3", "keepalive"),
        ("mqtt://h?order=live-first", "unknown option order"),
        ("mqtt://h?replay_rate=9", "unknown option replay_rate"),
        ("mqtt://h/a/+/b", "prefix"),
        ("mqtt://h/%24SYS", "prefix"),
        ("mqtt://h/a//b", "prefix"),
        ("mqtt://h/a%0ab", "prefix"),
        ("mqtt://h?ca_file=x", "mqtts://"),
        ("mqtts://h?cert_file=x", "key_file"),
        ("mqtt://h?client_id=a%00b", "client_id"),
        ("mqtt://:pw@h", "user"),
        ("ws://u:c4n4ry@h:9001/mqtt", "use the broker's mqtt:// or mqtts:// listener"),
        ("wss://h/mqtt", "use the broker's mqtt:// or mqtts:// listener"),
    ],
)
def test_a_wrong_url_is_one_line_that_names_what_is_wrong(url, says):
    """Each mistake is a ConfigError of one line with the key or the valid form."""
    with pytest.raises(ConfigError) as caught:
        MqttSettings.from_url(url)

    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@each_case(
    "host",
    ["broker.example", "192.0.2.7", "[2001:db8::1]", "localhost.example.org", "localhost-2", "my.localhost",
     "127.0.0.1.example.org", "[::ffff:192.0.2.7]", "126.255.255.255", "128.0.0.0"],
)  # fmt: skip
def test_a_password_over_plain_tcp_is_refused_unless_allowed(host):
    """Without TLS a password is sent to this machine only, or where allow_plaintext allows it."""
    with pytest.raises(ConfigError, match="allow_plaintext"):
        MqttSettings.from_url(f"mqtt://u:p@{host}")

    assert MqttSettings.from_url(f"mqtt://u:p@{host}?allow_plaintext=true").password == Secret("p")
    assert MqttSettings.from_url(f"mqtts://u:p@{host}").tls


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.3.2.1", "[::1]"])
def test_a_password_to_this_machine_needs_no_tls(host):
    """Loopback traffic cannot be captured from elsewhere."""
    assert MqttSettings.from_url(f"mqtt://u:p@{host}").username == "u"


def test_settings_never_show_the_password():
    """repr, str, format and the address contain no part of it."""
    s = MqttSettings.from_url(f"mqtts://user:{CANARY}@h")

    assert CANARY not in f"{s!r} {s} {s.password} {s.password!r} {s.url} {[s.password]}"
    assert s.password is not None
    assert s.password.reveal() == CANARY


@each_case(
    "url",
    [
        f"mqtt://user:{CANARY}@h",
        f"mqtt://user:{CANARY}/x@h",
        f"mqtt://user:12?{CANARY}@h",
        f"mqtt://user:12#{CANARY}@h",
        f"mqtt://user:{CANARY}@h:port",
        f"mqtts://user:{CANARY}@h?no=1",
        f"mqtts://user:{CANARY}@h/+/x",
        f"ftp://user:{CANARY}@h",
        f"user:{CANARY}@h",
        f"mqtt://user:{CANARY}@",
    ],
)
def test_no_error_about_a_url_shows_its_password(url):
    """However a URL is misread, no possible password is quoted or chained behind the error."""
    with pytest.raises(ConfigError) as caught:
        MqttSettings.from_url(url)

    fault: BaseException | None = caught.value
    while fault is not None:
        assert CANARY not in f"{fault!r}"
        fault = fault.__cause__ or fault.__context__


@pytest.mark.parametrize("host", ["localhost.example.org", "localhosts", "127.0.0.1.example.org", "128.0.0.1"])
def test_a_host_that_only_looks_local_gets_no_password_in_the_clear(host):
    """Loopback is `localhost` itself or one of its addresses."""
    with pytest.raises(ConfigError, match="would be sent unencrypted"):
        MqttSettings.from_url(f"mqtt://relay:pa55@{host}")
    for local in ("localhost", "LocalHost", "127.0.0.1", "127.8.9.1", "[::1]"):
        assert MqttSettings.from_url(f"mqtt://relay:pa55@{local}").username == "relay"


@pytest.mark.parametrize(("key", "most"), [("client_id", 65_535), ("username", 65_535), ("prefix", 60_000)])
def test_a_text_that_is_too_long_for_mqtt_is_refused(key, most):
    """Its length in bytes takes 16 bits: the connection would fail again and again."""
    assert MqttSettings(host="h", **{key: "\u00e4" * (most // 2)})
    with pytest.raises(ConfigError, match=f"mqtt {key}: must have at most {most} bytes"):
        MqttSettings(host="h", **{key: "\u00e4" * (most // 2 + 1)})


def test_a_password_that_is_too_long_for_mqtt_is_refused():
    """And not shown."""
    with pytest.raises(ConfigError, match=r"^mqtt password: must have at most 65535 bytes$"):
        MqttSettings(host="127.0.0.1", username="u", password=Secret("x" * 65_536))
