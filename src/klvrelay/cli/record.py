"""Options and entry point of `klvrelay record`."""

from __future__ import annotations

import argparse

from klvrelay.cli import option_groups

ON_LOOP = True
EXAMPLES = (
    "klvrelay record udp://0.0.0.0:5000 /var/lib/flights --keep-size 100G --keep-age 30d",
    "klvrelay record srt://camera:9000 tapes/ --stream uav1 --segment-seconds 300",
)
EPILOG = """\
segments:
  DIR/{stream}-20261122T181500.123456Z.ts    named after the UTC time of its first byte; .klv for bare KLV;
                                             .part while it is being written
  A full segment ends before the next PAT, so that each segment can be decoded alone. Without a PAT it ends between two
  packets, at most 2 s or a quarter of its size later.
  Only files with this name and stream are ever removed. On a full disk the oldest are removed first; the newest 4 stay.
  Files have mode 0640 and new folders mode 0750, less the umask.
what is recorded:
  The bytes of udp://, rtp://, tcp://, srt://, files and pipes are recorded unmodified. rtsp:// and http:// cannot be
  recorded directly; pipe them in. ffmpeg keeps KLV and PTS, but changes the stream type (0x06) and hides packet loss:
    curl -sN http://HOST/live.ts | klvrelay record - DIR
    ffmpeg -copyts -i rtsp://HOST/live -map 0 -c copy -mpegts_copyts 1 -f mpegts - | klvrelay record - DIR
playback:
  klvrelay replay DIR, klvrelay decode DIR, klvrelay run DIR --follow
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="stream or file; - for standard input")
    parser.add_argument("folder", metavar="DIR", help="folder for the segments; created if missing")
    parser.add_argument("--stream", metavar="NAME",
                        help="first part of the segment names (default: derived from the source)")  # fmt: skip
    parser.add_argument("--segment-seconds", metavar="S", help="duration of a segment in seconds (default: 60)")
    parser.add_argument("--segment-size", metavar="SIZE",
                        help="maximum size of a segment: K, M or G of 1024 (default: 64M)")  # fmt: skip
    parser.add_argument("--keep-size", metavar="SIZE", help="maximum size of all segments, or none (default: 10G)")
    parser.add_argument("--keep-age", metavar="AGE", help="maximum age of segments: s, m, h, d, or none (default: 7d)")
    option_groups.refuse_choice(parser)
    option_groups.add_source(parser)
    option_groups.add_log(parser)
    option_groups.add_quiet(parser, f"no progress line; {option_groups.QUIET}")


async def run(args: argparse.Namespace) -> int:
    """Record until the source ends or a signal arrives."""
    from klvrelay.cli.source_urls import source_url
    from klvrelay.cli.verbs.record import record
    from klvrelay.config.mistyped import file_name
    from klvrelay.config.names import checked_name

    limits = (args.segment_seconds, args.segment_size, args.keep_size, args.keep_age)
    url, folder = source_url(args, args.source), file_name(args.folder, "DIR")
    name = None if args.stream is None else checked_name(args.stream, "--stream")
    await record(url, folder, name, limits, quiet=args.quiet, **option_groups.source_options(args))
    return 0
