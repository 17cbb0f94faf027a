"""Options and entry point of `klvrelay sample`."""

from __future__ import annotations

import argparse

from klvrelay.cli import option_groups
from klvrelay.errors import ConfigError

ON_LOOP = False
FAULTS = (
    "frozen", "frozen-time", "future", "past", "jump", "frame-centre", "corners", "corner-order", "below-ground",
    "position-zero",
)  # fmt: skip
"""As in `klvrelay.sample.faults`, which loads numpy."""
EXAMPLES = (
    "klvrelay sample orbit.ts --seconds 30 --carriage async",
    "klvrelay sample orbit.ts --size 1280x720 --codec h265 --bit-rate 2.5M",
    "klvrelay sample frozen.ts --fault frozen --fault-at 10",
    "klvrelay sample - --seconds 600 | klvrelay send - udp://127.0.0.1:5000",
)
EPILOG = ""


def _bit_rate(text: str) -> int:
    from klvrelay.cli.verbs.rates import bits_a_second

    try:
        return round(bits_a_second(text, ""))
    except ConfigError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", metavar="OUT.ts", help="file to write; - for standard output")
    parser.add_argument("--seconds", type=float, default=30.0, metavar="S", help="duration in seconds (default: 30)")
    parser.add_argument("--size", default="640x360", metavar="WxH", help="picture size (default: 640x360)")
    parser.add_argument("--fps", type=float, default=30, metavar="HZ", help="frames per second (default: 30)")
    parser.add_argument("--klv-rate", type=float, metavar="HZ", help="KLV packets per second (default: one per frame)")
    parser.add_argument("--codec", choices=("h264", "h265"), default="h264", help="video codec (default: h264)")
    parser.add_argument("--carriage", choices=("sync", "async"), default="sync",
                        help="sync: stream type 0x15, AU cells, PTS (default); async: 0x06, no PTS")  # fmt: skip
    parser.add_argument("--bit-rate", type=_bit_rate, metavar="BITS",
                        help="video bit rate in bit/s, such as 800k or 2.5M (default: 1M at 640x360)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, metavar="NUMBER",
                        help="seed of the random flight and landscape (default: 1)")  # fmt: skip
    parser.add_argument("--fault", choices=FAULTS, metavar="FAULT",
                        help=f"a fault in valid KLV, to try checks and alerts: {', '.join(FAULTS)}")  # fmt: skip
    parser.add_argument("--fault-at", type=float, metavar="S",
                        help="second from which on the fault is there (default: half of the duration)")  # fmt: skip
    option_groups.add_choice(parser, "PID of the KLV (default: 0x101)", "program number (default: 1)")
    option_groups.add_quiet(parser, "no progress bar and no summary")


def run(args: argparse.Namespace) -> int:
    """Create the recording. A signal stops it at the next frame, and no partial file remains."""
    from klvrelay.cli.stopping import watch_signals
    from klvrelay.cli.verbs.sample import make_sample
    from klvrelay.config.mistyped import file_name

    options = {
        key: getattr(args, key)
        for key in ("seconds", "size", "fps", "klv_rate", "codec", "carriage", "bit_rate", "seed", "fault", "fault_at")
    }
    if len(args.pid) > 1:
        raise ConfigError("--pid: give one PID; a sample has one KLV stream")
    if args.pid:
        options["klv_pid"] = args.pid[0]
    if args.program:
        options["program"] = args.program
    with watch_signals() as stopped:

        def check() -> None:
            if stopped():
                raise KeyboardInterrupt

        make_sample(file_name(args.out, "OUT.ts"), quiet=args.quiet, step=check, **options)
    return 0
