"""The command `klvrelay`, and `python -m klvrelay`."""

import _signal  # type: ignore[import-not-found]  # built in; `signal` takes long, and a Ctrl-C meanwhile shows a traceback
import sys


def main() -> int:
    """Runs the command; gives its exit code. A Ctrl-C while it loads ends it without a traceback."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    from klvrelay.cli import loading

    loading.begun()
    from klvrelay.cli.main import main as command

    try:
        return command()
    finally:
        loading.ended()


if __name__ == "__main__":
    sys.exit(main())
