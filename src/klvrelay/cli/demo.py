"""Options and entry point of `klvrelay demo`."""

from __future__ import annotations

import argparse

from klvrelay.cli import option_groups

ON_LOOP = True
EXAMPLES = (
    "klvrelay demo",
    "klvrelay demo udp://0.0.0.0:5000",
    "klvrelay demo flight.ts --mqtt mqtt://127.0.0.1:1883",
)
EPILOG = ""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="source to relay (default: a built-in sample)")
    parser.add_argument("--mqtt", metavar="URL", help="broker to publish to (default: an embedded broker)")
    parser.add_argument("--port", type=_port, metavar="PORT",
                        help="port of the embedded broker (default: 1883, or a free port if it is in use)")  # fmt: skip
    parser.add_argument("--http", metavar="ADDRESS",
                        help="address of the web server (metrics, health, API), on loopback (default:"
                             " 127.0.0.1:8080, or a free port if it is in use)")  # fmt: skip
    option_groups.add_password(parser)
    option_groups.add_mqtt_password(parser)
    option_groups.add_mqtt_client(parser)
    option_groups.add_choice(parser)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 <= int(text[:6]) <= 65535):
        raise argparse.ArgumentTypeError("give a number from 0 to 65535")
    return int(text)


async def run(args: argparse.Namespace) -> int:
    """Run the demo until a signal arrives."""
    from klvrelay.cli.source_urls import source_url
    from klvrelay.cli.verbs.demo import demo

    source = None if args.source is None else source_url(args, args.source)
    broker, choice = option_groups.mqtt_options(args), option_groups.choice_options(args)
    await demo(source, args.mqtt, broker, port=args.port, http=args.http, **choice)
    return 0
