"""The settings of `run` and `replay`, merged from the settings file and the command line.

Options that would have no effect are rejected before anything starts.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from klvrelay.cli import option_groups
from klvrelay.cli.log_options import OF_LOG, begin_log, given_settings
from klvrelay.cli.option_origins import OF_SOURCE, is_given, option_origins
from klvrelay.cli.source_urls import check_used, password_option, source_urls
from klvrelay.config.advice import advice
from klvrelay.config.mqtt import MqttSettings, mqtt_brokers, mqtt_brokers_over, with_mqtt_password
from klvrelay.config.names import checked_name
from klvrelay.config.settings import DEFAULT_SINK, RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.settings_file import Reading, read_settings, sinks_of_urls
from klvrelay.config.uniqueness import check_no_shared_far_end, check_outputs, streams_without_effect
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.log import logger
from klvrelay.text import Secret, counted, printable

_SCHEMES = {"interface": ("udp", "rtp"), "sender": ("udp", "rtp"), "follow": ("file",)}
"""Options that apply to some kinds of sources only."""
_OF_RELAY = {
    "coalesce": ("relay", "coalesce"), "state": ("relay", "state"), "spool": ("spool", "path"),
    "http": ("http", "listen"), **OF_LOG,
}  # fmt: skip
"""Options that are settings of other tables."""


def relay_settings(args: argparse.Namespace) -> RelaySettings:
    """The settings of a relay. Raises ConfigError for options that are impossible or have no effect."""
    return _settings(_of_file(args, password := password_option(args)).settings, args, password)


def explained_settings(args: argparse.Namespace) -> str:
    """The settings of a relay as TOML, with the origin of every value."""
    from klvrelay.config.explain import explained, origins_of

    reading = _of_file(args, password := password_option(args))
    settings = _settings(reading.settings, args, password)
    return explained(settings, option_origins(args, origins_of(reading.entries), settings))


def _settings(settings: RelaySettings, args: argparse.Namespace, password: Secret | None) -> RelaySettings:
    settings = _with_sources(settings, args, password)
    check_used(password, (source.url for source in settings.sources))
    if choice_options := option_groups.choice_options(args):
        settings = replace(settings, sources=tuple(replace(source, **choice_options) for source in settings.sources))
    settings = _with_sinks(_with_broker(settings, args), args)
    for warning in advice(settings, "command line") if args.sources else ():
        logger().warning("%s", warning)
    if not settings.sources:
        raise ConfigError(_no_source(getattr(args, "config", None)))
    if not settings.sinks:
        raise ConfigError("no sink: give one, e.g. --mqtt mqtt://127.0.0.1:1883, or --sink - for standard output")
    return settings


def _no_source(config: str | None) -> str:
    if config is None:
        return "no source: give one, e.g. udp://0.0.0.0:5000, or -c relay.toml"
    return f"no source: give one, e.g. udp://0.0.0.0:5000, or add [[source]] to {printable(config)}"


def _place(args: argparse.Namespace) -> str:
    """Where the settings are that are not on the command line."""
    return "the environment" if args.config is None else printable(args.config)


def _of_file(args: argparse.Namespace, password: Secret | None) -> Reading:
    """What the file and the environment have, which `replay` does not read."""
    if not hasattr(args, "config"):
        return Reading(RelaySettings())
    from klvrelay.relay.build import CHECKS

    options = given_settings(args, _OF_RELAY)
    reading = read_settings(args.config, password, options=options, checks=CHECKS)
    if not getattr(args, "print_config", False):
        begin_log(reading.settings.log, args)
    for warning in reading.warnings:
        logger().warning("%s", warning)
    return reading


def _with_sources(settings: RelaySettings, args: argparse.Namespace, password: Secret | None) -> RelaySettings:
    """The sources of the file or of the command line, never both."""
    if not args.sources:
        return _without_effect(settings, args)
    if settings.sources:
        raise ConfigError(f"sources on the command line and in {_place(args)}; give them in one place only")
    names = [None if name is None else checked_name(name, "--stream") for name in _names(args)]
    urls = source_urls(args.sources, password)
    options = _options(args)
    _check_effect(options, urls)
    sources = (
        SourceSettings(url, stream=name, **{key: value for key, value in options.items() if _takes(url, key)})
        for url, name in zip(urls, names, strict=True)
    )
    found = replace(settings, sources=tuple(sources))
    for warning in streams_without_effect(found):
        logger().warning("%s", warning)
    return found


def _without_effect(settings: RelaySettings, args: argparse.Namespace) -> RelaySettings:
    """The settings of the file. Raises ConfigError for options that apply only to sources of the command line."""
    options = [key for key in ("stream", *OF_SOURCE) if is_given(key, getattr(args, key, None))]
    if settings.sources and options:
        option, key = f"--{options[0].replace('_', '-')}", OF_SOURCE.get(options[0], options[0])
        raise ConfigError(
            f"{option} applies to sources of the command line only, not to those of"
            f" {_place(args)}: set {key} = ... in each [[source]] there"
        )
    return settings


def _options(args: argparse.Namespace) -> dict[str, Any]:
    options = {key: getattr(args, option, None) for option, key in OF_SOURCE.items()}
    options["follow"] = options["follow"] or None
    return {key: value for key, value in options.items() if value is not None}


def _takes(url: Url, key: str) -> bool:
    return key not in _SCHEMES or url.scheme in _SCHEMES[key]


def _check_effect(options: dict[str, Any], urls: Sequence[Url]) -> None:
    """Raise ConfigError for an option that applies to none of the sources."""
    for key in options:
        if not any(_takes(url, key) for url in urls):
            kinds = "files and folders" if key == "follow" else " and ".join(f"{s}://" for s in _SCHEMES[key])
            raise ConfigError(f"--{key} has no effect here: it applies to {kinds} only")


def _names(args: argparse.Namespace) -> list[str | None]:
    """The name of each source, or None: in order for `A B --stream a --stream b`, by place for `A --stream a B`."""
    names, count = args.stream, len(args.sources)
    places = getattr(args, "stream_places", [0] * len(names))
    if len(names) > count:
        raise ConfigError(f"--stream occurs {len(names)} times for {counted(count, 'source')}")
    if len(names) == count and (set(places) <= {0} or set(places) == {count}):
        return list(names)
    unclear = count > 1 and set(places) == {count}  # `A B --stream b`: is b the name of A (first) or B (preceding)?
    owned: list[str | None] = [None] * count
    for name, place in zip(names, places, strict=True):
        if place == 0 or owned[place - 1] is not None or unclear:
            raise ConfigError(
                f"--stream {printable(name)}: ambiguous with several sources; write each name after its source:"
                " SOURCE --stream NAME SOURCE --stream NAME"
            )
        owned[place - 1] = name
    return owned


def _with_sinks(settings: RelaySettings, args: argparse.Namespace) -> RelaySettings:
    """The settings with the sinks of `--sink`, beside all others."""
    urls = getattr(args, "sink", None) or ()
    if not urls:
        return settings
    from klvrelay.relay.build import CHECKS

    found = sinks_of_urls(urls, [sink.name for sink in settings.sinks], checks=CHECKS)
    check_no_shared_far_end(sinks := (*settings.sinks, *found))
    return replace(settings, sinks=sinks)


def _with_broker(settings: RelaySettings, args: argparse.Namespace) -> RelaySettings:
    """The settings with the broker of `--mqtt`, and the options of the command line for the only broker."""
    options = option_groups.mqtt_options(args)
    brokers = [place for place, sink in enumerate(settings.sinks) if sink.mqtt is not None]
    if args.mqtt is not None and not brokers:
        first, *others = mqtt_brokers(args.mqtt, options)
        return replace(settings, sinks=(*settings.sinks, SinkSettings(DEFAULT_SINK, first, tuple(others))))
    if args.mqtt is None and not (options and brokers):
        _check_broker_options(options, settings, args)
        return settings
    if len(brokers) > 1:
        raise ConfigError(
            f"{_place(args)} has several sinks: set their options in each [[sink]] there, not on the command line"
        )
    sink = _of_options(settings.sinks[brokers[0]], args, options)
    sinks = list(settings.sinks)
    sinks[brokers[0]] = sink
    return replace(settings, sinks=tuple(sinks))


def _check_broker_options(options: dict[str, Any], settings: RelaySettings, args: argparse.Namespace) -> None:
    """Raise ConfigError for options of a broker if all sinks are of other kinds."""
    if options and (settings.sinks or getattr(args, "sink", None)):
        raise ConfigError(f"--{next(iter(options)).replace('_', '-')}: applies to an MQTT broker, and there is none")


def _of_options(sink: SinkSettings, args: argparse.Namespace, options: dict[str, Any]) -> SinkSettings:
    """The MQTT sink of the file with the broker and the options of the command line."""
    assert sink.mqtt is not None
    if args.mqtt is not None:
        first, *others = mqtt_brokers_over(sink.mqtt, args.mqtt, options)
    else:
        first, *others = (_over(broker, options) for broker in sink.brokers)
    for number, key, text in check_outputs(sink.outputs, first):
        raise ConfigError(f"{_place(args)}: output {sink.outputs[number].name}: {key} {text}")
    return replace(sink, far_end=first, fallbacks=tuple(others))


def _over(settings: MqttSettings, options: dict[str, Any]) -> MqttSettings:
    """The settings of the file with the options of the command line."""
    is_other = options.get("username", settings.username) != settings.username
    mqtt = replace(settings, password=None) if is_other else settings  # a password belongs to one user
    return with_mqtt_password(replace(mqtt, **options))
