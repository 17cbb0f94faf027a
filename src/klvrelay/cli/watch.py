"""The options of `watch`, and the call of the table."""

from __future__ import annotations

import argparse

from klvrelay.cli import option_groups

ON_LOOP = True
EXAMPLES = (
    "klvrelay watch --mqtt mqtt://127.0.0.1:1883",
    "klvrelay watch uav1 --mqtt mqtts://user@broker | tee uav1.log",
)
EPILOG = """\
rows:
  A stream is shown from its first message on. It is left out once its retained topics are deleted, or when it has been
  offline for an hour. Where standard output is no terminal, a line for each stream is printed each second.
""" + option_groups.BROKERS


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stream", nargs="?", metavar="STREAM", help="only this one")
    option_groups.add_choice(parser, "only streams of this PID; may be given again", "only streams of this program")
    option_groups.add_mqtt(parser, required=True)


async def run(args: argparse.Namespace) -> int:
    """Show the streams until a signal comes."""
    from klvrelay.cli.verbs.watch import watch
    from klvrelay.config.names import checked_name
    from klvrelay.config.settings import mqtt_settings

    stream = None if args.stream is None else checked_name(args.stream, "STREAM")
    await watch(mqtt_settings(args.mqtt, option_groups.mqtt_given(args)), stream, choice=option_groups.choice_of(args))
    return 0
