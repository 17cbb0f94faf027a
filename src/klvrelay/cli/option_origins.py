"""Which settings come from options of the command line, for `--print-config`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from klvrelay.cli import option_groups
from klvrelay.config.mqtt import OF_ANY_BROKER
from klvrelay.config.settings import RelaySettings

OF_SOURCE = {
    "interface": "interface", "sender": "sender", "speed": "speed", "loop": "loop", "stall": "stall", "demux": "demux",
    "isolate": "isolate", "follow": "follow", "source_timeout": "timeout", "packet_limit": "packet_limit",
}  # fmt: skip
"""Options that apply to every source of the command line, and their fields in `SourceSettings`."""
_NAMES = {"protocol": "--mqtt-version", "password": "--mqtt-password-file"}
"""Options of the broker that are not named like the setting."""
_CHOICE = {"only": ("pids", "--pid"), "program": ("program", "--program")}

Origins = dict[tuple[str, int, str], str]


def option_origins(
    args: argparse.Namespace, origins: Mapping[tuple[str, int, str], str], settings: RelaySettings
) -> Origins:
    """The origins of settings, with those of the options that replace them."""
    found = dict(origins)
    broker = next((place for place, sink in enumerate(settings.sinks) if sink.mqtt is not None), -1)
    if args.mqtt is not None:  # it replaces the address and the login
        kept = (*OF_ANY_BROKER, "name", "order", "replay_rate", "batch")
        found = {place: origin for place, origin in found.items() if place[:2] != ("sink", broker) or place[2] in kept}
        found["sink", broker, "url"] = "--mqtt"
    for key in option_groups.mqtt_options(args):
        found["sink", broker, key] = _NAMES.get(key, f"--{key.replace('_', '-')}")
    added = len(getattr(args, "sink", None) or ())
    found |= {("sink", len(settings.sinks) - 1 - place, "url"): "--sink" for place in range(added)}
    for number in range(len(settings.sources)):
        found |= {("source", number, key): option for key, option in _of_source(args).items()}
    return found


def _of_source(args: argparse.Namespace) -> dict[str, str]:
    """The options of sources, by the keys of settings."""
    found = {key: option for name, (key, option) in _CHOICE.items() if name in option_groups.choice_options(args)}
    if args.sources:
        found["url"] = "the command line"
        found |= {
            key: f"--{option.replace('_', '-')}"
            for option, key in OF_SOURCE.items()
            if is_given(option, getattr(args, option, None))
        }
        if args.stream:
            found["stream"] = "--stream"
    return found


def is_given(option: str, value: Any) -> bool:
    """Is the option on the command line?"""
    return value is not None and value != [] and (value is not False or option == "isolate")
