"""Options and entry point of `klvrelay run`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from contextlib import AsyncExitStack, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from klvrelay.cli import option_groups, standard_streams

if TYPE_CHECKING:
    from klvrelay.relay.reload import Loaded
    from klvrelay.systemd.service import Service

ON_LOOP = True
EXAMPLES = (
    "klvrelay run udp://0.0.0.0:5000 --stream uav1 --mqtt mqtt://127.0.0.1:1883",
    "klvrelay run udp://:5000 --stream uav1 rtsp://user@cam/live --stream cam --mqtt mqtts://user@broker",
    "klvrelay run tapes/ --follow --mqtt mqtt://127.0.0.1:1883 --prefix site-a",
    "klvrelay run -c relay.toml",
)
NAMES = """\
stream names:
  SOURCE --stream NAME SOURCE --stream NAME ...    each name applies to the source before it
  SOURCE SOURCE --stream NAME --stream NAME        sources first: the names apply in the same order
  A source without a name is named after its URL. If several would have the same name, each gets a suffix.
  All other options apply to every source.
settings:
  With -c FILE, give the sources in FILE or on the command line, not in both. --mqtt URL replaces the broker address and
  login of FILE. Other broker options override those of FILE. SIGHUP reloads FILE.
  Variables of the environment, such as KLVRELAY_SPOOL_PATH, override FILE, and options override both. --print-config
  shows the result. `klvrelay check FILE` validates FILE, and tries its sources and brokers.
"""
EPILOG = option_groups.SOURCES + NAMES + option_groups.BROKERS + option_groups.FALLBACKS + option_groups.SINKS


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [options] SOURCE [--stream NAME] [SOURCE [--stream NAME] ...] {--mqtt | --sink} URL ..."
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="sources to relay, concurrently")
    parser.add_argument("-c", "--config", metavar="FILE", help="settings in TOML; see samples/relay.toml")
    parser.add_argument("--stream", action="append", default=[], metavar="NAME",
                        help="name of the preceding source in topics (see below)")  # fmt: skip
    option_groups.add_source(parser)
    option_groups.add_password(parser)
    parser.add_argument("--stall", type=float, metavar="SECONDS",
                        help="a stream is stale after this time without bytes or KLV (default: 4.5)")  # fmt: skip
    parser.add_argument("--coalesce", metavar="TIME",
                        help="with many busy datagram sockets, read them together at this interval at most,"
                             " 0.5ms to 100ms; 0: read each datagram at once (default: 8ms)")  # fmt: skip
    parser.add_argument("--follow", action="store_true", help="wait for more data at the end of files")
    parser.add_argument("--demux", choices=("native", "libav"),
                        help="MPEG-TS demultiplexer: klvrelay's own (native, default), or libav")  # fmt: skip
    parser.add_argument("--isolate", action=argparse.BooleanOptionalAction,
                        help="read each source in a separate, sandboxed process (default: http, https, rtsp and"
                             " rtsps only)")  # fmt: skip
    option_groups.add_limit(parser)
    option_groups.add_choice(parser)
    parser.add_argument("--spool", metavar="DIR",
                        help="a folder in which records wait while the broker is away: they survive a crash and a"
                             " restart (default: they wait in memory)")  # fmt: skip
    parser.add_argument("--http", metavar="ADDRESS",
                        help="serve metrics, health and the API there, e.g. 127.0.0.1:8080; other addresses than"
                             " loopback need a token: see [http] in the settings")  # fmt: skip
    parser.add_argument("--state", metavar="DIR",
                        help="the state directory: it keeps the ledger of incidents over restarts (default:"
                             " $STATE_DIRECTORY of systemd, else incidents are kept in memory)")  # fmt: skip
    parser.add_argument("--print-config", action="store_true",
                        help="print every setting and where it comes from, without secrets, and exit")  # fmt: skip
    option_groups.add_mqtt(parser, several=True)
    option_groups.add_sinks(parser)
    option_groups.add_publish(parser)
    option_groups.add_log(parser)
    option_groups.add_quiet(parser)


async def run(args: argparse.Namespace) -> int:
    """Relay until stopped. `replay` calls this too."""
    from klvrelay.cli.hangup import on_hangup
    from klvrelay.cli.relay_settings import explained_settings
    from klvrelay.cli.web_server import Beside, web_server
    from klvrelay.relay.build import run_relay

    if getattr(args, "print_config", False):
        with standard_streams.flush_output():
            sys.stdout.write(explained_settings(args))
        return 0
    reloads_files = getattr(args, "config", None) is not None
    service, requested = _service(), asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(on_hangup(requested.set if reloads_files else None))
        settings, files = _load(args)
        beside: list[Beside] = [] if service is None else [service.run]
        if (web := stack.enter_context(web_server(settings.http, partial(explained_settings, args)))) is not None:
            beside.append(web)
        if service is not None:
            await stack.enter_async_context(service.starting())
        if reloads_files:
            from klvrelay.cli.log_options import switch_log
            from klvrelay.relay.reload import Reloader, Reloads  # loaded here: without a file it is not needed

            reloading = nullcontext if service is None else service.reloading
            reloads = Reloads(
                partial(_load, args), files, requested, reloading=reloading, change_log=switch_log
            )
            beside.append(lambda relay: Reloader(relay, settings, reloads).run())
        return await run_relay(settings, *beside)


def _service() -> Service | None:
    """What notifies systemd, if it started this process as a service that notifies."""
    if "NOTIFY_SOCKET" not in os.environ:
        return None
    from klvrelay.systemd.notify_socket import NotifySocket  # loaded here: few processes are services
    from klvrelay.systemd.service import Service

    notify = NotifySocket.take()
    return None if notify is None else Service(notify)


def _load(args: argparse.Namespace) -> Loaded:
    """The settings of the command line and of its file, and the stamps of the files that were read."""
    from klvrelay.cli.relay_settings import relay_settings
    from klvrelay.config.small_file import noting_stamps

    with noting_stamps() as files:
        return relay_settings(args), files
