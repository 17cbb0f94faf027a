"""The command `klvrelay`: runs the verb that the command line names, and turns each error into a line and an exit code.

Exit codes: 0 done or stopped; 1 a fault of ours; 2 wrong options or settings; 3 a source can't be read; 4 no KLV;
5 the broker refuses; 6 and 7 what a probe found are warnings, errors; 8 records were lost; 130 broken off.
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
from klvrelay.log import log_later

if TYPE_CHECKING:
    import argparse

    from klvrelay.cli.redaction import Redaction


def main(argv: Sequence[str] | None = None) -> int:
    """The command's way in; gives its exit code."""
    code = _run(argv)
    if argv is None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is over: a Ctrl-C that comes late changes no exit code
    return code


def _run(argv: Sequence[str] | None) -> int:
    standard_streams.fill_closed()
    if argv is None:
        take_environment()
    given = sys.argv[1:] if argv is None else argv

    @cache
    def redaction() -> Redaction:  # most commands say nothing that could show a secret
        from klvrelay.cli.redaction import Redaction

        return Redaction(given)

    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on it is answered
        args = parser().parse_args(argv)
        log_later(lambda text: redaction()(text), quiet=getattr(args, "quiet", False))
        return _done(args, given)
    except KlvrelayError as fault:
        if isinstance(fault, OutputLost):
            standard_streams.drop_output()
        standard_streams.complain(redaction()(str(fault)))
        return fault.exit_code
    except BrokenPipeError:
        standard_streams.drop_output()  # the reader went away (`| head`): nothing is wrong
        return 0
    except OSError as fault:
        standard_streams.drop_output()
        standard_streams.complain(os.strerror(fault.errno) if fault.errno else type(fault).__name__)
        return 1
    except KeyboardInterrupt:
        standard_streams.drop_output()  # its reader may have stopped: a flush at the exit would wait for it
        standard_streams.complain("stopped")
        return 130


def _done(args: argparse.Namespace, given: Sequence[str]) -> int:
    """Runs the verb; gives its exit code."""
    from klvrelay.cli.source_urls import warn_of_passwords
    from klvrelay.sources.isolated.prctl import hide_memory

    warn_of_passwords(given)
    hide_memory()  # there will be passwords in it
    if args.verb != "decode":  # which loads more yet
        loading.done()
    command = import_module(f"klvrelay.cli.{args.verb}")
    if not command.ON_LOOP:
        return int(command.run(args))
    from klvrelay.cli.stopping import on_loop

    return on_loop(partial(command.run, args)) or 0


if __name__ == "__main__":
    sys.exit(main())
