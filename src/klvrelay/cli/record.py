"""The options of `record`, and the call of the recorder."""

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
  DIR/{stream}-20261122T181500.123456Z.ts    UTC of its first byte; of bare KLV .klv; while it is written .part
  A segment that is full ends where the next PAT begins, so that each can be decoded alone; if none comes, up to
  2 s or a quarter of its size later, between two packets. Only files of this name and stream are ever removed. On a
  full disk the oldest go first, but for the newest 4.
  The owner may read and write them, the group may read them, others may not (0640; folders that are made 0750), or what
  the umask leaves of that.
  Bytes are kept as they came: of udp://, rtp://, tcp://, srt://, files, a pipe. Those of rtsp:// and http:// are not
  recorded. Pipe them in; ffmpeg keeps KLV and PTS, but writes labels of its own (0x06) and
  hides what was lost on the way:
    curl -sN http://HOST/live.ts | klvrelay record - DIR
    ffmpeg -copyts -i rtsp://HOST/live -map 0 -c copy -mpegts_copyts 1 -f mpegts - | klvrelay record - DIR
  To read them: klvrelay replay DIR, decode DIR, run DIR --follow
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="a stream, a file; - for standard input")
    parser.add_argument("folder", metavar="DIR", help="where the segments go; made if it is not there")
    parser.add_argument("--stream", metavar="NAME", help="name that the segments begin with (made of the source's)")
    parser.add_argument("--segment-seconds", metavar="S", help="how long a segment is (60)")
    parser.add_argument("--segment-size", metavar="SIZE", help="and how large at most: K, M or G of 1024 (64M)")
    parser.add_argument("--keep-size", metavar="SIZE", help="what all segments together may take, or none (10G)")
    parser.add_argument("--keep-age", metavar="AGE", help="remove what is older: s, m, h or d, or none (7d)")
    option_groups.add_choice(parser, *option_groups.WHOLE)
    option_groups.add_source(parser)
    option_groups.add_quiet(parser, "no progress line; log warnings and errors only")


async def run(args: argparse.Namespace) -> int:
    """Record until the source ends or a signal comes."""
    from klvrelay.cli.source_urls import source_url
    from klvrelay.cli.verbs.record import record
    from klvrelay.config.mistyped import file_name
    from klvrelay.config.names import checked_name

    option_groups.warn_of_choice(args)
    limits = (args.segment_seconds, args.segment_size, args.keep_size, args.keep_age)
    url, folder = source_url(args, args.source), file_name(args.folder, "DIR")
    name = None if args.stream is None else checked_name(args.stream, "--stream")
    await record(url, folder, name, limits, quiet=args.quiet, **option_groups.source_given(args))
    return 0
