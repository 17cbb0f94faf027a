"""Options that several verbs share, and what they make of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from klvrelay.cli.parser import refuse_passwords
from klvrelay.errors import ConfigError

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
WHOLE = (
    "accepted without effect: all bytes are kept, with all PIDs; choose when they are decoded",
    "likewise",
)
"""What --pid and --program say where bytes go through as they come."""


def add_mqtt(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    parser.add_argument("--mqtt", metavar="URL", required=required, help="the broker: mqtt://host or mqtts://host")
    parser.add_argument("--prefix", help="first level of every topic (klvrelay)")
    parser.add_argument("--username", help="user name at the broker")
    add_mqtt_password(parser)
    parser.add_argument("--client-id", help="MQTT client id (default: a new one for each run)")
    parser.add_argument("--mqtt-version", choices=("5", "3.1.1"), help="MQTT 5 (falls back by itself) or 3.1.1 at once")
    parser.add_argument("--ca-file", help="certificates to trust for mqtts://, instead of the system's")
    parser.add_argument("--allow-plaintext", action="store_true", help="send a password without TLS")


def add_mqtt_password(parser: argparse.ArgumentParser) -> None:
    refuse_passwords(parser, "--mqtt-password")
    parser.add_argument("--mqtt-password-file", metavar="FILE",
                        help="the password for the broker; only its owner may read it (instead of"
                             " KLVRELAY_MQTT_PASSWORD)")  # fmt: skip


def add_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--password-file", metavar="FILE",
                        help="the password for rtsp://user@..., http://user@... and their like; only its owner may read"
                             " it (instead of KLVRELAY_SOURCE_PASSWORD)")  # fmt: skip


def _number(reader: str) -> Callable[[str], int]:
    """A reader of `names.py` as a type of argparse."""

    def number(text: str) -> int:
        from klvrelay.config import names

        try:
            return int(getattr(names, reader)(text))
        except ConfigError as fault:
            raise argparse.ArgumentTypeError(str(fault)) from None

    return number


def add_choice(
    parser: argparse.ArgumentParser,
    pid: str = "only the KLV of this PID, such as 0x101; may be given again",
    program: str = "only the KLV of this program",
) -> None:
    parser.add_argument("--pid", type=_number("pid_number"), action="append", default=[], metavar="PID", help=pid)
    parser.add_argument("--program", type=_number("program_number"), metavar="NUMBER", help=program)


def add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--interface", help="network interface that multicast is joined on")
    parser.add_argument("--sender", help="take datagrams from this address only")
    parser.add_argument("--source-timeout", type=float, metavar="SECONDS", help="wait for a source this long (5)")


def add_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--packet-limit", type=int, metavar="BYTES",
                        help="what the value of one KLV packet may have at most (1048576)")  # fmt: skip


def add_publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--qos", type=int, choices=(0, 1, 2), help="quality of service of records (1: confirmed)")
    parser.add_argument("--raw", action="store_true", help="also publish each packet's KLV bytes to .../raw")
    parser.add_argument(
        "--publish-bad", choices=("rejected", "telemetry", "drop"),
        help="where records with a bad checksum go (rejected)",
    )  # fmt: skip
    add_numbers(parser, None)


def add_numbers(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--numbers", choices=("exact", "safe"), default=default,
        help="safe: integers beyond 2^53 - 1, which JavaScript rounds, as strings (exact: as numbers)",
    )  # fmt: skip


def add_quiet(parser: argparse.ArgumentParser, text: str = "log warnings and errors only") -> None:
    parser.add_argument("-q", "--quiet", action="store_true", help=text)


def mqtt_given(args: argparse.Namespace) -> dict[str, Any]:
    """What was given for the broker beside its URL, by the names of `MqttSettings`."""
    given = {
        key: getattr(args, key, None)
        for key in ("prefix", "username", "client_id", "ca_file", "qos", "publish_bad", "numbers")
    }
    version = getattr(args, "mqtt_version", None)
    given |= {"protocol": None if version is None else 5 if version == "5" else 4}
    given |= {key: True for key in ("raw", "allow_plaintext") if getattr(args, key, False)}
    if args.mqtt_password_file is not None:
        from klvrelay.config.credentials import secret_file

        given["password"] = secret_file(args.mqtt_password_file, "--mqtt-password-file")
    return {key: value for key, value in given.items() if value is not None}


def source_given(args: argparse.Namespace) -> dict[str, Any]:
    """What was given for the only source beside its URL."""
    options = {"interface": args.interface, "sender": args.sender, "timeout": args.source_timeout}
    return {key: value for key, value in options.items() if value is not None}


def limit_given(args: argparse.Namespace) -> dict[str, int]:
    return {} if args.packet_limit is None else {"packet_limit": args.packet_limit}


def picked(args: argparse.Namespace) -> dict[str, Any]:
    """Which KLV of a source is wanted, if that was given."""
    chosen = {"only": frozenset(args.pid), "program": args.program}
    return {key: value for key, value in chosen.items() if value}


def choice_of(args: argparse.Namespace) -> Any:
    """The same as a `Choice`."""
    from klvrelay.config.choice import chosen

    return chosen(args.pid, args.program)


def warn_of_choice(args: argparse.Namespace) -> None:
    """The bytes go through as they come: --pid and --program choose nothing."""
    if picked(args):
        from klvrelay.log import logger

        logger().warning(
            "%s keeps all PIDs: --pid and --program have no effect here; give them to decode or run", args.verb
        )
