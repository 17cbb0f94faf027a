"""Options that several verbs share, and their values."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from klvrelay.cli.parser import refuse, refuse_passwords
from klvrelay.errors import ConfigError

SOURCES = """\
sources:
  flight.ts  tapes/  -             file, folder of a recorder, standard input: MPEG-TS, bare KLV, mp4, mkv, ...
  udp://0.0.0.0:5000               MPEG-TS over UDP, received on this port
  udp://239.1.1.1:5000             multicast group (--interface eth0 on a host with several interfaces)
  rtp://0.0.0.0:5004               MPEG-TS or KLV over RTP
  tcp://camera:5000                MPEG-TS over TCP (?listen=1: listen for a connection)
  srt://camera:9000  srt://:9000   SRT caller, SRT listener (?mode=rendezvous&latency=120&streamid=...);
                                   passphrase: KLVRELAY_SRT_PASSPHRASE in the environment
  rtsp://user@camera/path          RTSP (?transport=udp), also rtsps://
  http://user@camera/path          MPEG-TS or HLS, also https://
passwords of sources:
  Set KLVRELAY_SOURCE_PASSWORD in the environment, or use --password-file. If a camera expects the password in the path
  or the query, write {password} there. If a URL contains a token, keep it in a file and name that file in the settings
  (url_file, see run -c).
"""
BROKERS = """\
brokers:
  mqtt://127.0.0.1:1883            broker on this machine
  mqtts://user@broker:8883         TLS; password: KLVRELAY_MQTT_PASSWORD in the environment, or --mqtt-password-file
  mqtt://broker/site-a             topic prefix site-a instead of klvrelay
"""
SINKS = """\
other sinks, for --sink:
  -                                standard output, as JSON Lines; also tcp://host:port, udp://host:port, unix:///path
  /folder                          files; /folder?file_format=parquet: in any format of klvrelay export
  redis://host  nats://host        Redis Streams, NATS JetStream
  http://host/path                 a web server, by POST; also https://
  cot+udp://239.2.3.1:6969         Cursor on Target for ATAK and WinTAK; TAK servers: cot+tcp://host, cot+tls://host
  Each has a page in docs/ with its settings. Except for http, most of them can be options: ?name=value&name=value
"""
FALLBACKS = """\
  Repeat --mqtt to give further brokers: the first that accepts is used, and the next one once it is lost.
