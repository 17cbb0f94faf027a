"""The file formats by name, and how to open a writer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import BinaryIO

from klvrelay.errors import ConfigError
from klvrelay.exports.contract import FileFormat, Writer, WriterOptions

ZSTD = ".zst"
"""Suffix of compressed files, after that of the format."""
OTHER_SUFFIXES = {".ndjson": "jsonl", ".jsonlines": "jsonl", ".json": "geojson", ".geoparquet": "geoparquet"}
"""Further suffixes from which the format follows."""


def _in(module: str, name: str) -> Callable[[BinaryIO, WriterOptions], Writer]:
    """The function `name` of a module of this package, imported when it is called."""

    def opening(file: BinaryIO, options: WriterOptions) -> Writer:
        writer: Writer = getattr(import_module(f"klvrelay.exports.{module}"), name)(file, options)
        return writer

    return opening


def _takes(*options: str) -> frozenset[str]:
    return frozenset(options)


_ALL = (
    FileFormat("jsonl", ".jsonl", "JSON Lines: every record as klvrelay publishes it",
               True, None, _in("packets", "JsonLinesWriter"), _takes("compress", "numbers")),
    FileFormat("csv", ".csv", "one row per record, one column per item, as decode --format csv",
               False, None, _in("csv_table", "CsvWriter"), _takes("compress", "items")),
    FileFormat("klv", ".klv", "the KLV packets, byte for byte",
               True, None, _in("packets", "KlvWriter"), _takes("compress")),
    FileFormat("geojson", ".geojson", "tracks and footprints for GIS (RFC 7946)",
               False, None, _in("geojson", "GeoJsonWriter"),
               _takes("compress", "footprint_every", "points", "elevation")),
    FileFormat("kml", ".kml", "tracks and footprints with time for Google Earth (OGC KML 2.2)",
               False, None, _in("kml", "KmlWriter"), _takes("compress", "footprint_every", "elevation")),
    FileFormat("gpx", ".gpx", "tracks with time and elevation (GPX 1.1)",
               False, None, _in("gpx", "GpxWriter"), _takes("compress", "elevation")),
    FileFormat("czml", ".czml", "moving aircraft and footprint for Cesium",
               False, None, _in("czml", "CzmlWriter"), _takes("compress", "footprint_every", "elevation")),
    FileFormat("esri-csv", ".csv", "CSV for the Video Multiplexer of ArcGIS Pro",
               True, None, _in("esri_csv", "EsriCsvWriter"), _takes("compress")),
    FileFormat("parquet", ".parquet", "typed columns for pandas, DuckDB, Spark",
               False, "parquet", _in("parquet", "open_parquet"), _takes("items")),
    FileFormat("geoparquet", ".parquet", "parquet with positions and footprints as geometry",
               False, "parquet", _in("parquet", "open_geoparquet"), _takes("items", "geoparquet_version", "elevation")),
    FileFormat("mcap", ".mcap", "positions, scene, video and records for Foxglove and Lichtblick",
               False, "mcap", _in("mcap_file", "McapWriter"),
               _takes("footprint_every", "numbers", "video", "elevation")),
)  # fmt: skip
FORMATS: Mapping[str, FileFormat] = MappingProxyType({form.name: form for form in _ALL})
"""All formats by name."""


def format_named(name: str) -> FileFormat:
    """The format of a name. Raises ConfigError with the valid names."""
    if name not in FORMATS:
        raise ConfigError(f"unknown format {name}; valid formats: {', '.join(FORMATS)}")
    return FORMATS[name]


def format_of(path: str) -> FileFormat | None:
    """The format that the suffix of a file name implies, with or without .zst; None if there is none."""
    name = path.lower().removesuffix(ZSTD)
    for suffix, other in OTHER_SUFFIXES.items():
        if name.endswith(suffix):
            return FORMATS[other]
    return next((form for form in _ALL if name.endswith(form.suffix)), None)


def open_writer(name: str, file: BinaryIO, options: WriterOptions) -> Writer:
    """A writer of this format to a file that is open for writing.

    Raises ConfigError for an unknown format, for compression of a format that compresses itself, for an unknown or
    unsuitable item, and for an extra that is not installed.
    """
    form = format_named(name)
    if options.compress == "none":
        return _opened(form, file, options)
    if form.compresses:
        raise ConfigError(f"{name} compresses by itself: leave out the compression, and .zst in the file name")
    from klvrelay.exports.zstd_file import CompressedWriter, ZstdFile, as_file

    compressed = ZstdFile(file)
    return CompressedWriter(_opened(form, as_file(compressed), options), compressed)


def _opened(form: FileFormat, file: BinaryIO, options: WriterOptions) -> Writer:
    try:
        return form.open(file, options)
    except ImportError as fault:
        if form.extra is None:
            raise
        raise ConfigError(f"{form.name} needs a package: pip install 'klvrelay[{form.extra}]'") from fault
