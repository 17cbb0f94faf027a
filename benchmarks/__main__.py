"""The command: which benchmarks to run, how long, one after the other."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys

from benchmarks.show import CONSOLE
from benchmarks.skip import Skip

NAMES = {
    "decode": "one packet in memory to JSON, dict and columns, beside klvdata and tstrans",
    "limits": "packets of 64 KiB that are made to be expensive, and hostile streams",
    "demux": "a TS file in the page cache to JSON Lines, beside plain reading, PyAV and tstrans",
    "joining": "a live stream joined in the midst of it, to its first record, beside PyAV",
    "latency": "16 live streams through klvrelay and mosquitto to a subscriber",
    "pacing": "how evenly `klvrelay send` sends",
    "probe": "hostile streams, beside a normal recording of the same size",
    "streams": "how many live streams one core carries",
    "versions": "this install beside another one in the same run (--other)",
}


def main() -> int:
    args = _arguments()
    CONSOLE.print(f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}", highlight=False)
    CONSOLE.print("Ratios of one run count; times differ from machine to machine and with what else runs on it.")
    for name in args.names or NAMES:
        CONSOLE.rule(f"[bold]{name}[/]: {NAMES[name]}", align="left")
        try:
            importlib.import_module(f"benchmarks.{name}").run(quick=args.quick, **_options(name, args))
        except Skip as why:
            CONSOLE.print(f"[yellow]skipped[/]: {why}")
    return 0


def _options(name: str, args: argparse.Namespace) -> dict[str, object]:
    """What only that benchmark is asked with."""
    return {"other": args.other, "file_mb": args.file_mb} if name == "versions" else {}


def _arguments() -> argparse.Namespace:
    listed = "\n".join(f"  {name:10}{text}" for name, text in NAMES.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure klvrelay and its peers.", epilog=f"benchmarks:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to run (all)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: a look, not a measurement")
    parser.add_argument("--other", metavar="PYTHON", help="versions: the interpreter of another checkout's .venv")
    parser.add_argument("--file-mb", type=int, default=200, metavar="MB", help="versions: the large TS file (200)")
    args = parser.parse_args()
    if unknown := set(args.names) - set(NAMES):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return args


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
