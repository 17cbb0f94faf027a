"""Options and entry point of `klvrelay retained`."""

from __future__ import annotations

import argparse

from klvrelay.cli import option_groups

ON_LOOP = False
EXAMPLES = (
    "klvrelay retained --mqtt mqtt://127.0.0.1:1883",
    "klvrelay retained --mqtt mqtt://127.0.0.1:1883 --clear --stream uav1",
)
EPILOG = """\
retained topics:
  A broker retains the last status, availability, state and link messages, even of streams that no longer exist. After a
  crash, the next `klvrelay run` with the same prefix sets stale `online` topics to `offline` (MQTT 5 only). With MQTT
  3.1.1, or to remove topics, use --clear.
  With the preset `homeassistant`, the topics that announce the streams to Home Assistant are listed and cleared too.
  A running relay republishes the topics of its streams when they change. Stop the relay before you clear them.
""" + option_groups.BROKERS


def add_options(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("--list", action="store_true", help="list the retained topics under the prefix (default)")
    actions.add_argument("--clear", action="store_true", help="list the topics, ask for confirmation, and clear them")
    parser.add_argument("--stream", metavar="NAME", help="topics of this stream only")
    parser.add_argument("--yes", action="store_true", help="with --clear: skip the confirmation")
    option_groups.add_mqtt(parser, required=True)


def run(args: argparse.Namespace) -> int:
    """List, then clear, over two connections. The confirmation in between blocks outside any event loop."""
    from klvrelay.cli.verbs.retained import retained
    from klvrelay.config.mqtt import mqtt_settings
    from klvrelay.config.names import checked_name

    stream = None if args.stream is None else checked_name(args.stream, "--stream")
    retained(mqtt_settings(args.mqtt, option_groups.mqtt_options(args)), stream, clear=args.clear, confirmed=args.yes)
    return 0
