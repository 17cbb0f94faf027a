"""Options and entry point of `klvrelay probe`."""

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
    parser.add_argument("source", metavar="SOURCE", help="file or stream; - for standard input")
    parser.add_argument("--seconds", type=float, metavar="S",
                        help="duration of the check (default: 10 s of a live source, all of a file); Ctrl-C ends it"
                             " early (exit code 3 if nothing was received), a second Ctrl-C stops at once")  # fmt: skip
    option_groups.add_limit(parser)
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document")
    parser.add_argument("--html", metavar="FILE",
                        help="also write the report as a self-contained HTML page with plots (mode 0640)")  # fmt: skip
    option_groups.add_choice(parser, "check only the KLV on this PID; repeatable", "check only the KLV of this program")
    option_groups.add_source(parser)
    option_groups.add_password(parser)
    option_groups.add_quiet(parser, "no progress bar; log warnings and errors only")


async def run(args: argparse.Namespace) -> int:
    """Check the source and print the report."""
    from klvrelay.cli.source_urls import source_url
    from klvrelay.cli.verbs.probe import ProbeOptions, probe
    from klvrelay.config.mistyped import file_name

    html = None if args.html is None else file_name(args.html, "--html")
    wanted = ProbeOptions(args.seconds, args.json, html, args.quiet)
    url = source_url(args, args.source)
    options = option_groups.source_options(args) | option_groups.limit_options(args)
    return await probe(url, wanted, option_groups.choice_of(args), **options)
