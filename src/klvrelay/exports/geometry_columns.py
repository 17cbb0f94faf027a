"""The geometry columns of GeoParquet, and their metadata.

    geometry       where the sensor is
    frame_center   where it looks
    footprint      the picture on the ground
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from klvrelay.exports import wkb
from klvrelay.exports.contract import GeoParquetVersion
from klvrelay.exports.positions import Sighting
from klvrelay.json_output import dumps

NAMES = ("geometry", "frame_center", "footprint")


class WkbType(pa.ExtensionType):  # type: ignore[misc]
    """Makes pyarrow write the logical type GEOMETRY of Parquet, with CRS84 by default. Readers need not know it."""

    def __init__(self) -> None:
        super().__init__(pa.binary(), "geoarrow.wkb")

    def __arrow_ext_serialize__(self) -> bytes:
        return b"{}"

    @classmethod
    def __arrow_ext_deserialize__(cls, _: pa.DataType, __: bytes) -> WkbType:
        return cls()


class GeometryColumns:
    """Makes the columns, and notes their geometry types for the metadata."""

    def __init__(self, version: GeoParquetVersion) -> None:
        self._version = version
        self._type = WkbType() if version == "2.0" else pa.binary()
        self._kinds: dict[str, set[str]] = {name: set() for name in NAMES}

    @property
    def fields(self) -> list[pa.Field]:
        return [pa.field(name, self._type) for name in NAMES]

    def batch(self, places: Sequence[Sighting]) -> list[pa.Array]:
        """The columns of these records."""
        centers = (place.frame_center for place in places)
        values: tuple[list[bytes | None], ...] = (
            [wkb.point(place.platform) for place in places],
            [None if center is None else wkb.point(center) for center in centers],
            [None if place.footprint is None else wkb.footprint(place.footprint) for place in places],
        )
        return [self._column(name, column) for name, column in zip(NAMES, values, strict=True)]

    def _column(self, name: str, values: list[bytes | None]) -> pa.Array:
        self._kinds[name] |= {wkb.kind_of(value) for value in values if value is not None}
        stored = pa.array(values, pa.binary())
        return pa.ExtensionArray.from_storage(self._type, stored) if self._version == "2.0" else stored

    def metadata(self) -> bytes:
        """`geo` of the file metadata (GeoParquet 1.1). Without `crs` the coordinates are those of OGC:CRS84."""
        columns = {name: {"encoding": "WKB", "geometry_types": sorted(kinds)} for name, kinds in self._kinds.items()}
        return dumps({"version": f"{self._version}.0", "primary_column": NAMES[0], "columns": columns})
