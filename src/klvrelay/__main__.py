"""The command `klvrelay`, and `python -m klvrelay`."""

import signal
import sys


def main() -> int:
    """Runs the command; gives its exit code. A Ctrl-C while it loads ends it without a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from klvrelay import loading

    loading.begun()
    from klvrelay.cli import main as command

    try:
        return command()
    finally:
        loading.ended()


if __name__ == "__main__":
    sys.exit(main())
