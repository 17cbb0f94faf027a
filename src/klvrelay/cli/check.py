"""Options and entry point of `klvrelay check`."""

from __future__ import annotations

import argparse
import asyncio

from klvrelay.cli import standard_streams

ON_LOOP = True
EXAMPLES = (
    "klvrelay check relay.toml",
    "klvrelay check relay.toml --connect",
    "klvrelay check relay.toml --print-config",
)
EPILOG = """\
with --connect:
  Each source is opened until its first KLV record arrives. Each broker is connected; nothing is published. Stop a relay
  that receives on the same ports first. Exit codes 3 to 5: a source or a broker cannot be used.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", nargs="?", metavar="FILE", help="settings in TOML (default: only the environment)")
    parser.add_argument("--connect", action="store_true", help="try each source and each broker")
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S",
                        help="with --connect: maximum time to wait for KLV (default: 10)")  # fmt: skip
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print the result as one JSON document")
    output.add_argument("--print-config", action="store_true",
                        help="print every setting and where it comes from, without secrets")  # fmt: skip


async def run(args: argparse.Namespace) -> int:
    """Check the settings, and print the result."""
    from klvrelay.cli.verbs.check import check, print_config

    if args.print_config:
        return print_config(args.config)
    try:
        return await check(args.config, connects=args.connect, seconds=args.seconds, as_json=args.json)
    except asyncio.CancelledError:  # by a signal: without a result, it must not look like a success
        standard_streams.print_error("stopped")
        return 130
