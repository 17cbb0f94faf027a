"""Options and entry point of `klvrelay spool`."""

from __future__ import annotations

import argparse
import sys

from klvrelay.cli import option_groups
from klvrelay.errors import ConfigError

ON_LOOP = False
EXAMPLES = (
    "klvrelay spool /var/lib/klvrelay/spool",
    "klvrelay spool /var/lib/klvrelay/spool --verify",
    "klvrelay spool /var/lib/klvrelay/spool --export backlog.jsonl --sink mqtt",
    "klvrelay spool /var/lib/klvrelay/spool --export - --stream uav1 | jq .seq",
)
EPILOG = """\
spool:
  DIR is the folder of `run --spool DIR`, or [spool] path in the settings. Nothing in it is changed, and a running relay
  may be using it. Records of the last commit interval (50 ms) are in the memory of that relay only.
  Delivered records stay until all sinks are done with the whole segment. `waiting` counts the records that a sink has
  yet to deliver. A sink whose cursor is damaged gets all records again.
  After damage, start the relay as usual: it skips damaged records, delivers all others, and needs no repair.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="folder of the spool")
    parser.add_argument("--verify", action="store_true",
                        help="show where the spool is damaged; exit code 1 if it is")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the listing as a JSON document")
    parser.add_argument("--export", metavar="FILE",
                        help="write the records as JSON Lines, like decode; - for standard output")  # fmt: skip
    parser.add_argument("--stream", metavar="NAME", help="with --export: only records of this stream")
    parser.add_argument("--sink", metavar="NAME", help="with --export: only what this sink has yet to deliver")
    option_groups.add_numbers(parser, "exact")
    option_groups.add_quiet(parser, "no progress bar and no summary")


def run(args: argparse.Namespace) -> int:
    """List, verify or export. A signal interrupts it between two segments at the latest."""
    from klvrelay.cli.stopping import watch_signals
    from klvrelay.cli.verbs import spool

    if args.export is None:
        for option in ("stream", "sink"):
            if getattr(args, option) is not None:
                raise ConfigError(f"--{option}: has an effect with --export only")
    elif args.json or args.verify:
        raise ConfigError(f"--export: not together with {'--json' if args.json else '--verify'}")
    if sys.stderr.isatty() or sys.stdout.isatty():  # loaded before a signal can interrupt it
        import rich.console
        import rich.progress  # noqa: F401
    with watch_signals(interrupts=True):
        if args.export is not None:
            wanted = spool.Wanted(args.export, args.stream, args.sink, args.numbers)
            return spool.export(args.folder, wanted, quiet=args.quiet)
        return spool.show_spool(args.folder, verify=args.verify, as_json=args.json, quiet=args.quiet)
