"""The command `klvrelay`: verbs, options, exit codes; each verb's own module does the work.

Exit codes: 0 done or stopped; 1 a fault of ours; 2 wrong options or settings; 3 a source can't be read; 4 no KLV;
5 the broker refuses; 6 and 7 what a probe found are warnings, errors.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from klvrelay import loading, standard
from klvrelay.credentials import secret_file, take_environment
from klvrelay.errors import ConfigError, KlvrelayError, OutputLost
from klvrelay.log import log_later, logger
from klvrelay.options import parser

if TYPE_CHECKING:
    import argparse

    from klvrelay.redaction import Redaction


def _mqtt_given(args: argparse.Namespace) -> dict[str, Any]:
    """What was said of the broker beside its URL."""
    given = {
        key: getattr(args, key, None)
        for key in ("prefix", "username", "client_id", "ca_file", "qos", "publish_bad", "numbers")
    }
    version = getattr(args, "mqtt_version", None)
    given |= {"protocol": None if version is None else 5 if version == "5" else 4}
    given |= {key: True for key in ("raw", "allow_plaintext") if getattr(args, key, False)}
    if args.mqtt_password_file is not None:
        given["password"] = secret_file(args.mqtt_password_file, "--mqtt-password-file")
    return {key: value for key, value in given.items() if value is not None}


def _picked(args: argparse.Namespace) -> dict[str, Any]:
    """Which KLV of a source is wanted, where that was said."""
    picked = {"only": frozenset(args.pid), "program": args.program}
    return {key: value for key, value in picked.items() if value}


def _choice(args: argparse.Namespace) -> Any:
    from klvrelay.elementary import chosen

    return chosen(args.pid, args.program)


def _say_whole(args: argparse.Namespace) -> None:
    """The bytes go as they came: --pid and --program choose nothing."""
    if _picked(args):
        logger().warning(
            "%s keeps all PIDs: --pid and --program have no effect here; give them to decode or run", args.verb
        )


def _relay_settings(args: argparse.Namespace) -> Any:
    """Settings of `run` and `replay`: the file's, and what was said on the command line over it."""
    from dataclasses import replace

    from klvrelay.config import RelaySettings, SourceSettings, coalesce_seconds, load, mqtt_settings, with_mqtt_password
    from klvrelay.names import checked_name
    from klvrelay.places import check_used, said_password, source_urls

    password = said_password(args)
    settings = load(args.config, password) if getattr(args, "config", None) else RelaySettings()
    if len(args.stream) > len(args.sources):
        raise ConfigError(f"--stream is given {len(args.stream)} times for {len(args.sources)} sources")
    keys = ("interface", "sender", "speed", "loop", "stall", "demux", "isolate")
    said = {key: getattr(args, key, None) for key in keys}
    said["follow"] = getattr(args, "follow", False) or None
    said["timeout"] = getattr(args, "source_timeout", None)
    said["packet_limit"] = getattr(args, "packet_limit", None)
    extra = {key: value for key, value in said.items() if value is not None}
    names = [*(checked_name(name, "--stream") for name in args.stream), *[None] * len(args.sources)]
    urls = source_urls(args.sources, password)
    # It is meant for the files among them; where there is none it is a mistake.
    follow = extra.pop("follow", False)
    files = any(url.scheme == "file" for url in urls)
    sources = tuple(
        SourceSettings(url, stream=name, follow=follow and (url.scheme == "file" or not files), **extra)
        for url, name in zip(urls, names, strict=False)
    )
    if sources:
        settings = replace(settings, sources=sources)
    if (coalesce := getattr(args, "coalesce", None)) is not None:
        settings = replace(settings, coalesce=coalesce_seconds(coalesce))
    check_used(password, (source.url for source in settings.sources))
    if picked := _picked(args):
        settings = replace(settings, sources=tuple(replace(source, **picked) for source in settings.sources))
    given = _mqtt_given(args)
    if args.mqtt is not None:
        settings = replace(settings, mqtt=mqtt_settings(args.mqtt, given))
    elif settings.mqtt is not None and given:
        settings = replace(settings, mqtt=with_mqtt_password(replace(settings.mqtt, **given)))
    if not settings.sources:
        raise ConfigError("nothing to relay: give a source, e.g. udp://0.0.0.0:5000, or -c relay.toml")
    if settings.mqtt is None:
        raise ConfigError("nowhere to relay to: give a broker, e.g. --mqtt mqtt://127.0.0.1:1883")
    return settings


