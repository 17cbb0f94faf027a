"""Options and entry point of `klvrelay decode`."""

from __future__ import annotations

import argparse
import sys

from klvrelay.cli import option_groups
from klvrelay.errors import ConfigError
from klvrelay.text import counted

ON_LOOP = False
EXAMPLES = (
    "klvrelay decode flight.ts > records.jsonl",
    "klvrelay decode flight.ts --format csv > records.csv",
    "curl -sN http://camera/live.ts | klvrelay decode - --pid 0x101",
    "klvrelay decode tapes/ --follow",
)
EPILOG = """\
text from the aircraft:
  JSON escapes control and format characters (Unicode Cc, Cf, line and paragraph separators) as \\u001b, so that no
  terminal interprets them. A JSON parser restores the original text.
  CSV uses the same escapes, writes a backslash as \\\\ to keep the two distinct, and writes lists as JSON. Text that a
  spreadsheet would run as a formula is preceded by '.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE", help="MPEG-TS, bare KLV, mp4, mkv, ...; - for standard input")
    parser.add_argument("--follow", action="store_true",
                        help="wait for more data at the end of FILE; in a folder: of its newest segment")  # fmt: skip
    parser.add_argument("--format", choices=("json", "csv"), default="json", help="JSON Lines (default) or CSV")
    parser.add_argument("--demux", choices=("native", "libav"), default="native",
                        help="MPEG-TS demultiplexer: klvrelay's own (default), or libav to compare")  # fmt: skip
    option_groups.add_numbers(parser, "exact")
    option_groups.add_password(parser)
    parser.add_argument("--frame-times", action="store_true",
                        help="print the time stamps embedded in the video frames (ST 0604) instead of KLV")  # fmt: skip
    option_groups.add_limit(parser)
    option_groups.add_choice(parser)
    option_groups.add_quiet(parser, "no progress bar and no summary")


def run(args: argparse.Namespace) -> int:
    """Print the records. A signal stops this without an error."""
    if args.frame_times:
        return _frame_times(args)
    from klvrelay.cli.source_urls import source_url
    from klvrelay.cli.verbs import decode

    url = source_url(args, args.source)
    shown = not args.quiet and sys.stderr.isatty()
    outcome = decode.decode(
        url, args.format, show_progress=shown, follow=args.follow, demux=args.demux,
        choice=option_groups.choice_of(args), numbers=args.numbers, **option_groups.limit_given(args),
    )  # fmt: skip
    if outcome is None:  # a signal stopped it
        return 0
    if outcome.records == 0:
        raise decode.no_klv(url, outcome)
    if not args.quiet:
        print(decode.summary(outcome), file=sys.stderr)
    return 0


def _frame_times(args: argparse.Namespace) -> int:
    """Print frame times. libav blocks outside any event loop, so a signal takes effect between two frames."""
    import signal

    from klvrelay.cli import loading
    from klvrelay.cli.source_urls import source_url
    from klvrelay.cli.verbs.frame_times import decode_frame_times
    from klvrelay.log import logger

    if args.program:
        raise ConfigError("--program has no effect with --frame-times: select the video by --pid")
    loading.done()
    logger()  # sources log from anywhere
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # the handler of `main`
    try:
        count = decode_frame_times(source_url(args, args.source), args.format, args.pid, args.numbers)
    except KeyboardInterrupt:
        return 0
    if not args.quiet:
        print(f"{counted(count, 'video frame')} with a time stamp", file=sys.stderr)
    return 0
