"""The command's verbs and their options, and what `--help` teaches; `cli.py` acts on them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

from klvrelay.errors import ConfigError
from klvrelay.shown import printable

SOURCES = """\
sources:
  flight.ts  tapes/  -             a file, a recorder's folder, standard input: MPEG-TS, bare KLV, mp4, mkv, ...
  udp://0.0.0.0:5000               datagrams of MPEG-TS, on this port
  udp://239.1.1.1:5000             a multicast group (--interface eth0 where there are several)
  rtp://0.0.0.0:5004               the same in RTP
  tcp://camera:5000                MPEG-TS over TCP (?listen=1 to be called instead)
  srt://camera:9000  srt://:9000   call, or be called (?mode=rendezvous&latency=120&streamid=...); the passphrase
                                   is KLVRELAY_SRT_PASSPHRASE in the environment
  rtsp://user@camera/path          (?transport=udp) rtsps://; http://, https:// of MPEG-TS or HLS; the password is
                                   KLVRELAY_SOURCE_PASSWORD in the environment, or in --password-file; where a
                                   camera wants it in the path or the query, write {password} there. A URL with a
                                   token in it goes into a file, which `url_file` in settings names (run -c)
"""
BROKERS = """\
brokers:
  mqtt://127.0.0.1:1883            mosquitto on this machine
  mqtts://user@broker:8883         TLS; the password is KLVRELAY_MQTT_PASSWORD in the environment, or in
                                   --mqtt-password-file
  mqtt://broker/site-a             another topic prefix than klvrelay
"""
CODES = """\
exit codes: 0 done or stopped, 1 a fault such as a full disk, 2 wrong options, 3 source can't be read,
  4 no KLV in it, 5 broker refuses, 6 probe found warnings, 7 errors, 130 broken off"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{printable(message)}\ntry: {self.prog} --help")


class _NoPassword(argparse.Action):
    """Refuses a password as an argument, before it could be taken for the name of a file, and quoted."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        parser.error(
            f"{self.option_strings[0]}: everybody on this machine can read a command line: give a password in a file,"
            " by --password-file or --mqtt-password-file, or in the environment (see `klvrelay run --help`)"
        )


class _Verb:
    """A verb's parser, made when the command line names the verb: of ten sets of options a command needs one."""

    def __init__(self, *, options: Callable[[argparse.ArgumentParser], None], **described: Any) -> None:
        self._options, self._described = options, described

    @cached_property
    def _parser(self) -> argparse.ArgumentParser:
        parser = _Parser(**self._described)
        _refuse_passwords(parser, "--password", "--passphrase")
        self._options(parser)
        return parser

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)


def _help(prog: str) -> argparse.HelpFormatter:
    """As wide as the terminal. argparse makes one for each option, and would load shutil and its compressors to ask."""
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() else 0
    if not width:
        try:
            width = os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 0
        except (OSError, ValueError):
            width = 0
    return argparse.RawDescriptionHelpFormatter(prog, width=(width or 80) - 2)


def parser() -> argparse.ArgumentParser:
    from klvrelay import __version__

    parser = _Parser(
        prog="klvrelay",
        description="Relays the KLV metadata of drone video (MISB, STANAG 4609) to MQTT.",
        epilog=f"`klvrelay VERB --help` describes each.\n{CODES}",
        formatter_class=_help,
    )
    _refuse_passwords(parser, "--password", "--passphrase")
    parser.add_argument("--version", action="version", version=f"klvrelay {__version__}")
    verbs: Any = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=_Verb)
    for name, verb in VERBS.items():
        verbs.add_parser(
            name,
            help=verb.text,
            description=verb.text[0].upper() + verb.text[1:] + ".",
            epilog=f"example:\n  {EXAMPLES[name]}\n{verb.epilog}{CODES}",
            formatter_class=_help,
            options=verb.options,
        )
    return parser


EXAMPLES = {
    "run": "klvrelay run udp://0.0.0.0:5000 --stream uav1 --mqtt mqtt://127.0.0.1:1883",
    "replay": "klvrelay replay flight.ts --speed 2 --loop --mqtt mqtt://127.0.0.1:1883",
    "decode": "klvrelay decode flight.ts > records.jsonl",
    "probe": "klvrelay probe udp://0.0.0.0:5000 --html report.html",
    "record": "klvrelay record udp://0.0.0.0:5000 /var/lib/flights --keep-size 100G --keep-age 30d",
    "watch": "klvrelay watch --mqtt mqtt://127.0.0.1:1883",
    "retained": "klvrelay retained --mqtt mqtt://127.0.0.1:1883 --clear --stream uav1",
    "sample": "klvrelay sample orbit.ts --seconds 30 --carriage async",
    "demo": "klvrelay demo udp://0.0.0.0:5000",
    "items": "klvrelay items sensor_latitude",
    "send": "klvrelay send flight.ts udp://239.1.1.1:5000?ttl=4 --loop --impair loss=1%,seed=7",
}


