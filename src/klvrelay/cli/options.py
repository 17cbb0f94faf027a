"""The verbs of the command line and what `--help` prints.

The options of each verb are in a file of `commands/`, which is loaded when the command line names the verb.
"""

from __future__ import annotations

import argparse
import os
from functools import cached_property
from importlib import import_module
from typing import Any

from klvrelay.cli.parser import Parser, Version

VERBS = {
    "run": "relay sources to a broker until stopped",
    "replay": "relay a file in its own time, as if it were live",
    "decode": "print every KLV record of a file as JSON Lines or CSV",
    "probe": "say whether a stream or file is right, what is wrong with it, and how to fix it",
    "record": "write a source's bytes as they come, in segments",
    "send": "send a recording as if it were live, with losses and delays if asked",
    "watch": "show a broker's streams live, as a table",
    "retained": "list or clear what a broker has retained under the prefix",
    "sample": "write a synthetic drone recording whose picture fits its metadata",
    "demo": "relay a sample to a broker inside this process, and show what a subscriber gets",
    "items": "show what is known of an item: units, range, resolution, bytes, meaning",
}
CODES = """\
exit codes: 0 done or stopped, 1 a fault such as a full disk, 2 wrong options, 3 source can't be read,
  4 no KLV in it, 5 broker refuses, 6 probe found warnings, 7 errors, 8 records were lost (run, replay),
  130 broken off by a signal"""


class _Verb:
    """A verb's parser, made when the command line names the verb: of ten sets of options a command needs one."""

    def __init__(self, *, verb: str, **described: Any) -> None:
        self._verb, self._described = verb, described

    @cached_property
    def _parser(self) -> argparse.ArgumentParser:
        command = import_module(f"klvrelay.cli.{self._verb}")
        examples = "".join(f"  {example}\n" for example in command.EXAMPLES)
        parser = Parser(**self._described, epilog=f"examples:\n{examples}{command.EPILOG}{CODES}")
        command.add_options(parser)
        return parser

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)


def _help(prog: str) -> argparse.HelpFormatter:
    """As wide as the terminal. argparse makes one for each option, and would load shutil and its compressors to ask."""
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() else 0
    if not width:
        import sys

        try:
            width = os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 0
        except (OSError, ValueError):
            width = 0
    return argparse.RawDescriptionHelpFormatter(prog, width=(width or 80) - 2)


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command."""
    from klvrelay import __version__

    parser = Parser(
        prog="klvrelay",
        description="Relays the KLV metadata of drone video (MISB, STANAG 4609) to MQTT.",
        epilog=f"`klvrelay VERB --help` describes each.\n{CODES}",
        formatter_class=_help,
        verbs=VERBS,
    )
    parser.add_argument("--version", action=Version, nargs=0, const=f"klvrelay {__version__}", help="print the version")
    verbs: Any = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=_Verb)
    for name, text in VERBS.items():
        described = f"{text[0].upper()}{text[1:]}."
        verbs.add_parser(name, help=text, description=described, formatter_class=_help, verb=name)
    return parser
