"""Exports as tables, read by pyarrow, geopandas and csv."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from cases import each_case
from exported import DEGREES, Tape, export, flight, skipped_by
from records import damaged, record, spoilt
from tapes import recording

import klvrelay
from klvrelay.core.columns import is_numeric
from klvrelay.errors import ConfigError
from klvrelay.exports import parquet
from klvrelay.exports.contract import WriterOptions
from klvrelay.exports.esri_csv import ESSENTIAL
from klvrelay.exports.formats import FORMATS, format_of, open_writer
from klvrelay.standards.spec import SETS

__all__ = ["recording"]


def table(data: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(data))


def test_parquet_has_the_values_of_klvrelay_columns(recording: Tape):
    """Every number of every record; absent values are null."""
    found = table(export("parquet", recording.records))
    keys = [field.name for field in found.schema if pa.types.is_floating(field.type)]
    wanted = klvrelay.columns(b"".join(r.raw for r in recording.records), keys)
    assert len(keys) > 70
    for key in keys:
        values = [math.nan if value is None else value for value in found[key].to_pylist()]
        assert values == pytest.approx(wanted[key].tolist(), nan_ok=True), key


def test_parquet_has_time_and_identity(recording: Tape):
    """Times are UTC in microseconds; texts are those of the items."""
    found = table(export("parquet", recording.records))
    assert found.schema.field("time").type == pa.timestamp("us", "UTC")
    assert found["time"].cast(pa.int64()).to_pylist() == [r.clock_us for r in recording.records]
    assert found["seq"].to_pylist() == [r.seq for r in recording.records]
    names = [items.get("platform_designation") for items in recording.items]
    assert found["platform_designation"].to_pylist() == names


def test_parquet_columns_do_not_depend_on_the_records():
    """So that files of different aircraft can be read as one data set."""
    one, two = (export("parquet", flight([(9.0, 56.0)], mission_id=text)) for text in ("a", "b"))
    empty = pq.read_schema(io.BytesIO(export("parquet", [])))
    assert pq.read_schema(io.BytesIO(one)).equals(empty, check_metadata=True)
    assert pa.concat_tables([table(one), table(two)])["mission_id"].to_pylist() == ["a", "b"]


def test_parquet_fields_say_their_unit():
    """And their name in the standard, their tag, and the labels of codes."""
    schema = pq.read_schema(io.BytesIO(export("parquet", [])))
    latitude = schema.field("sensor_latitude").metadata
    assert (latitude[b"unit"], latitude[b"name"], latitude[b"tag"]) == (b"deg", b"Sensor Latitude", b"13")
    assert json.loads(schema.field("platform_status").metadata[b"codes"])["9"] == "Egress"
    numbers = {item.key for item in SETS["ST0601"].values() if is_numeric(item.tag)} - {"checksum"}
    assert numbers <= set(schema.names)


def test_parquet_has_selected_items_only():
    """Sets and lists as JSON, if they are selected."""
    records = flight([(9.0, 56.0)], security_local_set={"security_classification": "Unclassified"})
    found = table(export("parquet", records, items=("sensor_latitude", "security_local_set")))
    assert found.schema.names[10:] == ["sensor_latitude", "security_local_set"]
    assert json.loads(found["security_local_set"][0].as_py()) == {"security_classification": "Unclassified"}


@pytest.mark.parametrize("name", ["parquet", "geoparquet", "csv"])
def test_an_unknown_item_is_refused(name: str):
    """With its name."""
    with pytest.raises(ConfigError, match="sensor_lattitude"):
        export(name, [], items=("sensor_lattitude",))


def test_parquet_row_groups_are_bounded(monkeypatch: pytest.MonkeyPatch):
    """Memory does not grow with the flight."""
    monkeypatch.setattr(parquet, "BATCH", 10)
    monkeypatch.setattr(parquet, "ROWS", 20)
    data = export("parquet", flight([(9.0, 56.0)] * 95))
    metadata = pq.ParquetFile(io.BytesIO(data)).metadata
    sizes = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert sizes == [20, 20, 20, 20, 15]


def test_parquet_keeps_the_order_of_rows_with_damaged_records():
    """An incomplete packet has no numbers, and takes none of the next; the rows around it keep theirs."""
    good, other = flight([(9.0, 56.0), (10.0, 57.0)])
    for missing in range(1, len(good.raw) - 17):
        cut = good._replace(raw=good.raw[:-missing], transport="damaged", checksum="bad", seq=7)
        found = table(export("parquet", [good, cut, other]))
        assert found["seq"].to_pylist() == [0, 7, 1]
        longitudes = found["sensor_longitude"].to_pylist()
        assert longitudes == [pytest.approx(9, abs=1e-6), None, pytest.approx(10, abs=1e-6)]
    assert found["transport"].to_pylist() == ["ok", "damaged", "ok"]
    assert table(export("parquet", [spoilt(0), damaged(1)]))["checksum"].to_pylist() == ["bad", "ok"]


def test_parquet_skips_other_sets():
    """They have none of its columns."""
    assert skipped_by("parquet", [record(0), record(1, set="ST0903")]) == 1


def test_geoparquet_is_read_as_geometry(recording: Tape):
    """By geopandas: positions of the JSON with height, frame centres, footprints."""
    import geopandas  # takes 0.4 s: only in the process that runs this test

    layer = geopandas.read_parquet(io.BytesIO(export("geoparquet", recording.records)))
    assert layer.crs == "OGC:CRS84"
    for column, places in (("geometry", recording.platforms), ("frame_center", recording.centers)):
        shapes = layer[column]
        assert [shape.x for shape in shapes] == pytest.approx([lon for lon, _ in places], abs=DEGREES)
        assert [shape.y for shape in shapes] == pytest.approx([lat for _, lat in places], abs=DEGREES)
    assert [shape.z for shape in layer.geometry] == pytest.approx(recording.heights)
    assert all(shape.is_valid and shape.exterior.is_ccw for shape in layer["footprint"])


@each_case("version", ["1.1", "2.0"])
def test_geoparquet_metadata_names_the_geometries(version: str):
    """Version, primary column, encoding and types; 2.0 also has the logical type of Parquet."""
    data = export("geoparquet", flight([(9.0, 56.0)]), geoparquet_version=version)
    file = pq.ParquetFile(io.BytesIO(data))
    described = json.loads(file.metadata.metadata[b"geo"])
    assert (described["version"], described["primary_column"]) == (f"{version}.0", "geometry")
    assert described["columns"]["geometry"] == {"encoding": "WKB", "geometry_types": ["Point"]}
    assert ("Geometry" in str(file.schema)) == (version == "2.0")
    assert shapely.from_wkb(table(data)["geometry"][0].as_py()).x == pytest.approx(9, abs=1e-6)


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))


def test_csv_is_that_of_decode(recording: Tape):
    """A row per record, with the values of its JSON."""
    found = rows(export("csv", recording.records))
    assert [(float(row["sensor_longitude"]), float(row["sensor_latitude"])) for row in found] == recording.platforms


def test_csv_contains_no_formula():
    """Text of the aircraft is not run by a spreadsheet."""
    (row,) = rows(export("csv", flight([(9.0, 56.0)], mission_id="=1+1")))
    assert row["mission_id"] == "'=1+1"


def test_csv_has_selected_items_only():
    """After the columns of every record."""
    (row,) = rows(export("csv", flight([(9.0, 56.0)], mission_id="a"), items=("mission_id",)))
    assert list(row)[-1] == "mission_id"
    assert "sensor_latitude" not in row


def test_esri_csv_has_the_names_of_the_standard(recording: Tape):
    """The thirteen columns that the multiplexer needs, the time in microseconds, and the values of the JSON."""
    found = rows(export("esri-csv", recording.records))
    assert list(found[0])[: len(ESSENTIAL)] == [
        "Precision Time Stamp", "Sensor Latitude", "Sensor Longitude", "Sensor Ellipsoid Height Extended",
        "Sensor True Altitude", "Platform Heading Angle", "Platform Pitch Angle", "Platform Roll Angle",
        "Sensor Relative Roll Angle", "Sensor Relative Elevation Angle", "Sensor Relative Azimuth Angle",
        "Sensor Horizontal Field of View", "Sensor Vertical Field of View",
    ]  # fmt: skip
    assert [int(row["Precision Time Stamp"]) for row in found] == [r.clock_us for r in recording.records]
    assert [(float(row["Sensor Longitude"]), float(row["Sensor Latitude"])) for row in found] == recording.platforms


def test_json_lines_and_klv_are_the_records(recording: Tape):
    """Byte for byte."""
    assert export("jsonl", recording.records) == b"".join(r.json() + b"\n" for r in recording.records)
    packets = export("klv", recording.records)
    assert packets == b"".join(r.raw for r in recording.records)
    assert [r.raw for r in klvrelay.decode(packets)] == [r.raw for r in recording.records]


def test_an_unknown_format_is_refused_with_the_valid_ones():
    """A typing error."""
    with pytest.raises(ConfigError, match=r"unknown format geojsn; valid formats: jsonl, .*geojson"):
        export("geojsn", [])


@each_case(("path", "name"), [
    ("a.geojson", "geojson"), ("a.JSONL", "jsonl"), ("a.jsonl.zst", "jsonl"), ("a.csv", "csv"), ("b/a.kml", "kml"),
    ("a.parquet", "parquet"), ("a.geoparquet", "geoparquet"), ("a.ndjson", "jsonl"), ("a.ts", None), ("a", None),
])  # fmt: skip
def test_a_suffix_implies_a_format(path: str, name: str | None):
    """With or without .zst."""
    found = format_of(path)
    assert (found and found.name) == name


@pytest.mark.parametrize("name", ["parquet", "mcap"])
def test_a_missing_package_is_named_with_its_extra(name: str, monkeypatch: pytest.MonkeyPatch):
    """The command that installs it."""
    import sys

    for module in [name for name in sys.modules if name.startswith(("pyarrow", "mcap", "klvrelay.exports."))]:
        if module.split(".")[-1] not in ("formats", "contract"):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, {"parquet": "pyarrow", "mcap": "mcap"}[name], None)
    with pytest.raises(ConfigError, match=rf"{name} needs a package: pip install 'klvrelay\[{name}\]'"):
        export(name, [])


@pytest.mark.parametrize("form", [form for form in FORMATS.values() if form.is_appendable], ids=lambda form: form.name)
def test_an_appendable_file_is_valid_after_any_record(form: Any):
    """Without `finish`: what was written so far can be read."""
    records = flight([(9.0, 56.0), (9.1, 56.1), (9.2, 56.2)])
    whole = export(form.name, records)
    for count in range(4):
        file = io.BytesIO()
        writer = open_writer(form.name, file, WriterOptions())
        for one in records[:count]:
            writer.write(one)
        assert whole.startswith(file.getvalue())
        assert export(form.name, records[:count]) == file.getvalue()


def test_a_compressed_file_can_be_read_without_its_end(monkeypatch: pytest.MonkeyPatch):
    """Frames hold whole records."""
    from klvrelay.exports import zstd_file
    from klvrelay.shape.encoding.compression import zstd_module

    monkeypatch.setattr(zstd_file, "FRAME", 2000)
    records = flight([(9.0, 56.0)] * 20)
    data = export("jsonl", records, compress="zstd")
    assert zstd_module().decompress(data) == export("jsonl", records)
    second = data.index(b"\x28\xb5\x2f\xfd", 1)
    assert zstd_module().decompress(data[:second]).endswith(b"\n")
    with pytest.raises(ConfigError, match="parquet compresses by itself"):
        export("parquet", [], compress="zstd")


@pytest.mark.parametrize("name", FORMATS)
def test_an_abandoned_file_gets_no_footer(name: str):
    """Nothing is written to it later, even when its writer is deleted; so it does not look complete."""
    file = io.BytesIO()
    writer = open_writer(name, file, WriterOptions())
    for one in flight([(9.0, 56.0), (9.1, 56.1)]):
        writer.write(one)
    size = len(file.getvalue())
    writer.abandon()
    writer.abandon()
    del writer
    assert len(file.getvalue()) == size
