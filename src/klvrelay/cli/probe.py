"""The options of `probe`, and the call of what probes."""

from __future__ import annotations

import argparse

from klvrelay.cli import option_groups

ON_LOOP = True
EXAMPLES = (
    "klvrelay probe flight.ts",
    "klvrelay probe udp://0.0.0.0:5000 --html report.html",
    "klvrelay probe srt://camera:9000 --seconds 60 --json > report.json",
)
EPILOG = option_groups.SOURCES


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="a file or stream; - for standard input")
    parser.add_argument("--seconds", type=float, metavar="S",
                        help="seconds to look (live 10, a file all); Ctrl-C ends it early (exit code 3 if"
                             " nothing had come), a second one at once")  # fmt: skip
    option_groups.add_limit(parser)
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document")
    parser.add_argument("--html", metavar="FILE",
                        help="also write it as a page with plots, complete in itself (mode 0640)")  # fmt: skip
    option_groups.add_choice(parser, "look only at the KLV of this PID; may be given again", "and of this program")
    option_groups.add_source(parser)
    option_groups.add_password(parser)
    option_groups.add_quiet(parser, "no progress bar; log warnings and errors only")


async def run(args: argparse.Namespace) -> int:
    """Look, and print the report."""
    from klvrelay.cli.source_urls import source_url
    from klvrelay.cli.verbs.probe import Wishes, probe
    from klvrelay.config.mistyped import file_name

    html = None if args.html is None else file_name(args.html, "--html")
    wishes = Wishes(args.seconds, args.json, html, args.quiet)
    url = source_url(args, args.source)
    return await probe(
        url, wishes, option_groups.choice_of(args), **option_groups.source_given(args),
        **option_groups.limit_given(args),
    )  # fmt: skip
