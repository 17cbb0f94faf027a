"""Options and entry point of `klvrelay import`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from klvrelay.cli import option_groups
from klvrelay.errors import ConfigError

if TYPE_CHECKING:
    from klvrelay.importing.derive import ImportSetup
    from klvrelay.importing.request import ImportRequest

ON_LOOP = False
EXAMPLES = (
    "klvrelay import DJI_0042.SRT --video DJI_0042.MP4 flight.ts",
    "klvrelay import DJI_0042.SRT --video DJI_0042.MP4 flight.ts --utc-offset +02:00 --dry-run",
    "klvrelay import log.csv --video cam.mp4 flight.ts --map time=t:ms,altitude=height:ft,pitch=tilt:rad",
    "klvrelay import log.csv --video cam.mp4 flight.ts --map mapping.toml --start 2026-06-01T09:30:00Z",
    "klvrelay import log.csv flight.klv --rate 10 --mission M-17 --classification Unclassified --country DNK",
)
EPILOG = """\
telemetry:
  DJI subtitles (.srt) are read as they are. In a table (CSV; also with semicolons, tabs, bars or a decimal comma) the
  headings are recognised if they name items of ST 0601, as in the CSV of `klvrelay decode` and in the tables of ArcGIS.
  Otherwise map columns: --map ITEM=COLUMN[:UNIT],... or --map FILE.toml. `klvrelay items WORD` finds items.
  Units: deg rad mrad mil degE7, m ft km mi nmi, m/s km/h kn mph, s ms us ns iso (time), degC degF K, mbar hPa inHg, ...
  gimbal_yaw, gimbal_pitch, gimbal_roll (from true north and the horizon), focal_length_35mm and height_above_takeoff
  are no items; items are derived from them.
video:
  H.264 and H.265 are copied as they are, never encoded again; other streams are left out. KLV is synchronous (stream
  type 0x15), with a packet for each frame.
begin with --dry-run: it shows the first records, what they rest on, and what is missing.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("telemetry", metavar="TELEMETRY", help="DJI subtitles (.srt), or a table (.csv)")
    parser.add_argument("out", metavar="OUT.ts", help="file to write; .klv for packets without a video")
    parser.add_argument("--video", metavar="VIDEO", help="mp4, mov, mkv or ts with H.264 or H.265")
    parser.add_argument("--dry-run", action="store_true",
                        help="write nothing; show the first records and what is missing")  # fmt: skip
    parser.add_argument("--force", action="store_true", help="overwrite OUT.ts if it exists")
    _add_times(parser)
    _add_values(parser)
    _add_geometry(parser)
    option_groups.add_choice(parser, "PID of the KLV (default: 0x101)", "program number (default: 1)")
    option_groups.add_quiet(parser, "no progress bar and no summary")


def _add_times(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--start", metavar="TIME",
                        help="time of the first frame: ISO 8601, UTC unless it says otherwise, or seconds since 1970"
                             " (default: by the telemetry, or the video)")  # fmt: skip
    parser.add_argument("--utc-offset", metavar="+HH:MM",
                        help="offset from UTC of local times in the telemetry (default: by the video's creation"
                             " time)")  # fmt: skip
    parser.add_argument("--shift", type=float, default=0.0, metavar="S",
                        help="seconds to add to the times of the telemetry (default: 0)")  # fmt: skip
    parser.add_argument("--rate", type=float, metavar="HZ", help="packets per second (default: one for each frame)")
    parser.add_argument("--max-age", type=float, default=5.0, metavar="S",
                        help="seconds for which a value holds until the next one (default: 5)")  # fmt: skip
    parser.add_argument("--interpolate", action="store_true",
                        help="interpolate numbers between two rows, angles the short way (default: the newest"
                             " value)")  # fmt: skip
    parser.add_argument("--no-frame-times", action="store_true",
                        help="do not insert time stamps into the video frames (ST 0604)")  # fmt: skip


