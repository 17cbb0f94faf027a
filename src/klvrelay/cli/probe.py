"""Options and entry point of `klvrelay probe`."""

from __future__ import annotations

import argparse

from klvrelay.cli import option_groups
from klvrelay.errors import ConfigError

ON_LOOP = True
FORMATS = ("text", "json", "junit", "sarif", "github")
EXAMPLES = (
    "klvrelay probe flight.ts",
    "klvrelay probe udp://0.0.0.0:5000 --html report.html",
    "klvrelay probe srt://camera:9000 --seconds 60 --json > report.json",
    "klvrelay probe flight.ts --format junit --fail-on warning > probe.xml",
)
EPILOG = option_groups.SOURCES


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="file or stream; - for standard input")
    parser.add_argument("--seconds", type=float, metavar="S",
                        help="duration of the check (default: 10 s of a live source, all of a file); Ctrl-C ends it"
                             " early (exit code 3 if nothing was received), a second Ctrl-C stops at once")  # fmt: skip
    option_groups.add_limit(parser)
    parser.add_argument("--format", choices=FORMATS,
                        help="how to print the report: text (default), json; for builds: junit (XML), sarif (2.1.0),"
                             " github (workflow commands)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="the same as --format json")
    parser.add_argument("--fail-on", choices=("error", "warning"),
                        help="with --format junit: which findings are failures (default: error)")  # fmt: skip
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
    wanted = ProbeOptions(args.seconds, _format(args), html, args.quiet, args.fail_on or "error")
    url = source_url(args, args.source)
    options = option_groups.source_options(args) | option_groups.limit_options(args)
    return await probe(url, wanted, option_groups.choice_of(args), **options)


def _format(args: argparse.Namespace) -> str:
    if args.json and args.format not in (None, "json"):
        raise ConfigError(f"--json and --format {args.format}: give one of them")
    if args.fail_on and args.format != "junit":
        raise ConfigError("--fail-on: it needs --format junit; the exit code depends on all findings")
    return "json" if args.json else args.format or "text"
