"""The command: runs benchmarks one after another."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys

from benchmarks.show import CONSOLE
from benchmarks.skip import Skip

NAMES = {
    "decode": "one packet in memory to JSON, dict and columns, compared with klvdata and tstrans",
    "limits": "packets of 64 KiB that are expensive to decode, and hostile streams",
    "demux": "a TS file in the page cache to JSON Lines, compared with plain reading, PyAV and tstrans",
    "joining": "time from joining a live stream to its first record, compared with PyAV",
    "lead": "cost of the lead time of a record, from arrival to confirmation",
    "latency": "16 live streams through klvrelay and mosquitto to a subscriber",
    "pacing": "how evenly `klvrelay send` sends",
    "probe": "cost of hostile streams, compared with a normal recording of the same size",
    "geo": "cost of deriving positions, and their accuracy against generated flights and recordings",
    "geofences": "cost of comparing positions with polygons, by their corners and number",
    "scrape": "cost of a scrape of the metrics and of calls of the API, compared with prometheus-client",
    "spool": "cost of a record through the spool on disk, and opening one with a million that wait",
    "health": "cost of health, lead times, incidents, alerts and metrics with 100 streams",
    "exports": "bytes and CPU time of a record in each file format of `klvrelay export`",
    "outputs": "bytes and CPU time of a record in each format, thinned and as it is",
    "publish": "CPU time of publishing a record through the MQTT sink to mosquitto",
    "sinks": "CPU time and bytes of a record for each kind of sink",
    "streams": "number of live streams that one core can relay",
    "versions": "this install compared with another one in the same run (--other)",
}


def main() -> int:
    args = _arguments()
    CONSOLE.print(f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}", highlight=False)
    CONSOLE.print("Compare ratios within one run: times depend on the machine and its load.")
    for name in args.names or NAMES:
        CONSOLE.rule(f"[bold]{name}[/]: {NAMES[name]}", align="left")
        try:
            importlib.import_module(f"benchmarks.{name}").run(quick=args.quick, **_options(name, args))
        except Skip as why:
            CONSOLE.print(f"[yellow]skipped[/]: {why}")
    return 0


def _options(name: str, args: argparse.Namespace) -> dict[str, object]:
    """Options of this benchmark only."""
    if name == "versions":
        return {"other": args.other, "file_mb": args.file_mb}
    return {"other": args.other} if name == "publish" else {}


def _arguments() -> argparse.Namespace:
    names = "\n".join(f"  {name:10}{text}" for name, text in NAMES.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure klvrelay and comparable libraries.",
        epilog=f"benchmarks:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, for a rough result")
    parser.add_argument("--other", metavar="PYTHON", help="versions, publish: interpreter of another checkout's .venv")
    parser.add_argument("--file-mb", type=int, default=200, metavar="MB",
                        help="versions: size of the large TS file (default: 200)")  # fmt: skip
    args = parser.parse_args()
    if unknown := set(args.names) - set(NAMES):
        valid = ", ".join(NAMES)
        parser.error(f"unknown benchmark {', '.join(sorted(unknown))}; valid benchmarks: {valid}")
    return args


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
