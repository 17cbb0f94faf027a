"""Options and entry point of `klvrelay export`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from klvrelay.cli import option_groups
from klvrelay.errors import ConfigError
from klvrelay.exports.formats import FORMATS

ON_LOOP = False
EXAMPLES = (
    "klvrelay export flight.ts flight.geojson",
    "klvrelay export flight.ts --to kml flight.kml --footprint-every 5",
    "klvrelay export day/*.ts --to geoparquet out/ --jobs 4",
    "klvrelay export tapes/uav1 flight.jsonl.zst",
    "klvrelay export flight.ts flight.mcap --no-video",
    "klvrelay export mux.ts --pid 0x201 --every 1 --to gpx - > track.gpx",
)
OPTIONS = {
    "footprint_every": "--footprint-every", "points": "--points", "compress": "--compress", "items": "--items",
    "numbers": "--numbers", "video": "--no-video", "geoparquet_version": "--geoparquet-version",
    "elevation": "--elevation",
}  # fmt: skip
"""Options of the command line by field of `WriterOptions`."""


def _format_lines() -> Iterator[str]:
    yield "formats:"
    for form in FORMATS.values():
        needs = f" (needs klvrelay[{form.extra}])" if form.extra else ""
        yield f"  {form.name:12}{form.text}{needs}"


EPILOG = (
    "\n".join(_format_lines())
    + """
what is exported:
  FLIGHT is any recording that `decode` reads, or a folder of segments, which is one recording. Damaged records and
  those with a bad checksum are left out (--bad includes them). Formats with positions leave out records without one.
  The summary counts both.
  Longitude and latitude are WGS84. Heights are above the ellipsoid in geojson, czml, geoparquet and mcap, and above
  mean sea level in kml and gpx; one follows from the other by EGM96. A frame centre or a footprint that the aircraft
  does not report is derived from its position, its attitude and the field of view, on level ground or with the
  heights of --elevation.
where it goes:
  OUT is a file for one flight with one stream of KLV. If there are several flights, or several streams (PIDs), OUT is a
  folder: give an existing one, or end its name with /. Each stream becomes a file with the name of the stream.
  A file has its name only when it is complete. A flight that cannot be read is reported, and the others are exported;
  the exit code is then that of the first error.
memory:
  For each flight exported at the same time about 60 MiB, 100 MiB with video in mcap, or 200 MiB with parquet and
  geoparquet, whatever its length.
  What a format needs at its end waits in a temporary file in the folder of OUT.
"""
)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text}: give seconds from 0 to 86400")
    return seconds


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text}: give a number from 1 to 256")
    return int(text)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [options] FLIGHT [FLIGHT ...] [--to FORMAT] OUT"
    parser.add_argument("paths", nargs="*", metavar="FLIGHT OUT",
                        help="recordings, or - for standard input; then the file or folder to write, or - for"
                             " standard output")  # fmt: skip
    parser.add_argument("--to", metavar="FORMAT", help="format of the files (default: by the suffix of OUT)")
    option_groups.add_choice(parser)
    parser.add_argument("--every", type=_seconds, default=0.0, metavar="SECONDS",
                        help="at most one record per interval, by its time stamp (default: every record)")  # fmt: skip
    parser.add_argument("--bad", action="store_true", help="include damaged records and those with a bad checksum")
    parser.add_argument("--footprint-every", type=_seconds, metavar="SECONDS",
                        help="geojson, kml, czml, mcap: interval of footprints; 0: every record"
                             " (default: 1)")  # fmt: skip
    parser.add_argument("--elevation", metavar="DIR",
                        help="a folder of SRTM tiles such as N56E009.hgt: heights of the ground for what is derived"
                             " (default: level ground)")  # fmt: skip
    parser.add_argument("--points", action="store_true", default=None,
                        help="geojson: also a point for each record, with its items")  # fmt: skip
    parser.add_argument("--items", action="append", metavar="KEY[,KEY...]",
                        help="csv, parquet, geoparquet: only these items as columns; repeatable")  # fmt: skip
    parser.add_argument("--geoparquet-version", choices=("1.1", "2.0"),
                        help="geoparquet: 2.0 also declares the geometry as a type of Parquet"
                             " (default: 1.1)")  # fmt: skip
    option_groups.add_numbers(parser, None)
    parser.add_argument("--no-video", dest="video", action="store_const", const=False,
                        help="mcap: without the video of the recording")  # fmt: skip
    parser.add_argument("--compress", choices=("none", "zstd"),
                        help="compress text formats and klv (default: zstd if OUT ends with .zst)")  # fmt: skip
    parser.add_argument("--jobs", type=_jobs, metavar="N",
                        help="flights exported at the same time (default: the number of cores)")  # fmt: skip
    parser.add_argument("--force", action="store_true", help="replace existing files")
    option_groups.add_limit(parser)
    option_groups.add_quiet(parser, "no progress bar and no summary")


def run(args: argparse.Namespace) -> int:
    """Export the flights. A signal stops it, and no partial file remains."""
    from klvrelay.cli.verbs.export import export_flights
    from klvrelay.cli.verbs.export_settings import ExportSettings, flights_of, format_for, target_of
    from klvrelay.exports.formats import ZSTD
    from klvrelay.geo import ElevationTiles

    if len(args.paths) < 2:
        raise ConfigError("missing OUT: give the recordings, and then the file or folder to write")
    *flights, out = args.paths
    form = format_for(args.to, out)
    chosen = _writer_options(args, form.name, form.takes)
    if out.lower().endswith(ZSTD):
        chosen.setdefault("compress", "zstd")
    settings = ExportSettings(
        form.name, chosen, every=args.every, bad=args.bad, force=args.force, pids=tuple(args.pid),
        program=args.program, **option_groups.limit_options(args),
    )  # fmt: skip
    if args.elevation is not None:
        ElevationTiles(args.elevation)  # a wrong folder is reported before anything is read
    urls = flights_of(flights)
    return export_flights(urls, target_of(out, urls, form.suffix), settings, jobs=args.jobs, quiet=args.quiet)


def _writer_options(args: argparse.Namespace, name: str, takes: frozenset[str]) -> dict[str, Any]:
    """The fields of `WriterOptions` that were given. Raises ConfigError for one without effect in this format."""
    given = {field: getattr(args, field) for field in OPTIONS if getattr(args, field) is not None}
    for field in given:
        if field not in takes:
            valid = ", ".join(form.name for form in FORMATS.values() if field in form.takes)
            raise ConfigError(f"{OPTIONS[field]} has no effect with {name}; it applies to {valid}")
    if "items" in given:
        given["items"] = tuple(key.strip() for text in given["items"] for key in text.split(",") if key.strip())
    return given
