"""Options and entry point of `klvrelay schema`."""

from __future__ import annotations

import argparse

from klvrelay.cli import option_groups, standard_streams

ON_LOOP = False
DOCUMENTS = (
    "asyncapi", "telemetry", "rejected", "state", "link", "health", "relay-health", "alert", "relay-alert",
    "availability", "daily-report", "gap", "status", "uplink", "settings",
)  # fmt: skip
EXAMPLES = (
    "klvrelay schema > asyncapi.json",
    "klvrelay schema --mqtt mqtts://broker/site-a > asyncapi.json",
    "klvrelay schema -c relay.toml > asyncapi.json",
    "klvrelay schema telemetry > telemetry.schema.json",
    "klvrelay schema settings > relay.schema.json",
)
EPILOG = """\
documents:
  asyncapi                         AsyncAPI 3.0: server, topics, messages with their schemas, MQTT bindings
  telemetry  rejected              JSON Schema (2020-12) of a record, also of the lines that decode prints
  state  link  availability  gap   JSON Schema of the other topics of a stream
  status                           JSON Schema of the topic of the relay, and of its last will
  health  relay-health             JSON Schema of the topics health, of a stream and of the relay
  alert  relay-alert               JSON Schema of the topics alert, of a stream and of the relay with its sinks
  daily-report                     JSON Schema of the figures of incidents of a day
  uplink                           JSON Schema of the use of a budget
  settings                         JSON Schema of relay.toml, for editors
  They need no source, no broker and no running relay.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("document", nargs="?", choices=DOCUMENTS, default="asyncapi", metavar="DOCUMENT",
                        help="asyncapi (default), the last level of a topic, or settings")  # fmt: skip
    parser.add_argument("-c", "--config", metavar="FILE", help="asyncapi: the outputs of a sink in a settings file")
    parser.add_argument("--sink", metavar="NAME", help="with -c: the sink, if there are several")
    parser.add_argument("--mqtt", metavar="URL", help="asyncapi: broker and settings, such as mqtts://broker/site?qos=0")
    parser.add_argument("--prefix", metavar="TOPIC", help="asyncapi: first level of every topic (default: klvrelay)")
    option_groups.add_numbers(parser, None)


def run(args: argparse.Namespace) -> int:
    """Print the document."""
    from klvrelay.cli.verbs.schema import print_configured, print_schema

    with standard_streams.flush_output():
        if args.config is None and args.sink is None:
            print_schema(args.document, mqtt=args.mqtt, prefix=args.prefix, numbers=args.numbers)
        else:
            others = [f"--{name}" for name in ("mqtt", "prefix", "numbers") if getattr(args, name) is not None]
            print_configured(args.document, args.config, args.sink, others)
    return 0