async def _relay(args: argparse.Namespace) -> int:
    from klvrelay.verbs.run import relay_of

    relay = relay_of(_relay_settings(args))
    try:
        await relay.run()
    finally:
        logger().info("%s", relay.summary())
        if relay.left:
            logger().warning("stopped with %d records that the broker has not confirmed: they are lost", relay.left)
    return 0 if relay.fault is None else relay.fault.exit_code


def _decode(args: argparse.Namespace) -> int:
    from klvrelay.places import source_url
    from klvrelay.verbs import decode

    url = source_url(args, args.source)
    shown = not args.quiet and sys.stderr.isatty()
    outcome = decode.decode(
        url, args.format, show_progress=shown, follow=args.follow, demux=args.demux,
        choice=_choice(args), numbers=args.numbers, **_packet_limit(args),
    )  # fmt: skip
    if outcome is None:  # a signal stopped it
        return 0
    if outcome.records == 0:
        raise decode.no_klv(url, outcome)
    if not args.quiet:
        print(decode.summary(outcome), file=sys.stderr)
    return 0


def _source_options(args: argparse.Namespace) -> dict[str, Any]:
    """What was said of the source beside its URL."""
    options = {"interface": args.interface, "sender": args.sender, "timeout": args.source_timeout}
    return {key: value for key, value in options.items() if value is not None}


def _packet_limit(args: argparse.Namespace) -> dict[str, int]:
    return {} if args.packet_limit is None else {"packet_limit": args.packet_limit}


async def _record(args: argparse.Namespace) -> int:
    from klvrelay.mistyped import file_name
    from klvrelay.names import checked_name
    from klvrelay.places import source_url
    from klvrelay.verbs.record import record

    _say_whole(args)
    limits = (args.segment_seconds, args.segment_size, args.keep_size, args.keep_age)
    url, folder = source_url(args, args.source), file_name(args.folder, "DIR")
    name = None if args.stream is None else checked_name(args.stream, "--stream")
    await record(url, folder, name, limits, quiet=args.quiet, **_source_options(args))
    return 0


async def _probe(args: argparse.Namespace) -> int:
    from klvrelay.mistyped import file_name
    from klvrelay.places import source_url
    from klvrelay.verbs.probe import Wishes, probe

    html = None if args.html is None else file_name(args.html, "--html")
    wishes = Wishes(args.seconds, args.json, html, args.quiet)
    url = source_url(args, args.source)
    return await probe(url, wishes, _choice(args), **_source_options(args), **_packet_limit(args))


def _frame_times(args: argparse.Namespace) -> int:
    """libav waits on its own, outside of any loop: a signal stops it between two frames."""
    from klvrelay.places import source_url
    from klvrelay.verbs.frame_times import decode_frame_times

    if args.program:
        raise ConfigError("--frame-times --program: choose by --pid, the PID of the video")
    logger()  # sources log from anywhere
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        count = decode_frame_times(source_url(args, args.source), args.format, args.pid, args.numbers)
    except KeyboardInterrupt:
        return 0
    if not args.quiet:
        print(f"{count} video frames with a time stamp", file=sys.stderr)
    return 0


async def _watch(args: argparse.Namespace) -> int:
    from klvrelay.config import mqtt_settings
    from klvrelay.names import checked_name
    from klvrelay.verbs.watch import watch

    stream = None if args.stream is None else checked_name(args.stream, "STREAM")
    await watch(mqtt_settings(args.mqtt, _mqtt_given(args)), stream, choice=_choice(args))
    return 0


def _retained(args: argparse.Namespace) -> int:
    """Two visits to the broker; between them a question may wait on the terminal, outside of any loop."""
    from klvrelay.config import mqtt_settings
    from klvrelay.names import checked_name
    from klvrelay.verbs.retained import retained

    stream = None if args.stream is None else checked_name(args.stream, "--stream")
    retained(mqtt_settings(args.mqtt, _mqtt_given(args)), stream, clear=args.clear, sure=args.yes)
    return 0