"""


QUIET = "log warnings and errors only, in every --log-format and also to --log-file"


def add_sinks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sink", metavar="URL", action="append",
                        help="deliver to this far end too: - (standard output), /folder, redis://host, ... (see below);"
                             " repeatable")  # fmt: skip


def add_mqtt(parser: argparse.ArgumentParser, *, required: bool = False, several: bool = False) -> None:
    text = "broker: mqtt://host or mqtts://host" + ("; repeatable, for fail-over" if several else "")
    parser.add_argument("--mqtt", metavar="URL", required=required, action="append" if several else "store", help=text)
    parser.add_argument("--prefix", metavar="TOPIC", help="first level of every topic (default: klvrelay)")
    parser.add_argument("--username", metavar="NAME", help="user name for the broker")
    add_mqtt_password(parser)
    parser.add_argument("--client-id", metavar="ID", help="MQTT client identifier (default: random for each run)")
    parser.add_argument("--mqtt-version", choices=("5", "3.1.1"),
                        help="MQTT version (default: 5, falling back to 3.1.1)")  # fmt: skip
    parser.add_argument("--ca-file", metavar="FILE", help="CA certificates for mqtts:// (default: those of the system)")
    parser.add_argument("--allow-plaintext", action="store_true", help="allow sending a password without TLS")


def add_mqtt_password(parser: argparse.ArgumentParser) -> None:
    refuse_passwords(parser, "--mqtt-password")
    parser.add_argument("--mqtt-password-file", metavar="FILE",
                        help="file with the broker password, readable by its owner only (instead of"
                             " KLVRELAY_MQTT_PASSWORD)")  # fmt: skip


def add_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--password-file", metavar="FILE",
                        help="file with the source password (rtsp, rtsps, http, https), readable by its owner only"
                             " (instead of KLVRELAY_SOURCE_PASSWORD)")  # fmt: skip


def _number(reader: str) -> Callable[[str], int]:
    """Wrap a parser of `config.names` as an argparse type."""

    def number(text: str) -> int:
        from klvrelay.config import names

        try:
            return int(getattr(names, reader)(text))
        except ConfigError as fault:
            raise argparse.ArgumentTypeError(str(fault)) from None

    return number


def add_choice(
    parser: argparse.ArgumentParser,
    pid: str = "select KLV on this PID, such as 0x101; repeatable",
    program: str = "select KLV of this program",
) -> None:
    parser.add_argument("--pid", type=_number("pid_number"), action="append", default=[], metavar="PID", help=pid)
    parser.add_argument("--program", type=_number("program_number"), metavar="NUMBER", help=program)


def refuse_choice(parser: argparse.ArgumentParser) -> None:
    """Reject --pid and --program where all bytes pass through."""
    hint = "all PIDs are kept; select them with decode, run or replay"
    refuse(parser, "--pid", "--program", hint=hint)


def add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--interface", metavar="NAME", help="network interface for multicast, such as eth0")
    parser.add_argument("--sender", metavar="ADDRESS", help="accept datagrams from this address only")
    parser.add_argument("--source-timeout", type=float, metavar="SECONDS",
                        help="connect and read timeout of a source (default: 5)")  # fmt: skip


def add_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--packet-limit", type=int, metavar="BYTES",
                        help="maximum size of the value of a KLV packet (default: 1048576)")  # fmt: skip


def add_publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--qos", type=int, choices=(0, 1, 2), help="MQTT quality of service of records (default: 1)")
    parser.add_argument("--raw", action="store_true", help="also publish the KLV bytes of each packet to .../raw")
    parser.add_argument(
        "--publish-bad", choices=("rejected", "telemetry", "drop"),
        help="topic for records with a bad checksum, or drop them (default: rejected)",
    )  # fmt: skip
    add_numbers(parser, None)
    add_mqtt_client(parser)


def add_mqtt_client(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mqtt-client", choices=("native", "aiomqtt"), dest="client",
                        help="MQTT client that publishes: klvrelay's own (native, default), or aiomqtt")  # fmt: skip


def add_numbers(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--numbers", choices=("exact", "safe"), default=default,
        help="integers beyond 2^53 - 1, which JavaScript rounds: exact writes numbers, safe writes strings",
    )  # fmt: skip


def add_quiet(parser: argparse.ArgumentParser, text: str = QUIET) -> None:
    parser.add_argument("-q", "--quiet", action="store_true", help=text)


def add_log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log-format", metavar="FORMAT",
                        help="text (default), json (one object per line, with ECS field names) or journal (entries for"
                             " journald)")  # fmt: skip
    parser.add_argument("--log-file", metavar="FILE",
                        help="write the log to this file instead of standard error; it is rotated at 10 MiB, and 5"
                             " older ones are kept (other limits: [log] in the settings, or KLVRELAY_LOG_SIZE and"
                             " KLVRELAY_LOG_COUNT)")  # fmt: skip


def mqtt_options(args: argparse.Namespace) -> dict[str, Any]:
    """The broker options of the command line, by the field names of `MqttSettings`."""
    options = {
        key: getattr(args, key, None)
        for key in ("prefix", "username", "client_id", "ca_file", "qos", "publish_bad", "numbers", "client")
    }
    version = getattr(args, "mqtt_version", None)
    options |= {"protocol": None if version is None else 5 if version == "5" else 4}
    options |= {key: True for key in ("raw", "allow_plaintext") if getattr(args, key, False)}
    if args.mqtt_password_file is not None:
        from klvrelay.config.credentials import secret_file

        options["password"] = secret_file(args.mqtt_password_file, "--mqtt-password-file")
    return {key: value for key, value in options.items() if value is not None}


def source_options(args: argparse.Namespace) -> dict[str, Any]:
    """The source options of a command line with one source."""
    options = {"interface": args.interface, "sender": args.sender, "timeout": args.source_timeout}
    return {key: value for key, value in options.items() if value is not None}


def limit_options(args: argparse.Namespace) -> dict[str, int]:
    return {} if args.packet_limit is None else {"packet_limit": args.packet_limit}


def choice_options(args: argparse.Namespace) -> dict[str, Any]:
    """--pid and --program, if given, by the field names of `SourceSettings`."""
    chosen = {"only": frozenset(args.pid), "program": args.program}
    return {key: value for key, value in chosen.items() if value}


def choice_of(args: argparse.Namespace) -> Any:
    """--pid and --program as a `Choice`."""
    from klvrelay.config.choice import chosen

    return chosen(args.pid, args.program)