def _refuse_passwords(parser: argparse.ArgumentParser, *options: str) -> None:
    parser.add_argument(*options, action=_NoPassword, help=argparse.SUPPRESS)


def _mqtt_options(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    parser.add_argument("--mqtt", metavar="URL", required=required, help="the broker: mqtt://host or mqtts://host")
    parser.add_argument("--prefix", help="first level of every topic (klvrelay)")
    parser.add_argument("--username", help="user name at the broker")
    _mqtt_password_option(parser)
    parser.add_argument("--client-id", help="MQTT client id (default: a new one for each run)")
    parser.add_argument("--mqtt-version", choices=("5", "3.1.1"), help="MQTT 5 (falls back by itself) or 3.1.1 at once")
    parser.add_argument("--ca-file", help="certificates to trust for mqtts://, instead of the system's")
    parser.add_argument("--allow-plaintext", action="store_true", help="send a password without TLS")


def _mqtt_password_option(parser: argparse.ArgumentParser) -> None:
    _refuse_passwords(parser, "--mqtt-password")
    parser.add_argument("--mqtt-password-file", metavar="FILE",
                        help="the password for the broker; only its owner may read it (instead of"
                             " KLVRELAY_MQTT_PASSWORD)")  # fmt: skip


def _password_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--password-file", metavar="FILE",
                        help="the password for rtsp://user@..., http://user@... and their like; only its owner may read"
                             " it (instead of KLVRELAY_SOURCE_PASSWORD)")  # fmt: skip


def _number(reader: str) -> Callable[[str], int]:
    """A reader of `names.py` as a type of argparse."""

    def number(text: str) -> int:
        from klvrelay import names

        try:
            return int(getattr(names, reader)(text))
        except ConfigError as fault:
            raise argparse.ArgumentTypeError(str(fault)) from None

    return number


def _choice_options(
    parser: argparse.ArgumentParser,
    pid: str = "only the KLV of this PID, such as 0x101; may be given again",
    program: str = "only the KLV of this program",
) -> None:
    parser.add_argument("--pid", type=_number("pid_number"), action="append", default=[], metavar="PID", help=pid)
    parser.add_argument("--program", type=_number("program_number"), metavar="NUMBER", help=program)


def _source_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--interface", help="network interface that multicast is joined on")
    parser.add_argument("--sender", help="take datagrams from this address only")
    parser.add_argument("--source-timeout", type=float, metavar="SECONDS", help="wait for a source this long (5)")


def _limit_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--packet-limit", type=int, metavar="BYTES",
                        help="what the value of one KLV packet may have at most (1048576)")  # fmt: skip


def _publish_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--qos", type=int, choices=(0, 1, 2), help="quality of service of records (1: confirmed)")
    parser.add_argument("--raw", action="store_true", help="also publish each packet's KLV bytes to .../raw")
    parser.add_argument(
        "--publish-bad", choices=("rejected", "telemetry", "drop"),
        help="where records with a bad checksum go (rejected)",
    )  # fmt: skip
    _numbers_option(parser, None)


def _numbers_option(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--numbers", choices=("exact", "safe"), default=default,
        help="safe: integers beyond 2^53 - 1, which JavaScript rounds, as strings (exact: as numbers)",
    )  # fmt: skip


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="what to relay; several are relayed side by side")
    parser.add_argument("-c", "--config", metavar="FILE", help="settings in TOML: see samples/relay.toml")
    parser.add_argument("--stream", action="append", default=[], metavar="NAME",
                        help="name of a stream in topics; once a source, in their order")  # fmt: skip
    _source_options(parser)
    _password_option(parser)
    parser.add_argument("--stall", type=float, metavar="SECONDS",
                        help="a stream is stale after so long without bytes, or without KLV (5)")  # fmt: skip
    parser.add_argument("--coalesce", metavar="TIME",
                        help="where many datagram sockets are busy read them together, at least once in this time,"
                             " 0.5ms to 100ms; 0: each at once (8ms)")  # fmt: skip
    parser.add_argument("--follow", action="store_true", help="files are still written: wait for more at their end")
    parser.add_argument("--demux", choices=("native", "libav"),
                        help="who takes MPEG-TS apart: the C core (native), or libav")  # fmt: skip
    parser.add_argument("--isolate", action=argparse.BooleanOptionalAction,
                        help="read every source in a separate, confined process, or none (default: http, https, rtsp"
                             " and rtsps only)")  # fmt: skip
    _limit_option(parser)
    _choice_options(parser)
    _mqtt_options(parser)
    _publish_options(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="log warnings and errors only")


