"""The verbs of the command line and the text of `--help`.

Each verb's options are in one module, which is loaded when the command line names that verb.
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
    "replay": "relay a recording at its original pace, as if it were live",
    "decode": "print every KLV record of a file as JSON Lines or CSV",
    "export": "convert recordings to GeoJSON, KML, GPX, CZML, CSV, Parquet and other files",
    "check": "validate a settings file, and try its sources and brokers",
    "probe": "check a stream or file against the standards, and show how to fix what is wrong",
    "record": "record a source unmodified, in segments",
    "send": "send a recording as if it were live, optionally with simulated loss and delay",
    "watch": "show the streams of a broker in a live table",
    "alerts": "list the rules of alerts and what is raised, or send a test alert",
    "retained": "list or clear the retained topics of a broker",
    "incidents": "list and acknowledge outages, and print MTTR, MTBF and availability",
    "spool": "list, verify or export the records that wait on disk",
    "import": "make a transport stream with KLV of a video and its telemetry (DJI subtitles, CSV)",
    "sample": "create a synthetic drone recording with matching video and metadata",
    "demo": "relay a sample to an embedded broker, and show what a subscriber receives",
    "items": "describe metadata items: unit, range, resolution, encoding, meaning",
    "schema": "print an AsyncAPI document of the topics, or the JSON Schema of a payload or of the settings",
}
CODES = """\
exit codes: 0 done or stopped, 1 internal error, full disk or damaged spool, 2 invalid options or settings,
  3 source cannot be read, 4 no KLV found, 5 broker rejects login or certificate at the first connect (run, replay), or
  cannot be reached (watch, retained, demo, check --connect), 6 probe found warnings, 7 probe found errors,
  8 records were lost (run, replay), 130 interrupted by a signal
signals: Ctrl-C or SIGTERM ends every verb in order, within 5 s (otherwise by force, exit code 1); a second signal does
  not shorten this, except for probe, and for decode of a file"""


class _Verb:
    """A verb's parser, built when the command line names the verb: a command needs one set of options, not all."""

    def __init__(self, *, verb: str, **described: Any) -> None:
        self._verb, self._described = verb, described

    @cached_property
    def _parser(self) -> argparse.ArgumentParser:
        command = import_module(f"klvrelay.cli.{self._verb}")
        examples = "".join(f"  {example}\n" for example in command.EXAMPLES)
        parser = Parser(**self._described, epilog=f"examples:\n{examples}{command.EPILOG}{CODES}")
        command.add_options(parser)
        return parser

    def _check_help(self, action: argparse.Action) -> None:
        """Do nothing: Python 3.14 checks the help of each verb here, and would build every parser."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)


def _help(prog: str) -> argparse.HelpFormatter:
    """A formatter as wide as the terminal. argparse creates one per option, and would load shutil to find the width."""
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
    """The top-level parser."""
    from klvrelay import __version__

    parser = Parser(
        prog="klvrelay",
        description="Relays the KLV metadata of drone video (MISB, STANAG 4609) to MQTT.",
        epilog=f"Run `klvrelay VERB --help` for the options of a verb.\n{CODES}",
        formatter_class=_help,
        verbs=VERBS,
    )
    parser.add_argument("--version", action=Version, nargs=0, const=f"klvrelay {__version__}", help="print the version")
    verbs: Any = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=_Verb)
    for name, text in VERBS.items():
        described = f"{text[0].upper()}{text[1:]}."
        verbs.add_parser(name, help=text, description=described, formatter_class=_help, verb=name)
    return parser
