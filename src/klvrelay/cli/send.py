"""The options of `send`, and the call of the sender."""

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
far ends:
  udp://192.0.2.7:5000             datagrams of 7 TS packets (?pkt_size=1316)
  udp://239.1.1.1:5000?ttl=4       a multicast group (--interface eth0 where there are several)
  rtp://192.0.2.7:5004             the same in RTP
  tcp://192.0.2.7:5000             a connection (?listen=1 to be called instead)
  srt://192.0.2.7:5000             SRT (?mode=listener to be called; the passphrase from KLVRELAY_SRT_PASSPHRASE)
impairments, each of the datagrams (or, level=ts, of the TS packets in them):
  loss=1%  burst=3                 so many are lost, 3 in a row
  reorder=0.5%  by=2               come 2 later
  duplicate=1%  apart=5            come twice, the second time 5 later
  flip=0.01%  bits=1               bits are changed
  delay=20ms  jitter=5ms           each comes later; by how much, differs
  level=ts  pid=0x101  seed=7      TS packets, only of this PID; the same seed does the same damage
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE",
                        help="MPEG-TS or bare KLV, a folder of segments, - for standard input")  # fmt: skip
    parser.add_argument("target", metavar="URL", help="where to send it")
    parser.add_argument("--speed", type=float, default=1.0, help="this many times as fast (1)")
    parser.add_argument("--loop", action="store_true", help="again and again, until stopped")
    parser.add_argument("--impair", metavar="WHAT", help="damage it on the way, e.g. loss=1%%,reorder=0.5%%,seed=7")
    parser.add_argument("--rate", metavar="BITS", help="bits a second, e.g. 5M, instead of its own pace")
    parser.add_argument("--interface", help="network interface that multicast goes out of")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS", help="wait for a far end so long (5)")
    option_groups.add_choice(parser, *option_groups.WHOLE)
    option_groups.add_quiet(parser, "no progress and no summary")


async def run(args: argparse.Namespace) -> int:
    """Send it all."""
    from klvrelay.cli.verbs.send import send

    option_groups.warn_of_choice(args)
    options = {key: getattr(args, key) for key in ("speed", "loop", "impair", "rate", "interface", "timeout", "quiet")}
    await send(args.source, args.target, **options)
    return 0