def _replay_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sources", nargs=1, metavar="FILE")
    parser.add_argument("--speed", type=float, default=1.0, help="this many times as fast (1)")
    parser.add_argument("--loop", action="store_true", help="again and again, until stopped")
    _limit_option(parser)
    parser.add_argument("--stream", action="append", default=[], metavar="NAME", help="name of the stream in topics")
    _choice_options(parser)
    _mqtt_options(parser, required=True)
    _publish_options(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="log warnings and errors only")


TEXT = """\
text from the aircraft:
  Control and format characters (Unicode Cc, Cf, line and paragraph separators) are escaped in JSON, as \\u001b, so that
  no terminal acts on them; what reads the JSON has them as they were. In CSV likewise, and a backslash of the text is
  \\\\, so that the two can be told apart; lists are JSON. Text that a spreadsheet would run as a formula has a ' before
  it.
"""


def _decode_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE", help="MPEG-TS, bare KLV, mp4, mkv, ...; - for standard input")
    parser.add_argument("--follow", action="store_true",
                        help="FILE is still written: wait for more; of a folder its newest segment")  # fmt: skip
    parser.add_argument("--format", choices=("json", "csv"), default="json", help="JSON Lines (default) or CSV")
    parser.add_argument("--demux", choices=("native", "libav"), default="native",
                        help="who takes MPEG-TS apart: klvrelay (default) or libav, for a second opinion")  # fmt: skip
    _numbers_option(parser, "exact")
    _password_option(parser)
    parser.add_argument("--frame-times", action="store_true",
                        help="instead, the times that the video's frames carry in themselves (ST 0604)")  # fmt: skip
    _limit_option(parser)
    _choice_options(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar and no summary")


def _probe_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="a file or stream; - for standard input")
    parser.add_argument("--seconds", type=float, metavar="S",
                        help="seconds to look (live 10, a file all); Ctrl-C ends it early (exit code 3 if"
                             " nothing had come), a second one at once")  # fmt: skip
    _limit_option(parser)
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document")
    parser.add_argument("--html", metavar="FILE",
                        help="also write it as a page with plots, complete in itself (mode 0640)")  # fmt: skip
    _choice_options(parser, "look only at the KLV of this PID; may be given again", "and of this program")
    _source_options(parser)
    _password_option(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar; log warnings and errors only")


_KEPT_WHOLE = (
    "accepted without effect: all bytes are kept, with all PIDs; choose when they are decoded",
    "likewise",
)

SEGMENTS = """\
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


def _record_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="a stream, a file; - for standard input")
    parser.add_argument("folder", metavar="DIR", help="where the segments go; made if it is not there")
    parser.add_argument("--stream", metavar="NAME", help="name that the segments begin with (made of the source's)")
    parser.add_argument("--segment-seconds", metavar="S", help="how long a segment is (60)")
    parser.add_argument("--segment-size", metavar="SIZE", help="and how large at most: K, M or G of 1024 (64M)")
    parser.add_argument("--keep-size", metavar="SIZE", help="what all segments together may take, or none (10G)")
    parser.add_argument("--keep-age", metavar="AGE", help="remove what is older: s, m, h or d, or none (7d)")
    _choice_options(parser, *_KEPT_WHOLE)
    _source_options(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress line; log warnings and errors only")


def _watch_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stream", nargs="?", metavar="STREAM", help="only this one")
    _choice_options(parser, "only streams of this PID; may be given again", "only streams of this program")
    _mqtt_options(parser, required=True)


RETAINED = """\
retained topics:
  A broker keeps the last status, availability, state and link, also of streams that no longer exist. After a crash, the
  next `klvrelay run` with the same prefix sets to offline what that run left online (MQTT 5 only). To remove topics, or
  to correct them by MQTT 3.1.1, use --clear.
  A running relay publishes the topics of its streams again when they change. To clear those of a stream for good, first
  stop its relay.
"""


def _retained_options(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("--list", action="store_true", help="list the retained topics under the prefix (default)")
    actions.add_argument("--clear", action="store_true", help="list them, ask, and remove them from the broker")
    parser.add_argument("--stream", metavar="NAME", help="only those of this stream")
    parser.add_argument("--yes", action="store_true", help="with --clear: do not ask")
    _choice_options(parser, "accepted without effect: choose by --stream", "likewise")
    _mqtt_options(parser, required=True)


def _sample_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", metavar="OUT.ts")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long (30)")
    parser.add_argument("--size", default="640x360", help="of the picture (640x360)")
    parser.add_argument("--fps", type=float, default=30, help="frames a second (30)")
    parser.add_argument("--klv-rate", type=float, help="KLV packets a second (one a frame)")
    parser.add_argument("--codec", choices=("h264", "h265"), default="h264")
    parser.add_argument("--carriage", choices=("sync", "async"), default="sync",
                        help="sync: stream type 0x15, AU cells, PTS (default); async: 0x06, no PTS")  # fmt: skip
    parser.add_argument("--bit-rate", type=int, help="of the video, bits a second")
    parser.add_argument("--seed", type=int, default=1, help="another flight over another village")
    _choice_options(parser, "PID that the KLV is written on (0x101)", "number of the program (1)")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar and no summary")


def _demo_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="your own source instead of the sample")
    parser.add_argument("--mqtt", metavar="URL", help="your own broker instead of the one inside")
    _password_option(parser)
    _mqtt_password_option(parser)
    _choice_options(parser)


ITEMS = """\
an item is asked for by
  13                               its tag (of ST 0601; with --set of another set)
  0903:101  VTarget:10             set and tag
  74.101[0].10                     a path as in a record's quality, by tags or keys
  sensor_latitude  frame center    its key, or words of its name, elements, labels
  060e2b34...                      its 16-byte key, or that of a set
"""


def _items_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", nargs="*", metavar="NAME|TAG", help="what to look up; without it, a table of ST 0601")
    parser.add_argument("--set", metavar="SET", help="look in this set only, or list its items: 0903, VTarget, ...")
    parser.add_argument("--sets", action="store_true", help="list the sets")
    parser.add_argument("--json", action="store_true", help="as JSON, an array of all that is known of each")
    _choice_options(parser, "accepted without effect: the standards have no PIDs", "likewise")


FAR_ENDS = """\
far ends:
  udp://192.0.2.7:5000             datagrams of 7 TS packets (?pkt_size=1316)
  udp://239.1.1.1:5000?ttl=4       a multicast group (--interface eth0 where there are several)
  rtp://192.0.2.7:5004             the same in RTP
  tcp://192.0.2.7:5000             a connection (?listen=1 to be called instead)
  srt://192.0.2.7:5000             SRT (?mode=listener to be called; the passphrase from KLVRELAY_SRT_PASSPHRASE)
impairments, each of the datagrams (or, level=ts, of the TS packets in them):
  loss=1%  burst=3                 so many are lost, 3 in a row
  reorder=0.5%  by=2               come 2 later
  duplicate=1%  apart=5            come twice, the second time 5 later
  flip=0.01%  bits=1               bits are changed
  delay=20ms  jitter=5ms           each comes later; by how much, differs
  level=ts  pid=0x101  seed=7      TS packets, only of this PID; the same seed does the same damage
"""


def _send_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE",
                        help="MPEG-TS or bare KLV, a folder of segments, - for standard input")  # fmt: skip
    parser.add_argument("target", metavar="URL", help="where to send it")
    parser.add_argument("--speed", type=float, default=1.0, help="this many times as fast (1)")
    parser.add_argument("--loop", action="store_true", help="again and again, until stopped")
    parser.add_argument("--impair", metavar="WHAT", help="damage it on the way, e.g. loss=1%%,reorder=0.5%%,seed=7")
    parser.add_argument("--rate", metavar="BITS", help="bits a second, e.g. 5M, instead of its own pace")
    parser.add_argument("--interface", help="network interface that multicast goes out of")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS", help="wait for a far end so long (5)")
    _choice_options(parser, *_KEPT_WHOLE)
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress and no summary")


class _Described(NamedTuple):
    """A verb: what it does, what else its help has, and what adds its options."""

    text: str
    epilog: str
    options: Callable[[argparse.ArgumentParser], None]


VERBS = {
    "run": _Described("relay sources to a broker until stopped", SOURCES + BROKERS, _run_options),
    "replay": _Described("relay a file in its own time, as if it were live", BROKERS, _replay_options),
    "decode": _Described("print every KLV record of a file as JSON Lines or CSV", TEXT, _decode_options),
    "probe": _Described(
        "say whether a stream or file is right, what is wrong with it, and how to fix it", SOURCES, _probe_options
    ),
    "record": _Described("write a source's bytes as they come, in segments", SEGMENTS, _record_options),
    "send": _Described("send a recording as if it were live, over a wire as bad as you like", FAR_ENDS, _send_options),
    "watch": _Described("show a broker's streams live, as a table", BROKERS, _watch_options),
    "retained": _Described(
        "list or clear what a broker has retained under the prefix", RETAINED + BROKERS, _retained_options
    ),
    "sample": _Described("write a synthetic drone recording whose picture fits its metadata", "", _sample_options),
    "demo": _Described(
        "relay a sample to a broker inside this process, and show what a subscriber gets", "", _demo_options
    ),
    "items": _Described(
        "show what is known of an item: units, range, resolution, bytes, meaning", ITEMS, _items_options
    ),
}
