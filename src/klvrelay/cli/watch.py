"""Options and entry point of `klvrelay watch`."""

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
  A stream appears with its first message. It disappears when its retained topics are deleted, or when it has been
  offline for an hour. Records may have any format and compression; a note below the rows says what is missing to
  read them. If standard output is not a terminal, one line per stream is printed every second.
  Ctrl-C ends it.
""" + option_groups.BROKERS


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stream", nargs="?", metavar="STREAM", help="show only this stream")
    parser.add_argument(
        "--output",
        action="append",
        metavar="NAME",
        help="show the records of this output, i.e. of topics PREFIX/STREAM/NAME (default: telemetry); repeatable",
    )
    option_groups.add_choice(parser, "show only streams of this PID; repeatable", "show only streams of this program")
    option_groups.add_mqtt(parser, required=True)


async def run(args: argparse.Namespace) -> int:
    """Show the streams until a signal arrives."""
    from klvrelay.cli.verbs.watch import watch
    from klvrelay.config.mqtt import mqtt_settings
    from klvrelay.config.names import checked_name, safe_level

    stream = None if args.stream is None else checked_name(args.stream, "STREAM")
    settings = mqtt_settings(args.mqtt, option_groups.mqtt_options(args))
    outputs = [safe_level(checked_name(name, "--output")) for name in args.output or ("telemetry",)]
    await watch(settings, stream, choice=option_groups.choice_of(args), outputs=outputs)
    return 0
