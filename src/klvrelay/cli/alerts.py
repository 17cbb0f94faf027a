"""Options and entry point of `klvrelay alerts`."""

from __future__ import annotations

import argparse

from klvrelay.errors import ConfigError

ON_LOOP = True
EXAMPLES = (
    "klvrelay alerts list",
    "klvrelay alerts list -c relay.toml --stream uav1",
    "klvrelay alerts list --url http://127.0.0.1:8080",
    "klvrelay alerts test ops -c relay.toml",
)
EPILOG = """\
alerts:
  list shows each rule with its values, and where they come from. With --url it asks a running relay (run --http) what
  is raised too. test sends a test alert to the [[notify]] with this NAME, once, and prints what happened; exit code 1
  if it was not taken.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "test"), metavar="{list,test}", help="what to do")
    parser.add_argument("name", nargs="?", metavar="NAME", help="with test: the name of a [[notify]]")
    parser.add_argument("-c", "--config", metavar="FILE", help="settings in TOML")
    parser.add_argument("--stream", metavar="NAME", help="with list: the rules as they apply to this stream")
    parser.add_argument("--url", metavar="URL", help="with list: the HTTP server of a running relay")
    parser.add_argument("--token-file", metavar="FILE", help="with --url: a file with its token (default:"
                        " KLVRELAY_HTTP_TOKEN in the environment)")  # fmt: skip
    parser.add_argument("--ca-file", metavar="FILE", help="with --url https://: certificates to trust, in PEM")
    parser.add_argument("--json", action="store_true", help="print a JSON document")


async def run(args: argparse.Namespace) -> int:
    """List, or test a destination."""
    from klvrelay.cli.verbs import alerts
    from klvrelay.cli.verbs.relay_http import RelayHttp

    if args.action == "test":
        if args.name is None:
            raise ConfigError("test: give the name of a [[notify]], e.g. klvrelay alerts test ops -c relay.toml")
        for option in ("stream", "url", "token_file", "ca_file"):
            if getattr(args, option) is not None:
                raise ConfigError(f"--{option.replace('_', '-')}: has an effect with list only")
        return await alerts.test(args.name, args.config, as_json=args.json)
    if args.name is not None:
        raise ConfigError(f"unexpected argument {args.name}: list takes none; for one stream: --stream {args.name}")
    if args.url is not None:
        if args.config is not None:
            raise ConfigError("--url: not together with --config: the relay has its own settings")
        return await alerts.list_raised(RelayHttp(args.url, args.token_file, args.ca_file), as_json=args.json)
    for option in ("token_file", "ca_file"):
        if getattr(args, option) is not None:
            raise ConfigError(f"--{option.replace('_', '-')}: has an effect with --url only")
    return await alerts.list_rules(args.config, args.stream, as_json=args.json)
