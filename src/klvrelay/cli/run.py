"""The options of `run`, and the call of the relay."""

from __future__ import annotations

import argparse

from klvrelay.cli import option_groups

ON_LOOP = True
EXAMPLES = (
    "klvrelay run udp://0.0.0.0:5000 --stream uav1 --mqtt mqtt://127.0.0.1:1883",
    "klvrelay run udp://:5000 --stream uav1 rtsp://user@cam/live --stream cam --mqtt mqtts://user@broker",
    "klvrelay run tapes/ --follow --mqtt mqtt://127.0.0.1:1883 --prefix site-a",
    "klvrelay run -c relay.toml",
)
NAMES = """\
names of streams:
  SOURCE --stream NAME SOURCE --stream NAME ...    each name is of the source before it
  SOURCE SOURCE --stream NAME --stream NAME        all sources together: the names in their order
  A source without a name gets one made of its URL; two of those that are equal get -2, -3, ... behind them.
  The other options hold for all sources.
settings:
  With -c FILE, sources are given in FILE or on the command line, not in both. --mqtt URL takes the place of the
  broker's address and login in FILE; the other options of the broker go before what is in FILE.
"""
EPILOG = option_groups.SOURCES + NAMES + option_groups.BROKERS


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [options] SOURCE [--stream NAME] [SOURCE [--stream NAME] ...] --mqtt URL"
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="what to relay; several are relayed side by side")
    parser.add_argument("-c", "--config", metavar="FILE", help="settings in TOML: see samples/relay.toml")
    parser.add_argument("--stream", action="append", default=[], metavar="NAME",
                        help="name of a stream in topics: of the source before it (see below)")  # fmt: skip
    option_groups.add_source(parser)
    option_groups.add_password(parser)
    parser.add_argument("--stall", type=float, metavar="SECONDS",
                        help="a stream is stale after so long without bytes, or without KLV (5)")  # fmt: skip
    parser.add_argument("--coalesce", metavar="TIME",
                        help="where many datagram sockets are busy read them together, at least once in this time,"
                             " 0.5ms to 100ms; 0: each at once (8ms)")  # fmt: skip
    parser.add_argument("--follow", action="store_true", help="files are still written: wait for more at their end")
    parser.add_argument("--demux", choices=("native", "libav"),
                        help="who takes MPEG-TS apart: the C core (native), or libav")  # fmt: skip
    parser.add_argument("--isolate", action=argparse.BooleanOptionalAction,
                        help="read every source in a separate, confined process, or none (default: http, https, rtsp"
                             " and rtsps only)")  # fmt: skip
    option_groups.add_limit(parser)
    option_groups.add_choice(parser)
    option_groups.add_mqtt(parser)
    option_groups.add_publish(parser)
    option_groups.add_quiet(parser)


async def run(args: argparse.Namespace) -> int:
    """Relay until stopped; also what `replay` does."""
    from klvrelay.cli.relay_settings import relay_settings
    from klvrelay.relay.build import relayed

    return await relayed(relay_settings(args))
