"""Entry point of the command `klvrelay` and of `python -m klvrelay`."""

import _signal  # type: ignore[import-not-found]  # built in: a Ctrl-C while `signal` loads prints a traceback
import sys


def main() -> int:
    """Run the command and return its exit code. A Ctrl-C ends it without a traceback until the verb handles signals."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    from klvrelay.cli import loading

    loading.begin()
    from klvrelay.cli.main import main as command

    try:
        return command()
    finally:
        loading.finish()


if __name__ == "__main__":
    sys.exit(main())
