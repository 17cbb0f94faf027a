"""The options of `retained`, and the call of what lists and clears."""

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
  A broker keeps the last status, availability, state and link, also of streams that no longer exist. After a crash, the
  next `klvrelay run` with the same prefix sets to offline what that run left online (MQTT 5 only). To remove topics, or
  to correct them by MQTT 3.1.1, use --clear.
  A running relay publishes the topics of its streams again when they change. To clear those of a stream for good, first
  stop its relay.
""" + option_groups.BROKERS


def add_options(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("--list", action="store_true", help="list the retained topics under the prefix (default)")
    actions.add_argument("--clear", action="store_true", help="list them, ask, and remove them from the broker")
    parser.add_argument("--stream", metavar="NAME", help="only those of this stream")
    parser.add_argument("--yes", action="store_true", help="with --clear: do not ask")
    option_groups.add_choice(parser, "accepted without effect: choose by --stream", "likewise")
    option_groups.add_mqtt(parser, required=True)


def run(args: argparse.Namespace) -> int:
    """Two visits to the broker; between them a question may wait on the terminal, outside of any loop."""
    from klvrelay.cli.verbs.retained import retained
    from klvrelay.config.names import checked_name
    from klvrelay.config.settings import mqtt_settings

    stream = None if args.stream is None else checked_name(args.stream, "--stream")
    retained(mqtt_settings(args.mqtt, option_groups.mqtt_given(args)), stream, clear=args.clear, sure=args.yes)
    return 0
