"""Reads the URL of an MQTT broker: `mqtt[s]://user:password@host:port/prefix?qos=1&...`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from klvrelay.config.url import Url, unknown_option
from klvrelay.errors import ConfigError

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_FORM = "mqtt://[user@]host[:port][/prefix]"


def settings_from_url(url: str) -> dict[str, Any]:
    """The settings that a URL has. Raises ConfigError, which never quotes a part that may contain a password."""
    parts = Url.parse(url)
    if parts.scheme in ("ws", "wss"):
        raise ConfigError(
            "MQTT URL: WebSocket (ws://, wss://) is not supported; use the broker's mqtt:// or mqtts:// listener"
        )
    if parts.scheme not in _PORTS:
        raise ConfigError(f"MQTT URL: must begin with mqtt:// or, for TLS, mqtts://: {_FORM}")
    if not parts.host:
        raise ConfigError(f"MQTT URL: the host is missing: {_FORM}")
    found: dict[str, Any] = {"host": parts.host, "tls": parts.scheme == "mqtts"}
    found["port"] = parts.port or _PORTS[parts.scheme]
    found |= {"username": parts.user or None, "password": parts.password or None}
    if prefix := unquote(parts.path).strip("/"):
        found["prefix"] = prefix
    return found | {key: _option(key, text, number) for number, (key, text) in enumerate(parts.options.items(), 1)}


def _option(key: str, text: str, number: int) -> Any:
    if key not in _OPTIONS:
        raise ConfigError(f"MQTT URL: {unknown_option(key, number, _OPTIONS)}")
    try:
        return _OPTIONS[key](text)
    except (ValueError, KeyError):
        pass
    # The value is not quoted: if an & is missing, it includes the next option.
    raise ConfigError(f"MQTT URL: invalid value of {key}")


def _flag(text: str) -> bool:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]


def _protocol(text: str) -> int:
    return {"5": 5, "5.0": 5, "4": 4, "3.1.1": 4, "311": 4}[text]


_OPTIONS: dict[str, Callable[[str], Any]] = {
    "client_id": str,
    "qos": int,
    "protocol": _protocol,
    "keepalive": int,
    "ca_file": str,
    "cert_file": str,
    "key_file": str,
    "allow_plaintext": _flag,
    "raw": _flag,
    "publish_bad": str,
    "numbers": str,
    "window": int,
    "timeout": float,
    "expiry": int,
    "client": str,
}
