"""Options and entry point of `klvrelay send`."""

from __future__ import annotations

import argparse

from klvrelay.cli import option_groups

ON_LOOP = True
EXAMPLES = (
    "klvrelay send flight.ts udp://192.0.2.7:5000 --loop",
    "klvrelay send flight.ts udp://239.1.1.1:5000?ttl=4 --loop --impair loss=1%,seed=7",
    "klvrelay send flight.klv srt://192.0.2.7:9000 --rate 300k",
)
EPILOG = """\
destinations:
  udp://192.0.2.7:5000             datagrams of 7 TS packets (?pkt_size=1316)
  udp://239.1.1.1:5000?ttl=4       multicast group (--interface eth0 on a host with several interfaces)
  rtp://192.0.2.7:5004             the same over RTP
  tcp://192.0.2.7:5000             TCP (?listen=1: listen for a connection)
  srt://192.0.2.7:5000             SRT caller (?mode=listener); passphrase: KLVRELAY_SRT_PASSPHRASE in the environment
impairments, applied to datagrams (with level=ts: to TS packets):
  loss=1%  burst=3                 drop 1 %, 3 in a row
  reorder=0.5%  by=2               delay 0.5 % by 2 positions
  duplicate=1%  apart=5            repeat 1 %, 5 positions later
  flip=0.01%  bits=1               flip 1 bit in 0.01 %
  delay=20ms  jitter=5ms           delay all by 20 ms, plus up to 5 ms at random
  level=ts  pid=0x101  seed=7      TS packets of this PID only; equal seeds give equal impairments
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE",
                        help="MPEG-TS or bare KLV; a folder of segments; - for standard input")  # fmt: skip
    parser.add_argument("target", metavar="URL", help="destination")
    parser.add_argument("--speed", type=float, default=1.0, metavar="FACTOR", help="playback speed factor (default: 1)")
    parser.add_argument("--loop", action="store_true",
                        help="repeat until stopped; MPEG-TS signals each discontinuity")  # fmt: skip
    parser.add_argument("--impair", metavar="WHAT", help="simulate a bad network, e.g. loss=1%%,reorder=0.5%%,seed=7")
    parser.add_argument("--rate", metavar="BITS", help="bit rate in bit/s, e.g. 5M, instead of the original pace")
    parser.add_argument("--interface", metavar="NAME", help="outgoing network interface for multicast")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS", help="connect timeout (default: 5)")
    option_groups.refuse_choice(parser)
    option_groups.add_log(parser)
    option_groups.add_quiet(parser, f"no progress and no summary; {option_groups.QUIET}")


async def run(args: argparse.Namespace) -> int:
    """Send the recording."""
    from klvrelay.cli.verbs.send import send

    options = {key: getattr(args, key) for key in ("speed", "loop", "impair", "rate", "interface", "timeout", "quiet")}
    await send(args.source, args.target, **options)
    return 0
