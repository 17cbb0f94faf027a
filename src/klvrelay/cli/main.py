"""The command `klvrelay`: runs the verb, and reports each error as one line and an exit code.

Exit codes: 0 done or stopped; 1 internal error or full disk; 2 invalid options or settings; 3 source cannot be read;
4 no KLV; 5 broker refused; 6 probe found warnings; 7 probe found errors; 8 records were lost; 130 interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING

from klvrelay.cli import loading, standard_streams
from klvrelay.cli.options import parser
from klvrelay.config.credentials import take_environment
from klvrelay.errors import KlvrelayError, OutputLost
from klvrelay.log import log_error, log_later

if TYPE_CHECKING:
    import argparse

    from klvrelay.cli.redaction import Redaction


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    code = _run(argv)
    if argv is None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a late Ctrl-C must not change the exit code
    return code


def _run(argv: Sequence[str] | None) -> int:
    standard_streams.fill_closed()
    if argv is None:
        take_environment()
    arguments = sys.argv[1:] if argv is None else argv

    @cache
    def redaction() -> Redaction:  # built on first use: most commands print no secret
        from klvrelay.cli.redaction import Redaction

        return Redaction(arguments)

    try:
        args = parser().parse_args(argv)
        log_later(lambda text: redaction()(text), quiet=getattr(args, "quiet", False))
        return _run_verb(args, arguments)
    except KlvrelayError as fault:
        if isinstance(fault, OutputLost):
            standard_streams.drop_output()
        text = redaction()(str(fault))
        if not log_error(text):
            standard_streams.print_error(text)
        return fault.exit_code
    except BrokenPipeError:
        standard_streams.drop_output()  # the reader closed the pipe (`| head`): not an error
        return 0
    except OSError as fault:
        standard_streams.drop_output()
        standard_streams.print_error(os.strerror(fault.errno) if fault.errno else type(fault).__name__)
        return 1
    except KeyboardInterrupt:
        standard_streams.drop_output()  # the reader may have stopped: a flush at exit would block
        standard_streams.print_error("stopped")
        return 130


def _run_verb(args: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Run the verb and return its exit code."""
    from klvrelay.cli.log_options import begin_log_of_options
    from klvrelay.cli.source_urls import warn_of_passwords
    from klvrelay.sources.isolated.prctl import hide_memory

    if getattr(args, "config", None) is not None and args.verb == "run":
        from klvrelay.cli import hangup

        hangup.hold()
    begin_log_of_options(args)
    warn_of_passwords(arguments)
    hide_memory()  # passwords will be in memory
    if args.verb != "decode":  # `decode` still has modules to load
        loading.complete()
    command = import_module(f"klvrelay.cli.{args.verb}")
    if not command.ON_LOOP:
        return int(command.run(args))
    from klvrelay.cli.stopping import on_loop

    return on_loop(partial(command.run, args)) or 0


if __name__ == "__main__":
    sys.exit(main())