def _sample(args: argparse.Namespace) -> int:
    """All of it is computing: a signal breaks it off where it is, and nothing is left behind."""
    from klvrelay.mistyped import file_name
    from klvrelay.verbs.sample import make_sample

    signal.signal(signal.SIGTERM, signal.default_int_handler)

    options = {
        key: getattr(args, key)
        for key in ("seconds", "size", "fps", "klv_rate", "codec", "carriage", "bit_rate", "seed")
    }
    if len(args.pid) > 1:
        raise ConfigError("--pid: a sample has one KLV PID")
    if args.pid:
        options["klv_pid"] = args.pid[0]
    if args.program:
        options["program"] = args.program
    make_sample(file_name(args.out, "OUT.ts"), quiet=args.quiet, **options)
    return 0


def _items(args: argparse.Namespace) -> int:
    from klvrelay.verbs.items import items

    with standard.written():
        items(" ".join(args.query), set_name=args.set, list_sets=args.sets, as_json=args.json)
    return 0


async def _demo(args: argparse.Namespace) -> int:
    from klvrelay.places import source_url
    from klvrelay.verbs.demo import demo

    source = None if args.source is None else source_url(args, args.source)
    await demo(source, args.mqtt, _mqtt_given(args), **_picked(args))
    return 0


async def _send(args: argparse.Namespace) -> int:
    from klvrelay.verbs.send import send

    _say_whole(args)
    options = {key: getattr(args, key) for key in ("speed", "loop", "impair", "rate", "interface", "timeout", "quiet")}
    await send(args.source, args.target, **options)
    return 0


ON_LOOP = {
    "run": _relay, "replay": _relay, "probe": _probe, "record": _record, "send": _send, "watch": _watch, "demo": _demo,
}  # fmt: skip
PLAIN = {"decode": _decode, "retained": _retained, "sample": _sample, "items": _items}
"""Verbs that need no loop, or only for some sources."""


def main(argv: Sequence[str] | None = None) -> int:
    """The command's way in; gives its exit code."""
    code = _run(argv)
    if argv is None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is over: a Ctrl-C that comes late changes no exit code
    return code


def _run(argv: Sequence[str] | None) -> int:
    standard.fill_closed()
    if argv is None:
        take_environment()
    given = sys.argv[1:] if argv is None else argv

    @cache
    def redaction() -> Redaction:  # most commands say nothing that could show a secret
        from klvrelay.redaction import Redaction

        return Redaction(given)

    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on it is answered
        args = _parsed(argv)
        log_later(lambda text: redaction()(text), quiet=getattr(args, "quiet", False))
        return _done(args, given)
    except KlvrelayError as fault:
        if isinstance(fault, OutputLost):
            standard.drop_output()
        standard.complain(redaction()(str(fault)))
        return fault.exit_code
    except BrokenPipeError:
        standard.drop_output()  # the reader went away (`| head`): nothing is wrong
        return 0
    except OSError as fault:
        standard.drop_output()
        standard.complain(os.strerror(fault.errno) if fault.errno else type(fault).__name__)
        return 1
    except KeyboardInterrupt:
        standard.drop_output()  # its reader may have stopped: a flush at the exit would wait for it
        standard.complain("stopped")
        return 130


def _done(args: argparse.Namespace, given: Sequence[str]) -> int:
    """Runs the verb; gives its exit code."""
    from klvrelay.places import warn_of_passwords
    from klvrelay.prctl import hide_memory

    warn_of_passwords(given)
    hide_memory()  # there will be passwords in it
    if args.verb != "decode":  # which loads more yet
        loading.done()
    if getattr(args, "frame_times", False):
        return _frame_times(args)
    if (plain := PLAIN.get(args.verb)) is not None:
        return plain(args)
    from klvrelay.stopping import on_loop

    return on_loop(partial(ON_LOOP[args.verb], args)) or 0


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    try:
        return parser().parse_args(argv)
    except SystemExit:
        with standard.written():  # the help that was asked for
            sys.stdout.flush()
        raise


if __name__ == "__main__":
    sys.exit(main())