def _add_values(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--map", action="append", default=[], metavar="MAP",
                        help="ITEM=COLUMN[:UNIT],... or a .toml file; time=COLUMN[:UNIT] is the time;"
                             " repeatable")  # fmt: skip
    parser.add_argument("--set", action="append", default=[], metavar="ITEM=VALUE",
                        help="value of an item in every packet; repeatable")  # fmt: skip
    parser.add_argument("--mission", metavar="TEXT", help="Mission ID (item 3)")
    parser.add_argument("--platform", metavar="TEXT", help="Platform Designation (item 10)")
    parser.add_argument("--sensor", metavar="TEXT", help="Image Source Sensor (item 11), such as EO or IR")
    parser.add_argument("--classification", metavar="LABEL",
                        help="security classification (ST 0102), such as Unclassified; needs --country")  # fmt: skip
    parser.add_argument("--country", metavar="CODE", help="three-letter code of the classifying country, such as DNK")


def _add_geometry(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--takeoff-altitude", type=float, metavar="M",
                        help="altitude of the take-off in metres: altitudes are this plus the height above"
                             " take-off")  # fmt: skip
    parser.add_argument("--altitude-reference", choices=("msl", "hae"), default="msl",
                        help="altitudes are above mean sea level (default) or the ellipsoid")  # fmt: skip
    parser.add_argument("--ground", type=float, metavar="M",
                        help="altitude of the ground in sight, taken as level (default: the take-off's)")  # fmt: skip
    parser.add_argument("--sensor-width", type=float, metavar="MM",
                        help="width of the image sensor, if focal lengths are not 35 mm equivalent")  # fmt: skip
    parser.add_argument("--gps-order", choices=("lonlat", "latlon"),
                        help="order of the numbers in GPS(...) of DJI subtitles (default: by their form)")  # fmt: skip
    parser.add_argument("--measured-only", action="store_true",
                        help="write no item that rests on an assumption, such as a level platform")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Import. A signal stops it at the next frame, and no partial file remains."""
    from klvrelay.cli.stopping import watch_signals
    from klvrelay.cli.verbs import import_telemetry

    request = _request(args)
    _load(with_bar=sys.stderr.isatty())
    with watch_signals(interrupts=True):
        if args.dry_run:
            import_telemetry.show_plan(request)
        else:
            import_telemetry.import_telemetry(request, quiet=args.quiet)
    return 0


def _load(*, with_bar: bool) -> None:
    """Load what is loaded on first use, before a signal can interrupt it."""
    from importlib import import_module

    bar = ("rich.console", "rich.progress") if with_bar else ()
    for name in ("av", "av.bitstream", "klvrelay.decoder", "klvrelay.encode.document", "klvrelay.encode.packet", *bar):
        import_module(name)


def _request(args: argparse.Namespace) -> ImportRequest:
    from pathlib import Path

    from klvrelay.config.mistyped import file_name
    from klvrelay.importing import request
    from klvrelay.importing.mapping import wishes_of
    from klvrelay.importing.times import start_time, utc_offset

    if len(args.pid) > 1:
        raise ConfigError("--pid: give one PID; the output has one KLV stream")
    named = {"mission_id": args.mission, "platform_designation": args.platform, "image_source_sensor": args.sensor}
    shift = request.number_option("--shift", args.shift, -1e7, 1e7, "seconds")
    return request.ImportRequest(
        telemetry=Path(file_name(args.telemetry, "TELEMETRY")),
        video=None if args.video is None else Path(file_name(args.video, "--video")),
        target=None if args.dry_run else Path(file_name(args.out, "OUT.ts")),
        wishes=wishes_of(args.map),
        constants=request.constants_of(args.set, named) | request.security_of(args.classification, args.country),
        start_us=None if args.start is None else start_time(args.start),
        offset_us=None if args.utc_offset is None else utc_offset(args.utc_offset),
        shift_us=round((shift or 0) * 1e6),
        rate=args.rate,
        max_age=args.max_age,
        interpolate=args.interpolate,
        stamp=not args.no_frame_times,
        gps_order=args.gps_order,
        setup=_setup(args),
        force=args.force,
        **({"klv_pid": args.pid[0]} if args.pid else {}),
        **({"program": args.program} if args.program else {}),
    )


def _setup(args: argparse.Namespace) -> ImportSetup:
    from klvrelay.importing.derive import ImportSetup
    from klvrelay.importing.request import number_option

    return ImportSetup(
        sensor_width=number_option("--sensor-width", args.sensor_width, 0.5, 200, "millimetres"),
        takeoff_altitude=number_option("--takeoff-altitude", args.takeoff_altitude, -900, 19000, "metres"),
        ground=number_option("--ground", args.ground, -900, 19000, "metres"),
        reference=args.altitude_reference,
        measured_only=args.measured_only,
    )
