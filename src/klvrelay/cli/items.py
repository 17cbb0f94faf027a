"""The options of `items`, and the call of the reference."""

from __future__ import annotations

import argparse

from klvrelay.cli import option_groups, standard_streams

ON_LOOP = False
EXAMPLES = (
    "klvrelay items 13 14",
    "klvrelay items sensor_latitude",
    "klvrelay items frame center",
    "klvrelay items --set VTarget --json",
)
EPILOG = """\
an item is asked for by
  13                               its tag (of ST 0601; with --set of another set)
  0903:101  VTarget:10             set and tag
  74.101[0].10                     a path as in a record's quality, by tags or keys
  sensor_latitude  frame center    its key, or words of its name, elements, labels
  060e2b34...                      its 16-byte key, or that of a set
  13 14 sensor_latitude            several tags, paths or keys: each of these items
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", nargs="*", metavar="NAME|TAG", help="what to look up; without it, a table of ST 0601")
    parser.add_argument("--set", metavar="SET", help="look in this set only, or list its items: 0903, VTarget, ...")
    parser.add_argument("--sets", action="store_true", help="list the sets")
    parser.add_argument("--json", action="store_true", help="as JSON, an array of all that is known of each")
    option_groups.add_choice(parser, "accepted without effect: the standards have no PIDs", "likewise")


def run(args: argparse.Namespace) -> int:
    """Print what is known."""
    from klvrelay.cli.verbs.items import items

    with standard_streams.written():
        items(args.query, set_name=args.set, list_sets=args.sets, as_json=args.json)
    return 0
