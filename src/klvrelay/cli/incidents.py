"""Options and entry point of `klvrelay incidents`."""

from __future__ import annotations

import argparse

from klvrelay.errors import ConfigError

ON_LOOP = False
EXAMPLES = (
    "klvrelay incidents --state /var/lib/klvrelay",
    "klvrelay incidents -c relay.toml --stream uav1 --since 7d --figures",
    "klvrelay incidents --state /var/lib/klvrelay --open --json",
    'klvrelay incidents ack 3f9c --state /var/lib/klvrelay --by "A. Operator" --note "antenna exchanged"',
)
EPILOG = """\
incidents:
  Lists the outages of streams, sinks, the spool and the relay, the latest first. The relay may be running or not.
  Without --state and -c, the state directory is that of KLVRELAY_RELAY_STATE or of STATE_DIRECTORY.
  --figures prints count, MTTR, MTBF, time to detect, availability and longest outage instead; docs/incidents.md defines
  each of them. `ack ID` acknowledges an incident; the first characters of the id suffice.
"""
_OF_LIST = ("stream", "sink", "cause", "since", "limit")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("ack",), metavar="ack", help="acknowledge an incident")
    parser.add_argument("id", nargs="?", metavar="ID", help="with ack: the id of the incident, or its first characters")
    parser.add_argument("--state", metavar="DIR", help="the state directory of the relay")
    parser.add_argument("-c", "--config", metavar="FILE", help="the settings of the relay, which name its directory")
    parser.add_argument("--url", metavar="URL", help="the HTTP server of a running relay, e.g. http://127.0.0.1:8080")
    parser.add_argument("--token-file", metavar="FILE", help="with --url: a file with its token (default:"
                        " KLVRELAY_HTTP_TOKEN in the environment)")  # fmt: skip
    parser.add_argument("--ca-file", metavar="FILE", help="with --url https://: certificates to trust, in PEM")
    parser.add_argument("--stream", metavar="NAME", help="only those of this stream")
    parser.add_argument("--sink", metavar="NAME", help="only those of this sink")
    parser.add_argument("--cause", metavar="CAUSE", help="only those of this cause: source, network, transport, klv,"
                        " clock, broker, disk or relay")  # fmt: skip
    parser.add_argument("--since", metavar="TIME", help="only those that were open since then: 24h, 7d, or a UTC date"
                        " and time such as 2026-12-01T08:00 (default: all; with --figures 30d)")  # fmt: skip
    parser.add_argument("--open", action="store_true", help="only those that are open")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N incidents (default: 100)")
    parser.add_argument("--figures", action="store_true", help="print the figures by stream, sink and cause")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON document")
    output.add_argument("--csv", action="store_true", help="print CSV")
    parser.add_argument("--by", metavar="NAME", help="with ack: who acknowledges it (default: the user)")
    parser.add_argument("--note", metavar="TEXT", help="with ack: a note")


def run(args: argparse.Namespace) -> int:
    """List, print figures, or acknowledge."""
    from klvrelay.cli.verbs import incidents

    _check(args)
    source = incidents.source_of(args.state, args.config, args.url, args.token_file, args.ca_file)
    if args.action == "ack":
        return incidents.acknowledge(source, args.id, args.by, args.note, as_json=args.json)
    wanted = incidents.wanted(args.stream, args.sink, args.cause, args.since, args.limit, is_open=args.open)
    form: incidents.Form = "json" if args.json else "csv" if args.csv else "table"
    if args.figures:
        return incidents.show_figures(source, wanted, form)
    return incidents.show_list(source, wanted, form)


def _check(args: argparse.Namespace) -> None:
    """Raise ConfigError for options that have no effect."""
    if sum(value is not None for value in (args.state, args.config, args.url)) > 1:
        raise ConfigError("--state, -c, --url: give one of them")
    for name in ("token_file", "ca_file"):
        if args.url is None and getattr(args, name) is not None:
            raise ConfigError(f"--{name.replace('_', '-')}: has an effect with --url only")
    if args.action == "ack" and args.id is None:
        raise ConfigError("ack: give the id of the incident; klvrelay incidents lists them")
    if args.action == "ack":
        given = [name for name in (*_OF_LIST, "open", "figures", "csv") if getattr(args, name)]
    else:
        given = [name for name in ("by", "note") if getattr(args, name) is not None]
    if given:
        raise ConfigError(f"--{given[0]}: has {'no effect' if args.action else 'an effect only'} with ack")
