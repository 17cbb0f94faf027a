"""Options and entry point of `klvrelay items`."""

from __future__ import annotations

import argparse

from klvrelay.cli import standard_streams

ON_LOOP = False
EXAMPLES = (
    "klvrelay items 13 14",
    "klvrelay items sensor_latitude",
    "klvrelay items frame center",
    "klvrelay items --set VTarget --json",
)
EPILOG = """\
ways to name an item:
  13                               tag in ST 0601, or in the set given by --set
  0903:101  VTarget:10             set and tag
  74.101[0].10                     path as in a record's `quality`, by tags or keys
  sensor_latitude  frame center    key, or words from its name, elements or labels
  060e2b34...                      16-byte key of an item or a set
  13 14 sensor_latitude            several tags, paths or keys
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", nargs="*", metavar="NAME|TAG", help="items to look up (default: list ST 0601)")
    parser.add_argument("--set", metavar="SET", help="search this set only, or list its items: 0903, VTarget, ...")
    parser.add_argument("--sets", action="store_true", help="list the sets")
    parser.add_argument("--json", action="store_true", help="print all details as a JSON array")


def run(args: argparse.Namespace) -> int:
    """Print the matching entries."""
    from klvrelay.cli.verbs.items import items

    with standard_streams.flush_output():
        items(args.query, set_name=args.set, list_sets=args.sets, as_json=args.json)
    return 0
