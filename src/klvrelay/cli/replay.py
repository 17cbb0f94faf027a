"""Options and entry point of `klvrelay replay`."""

from __future__ import annotations

import argparse

from klvrelay.cli import option_groups
from klvrelay.cli.run import run

__all__ = ["EPILOG", "EXAMPLES", "ON_LOOP", "add_options", "run"]

ON_LOOP = True
EXAMPLES = (
    "klvrelay replay flight.ts --mqtt mqtt://127.0.0.1:1883",
    "klvrelay replay tapes/ --stream uav1 --speed 2 --loop --mqtt mqtt://127.0.0.1:1883",
)
EPILOG = option_groups.BROKERS + option_groups.FALLBACKS + option_groups.SINKS


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sources", nargs=1, metavar="FILE", help="recording, or folder written by `klvrelay record`")
    parser.add_argument("--speed", type=float, default=1.0, metavar="FACTOR", help="playback speed factor (default: 1)")
    parser.add_argument("--loop", action="store_true", help="repeat until stopped")
    option_groups.add_limit(parser)
    parser.add_argument("--stream", action="append", default=[], metavar="NAME", help="name of the stream in topics")
    option_groups.add_choice(parser)
    option_groups.add_mqtt(parser, several=True)
    option_groups.add_sinks(parser)
    option_groups.add_publish(parser)
    option_groups.add_log(parser)
    option_groups.add_quiet(parser)
