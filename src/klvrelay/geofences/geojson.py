"""Fences from GeoJSON (RFC 7946).

    file            {"type": "FeatureCollection", "features": [feature, ...]}, one feature, or one geometry
    feature         {"type": "Feature", "properties": {...} or null, "geometry": geometry}
    geometry        Polygon, MultiPolygon, Point or MultiPoint
    properties      name, min_altitude and max_altitude (metres), altitude_datum ("hae", "msl" or "agl"), or others
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import orjson

from klvrelay.config.small_file import read_small
from klvrelay.errors import ConfigError
from klvrelay.geo import undulation
from klvrelay.geofences.band import HIGHEST, LOWEST, AltitudeBand, Datum
from klvrelay.geofences.fence import Fence
from klvrelay.geofences.geometry import Geometry, GeometryReader, number, shown
from klvrelay.text import printable

MOST_BYTES = 4 << 20
MOST_FENCES = 1000
MOST_NAME = 100
"""Characters of a name."""

_DATUMS = get_args(Datum)
_WGS84 = ("CRS84", "EPSG:4326", "EPSG::4326")


def read_fences(path: str, key: str = "file") -> tuple[Fence, ...]:
    """The fences of a GeoJSON file of at most 4 MiB, 1,000 features and 100,000 positions.

    It reads the file, and loads tables: not for the event loop. Raises ConfigError that begins with `key` and names the
    feature and the ring.
    """
    text = read_small(path, key, MOST_BYTES).data
    undulation(0.0, 0.0)
    try:
        return parse_fences(text)
    except ConfigError as fault:
        raise ConfigError(f"{key}: {fault}") from None


def parse_fences(text: bytes) -> tuple[Fence, ...]:
    """The fences in a GeoJSON document, in its order. Raises ConfigError."""
    document = _json(text)
    _check_crs(document)
    features = list(_features(document))
    if not features:
        raise ConfigError("no feature: draw at least one Polygon or Point")
    if len(features) > MOST_FENCES:
        raise ConfigError(f"{len(features):,} features: expected at most {MOST_FENCES:,}; split the file")
    reader = GeometryReader()
    return _with_unique_names([_fence(feature, where, reader) for where, feature in features])


def _json(text: bytes) -> Mapping[str, Any]:
    try:
        document = orjson.loads(text.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as fault:
        raise ConfigError(f"not JSON: {printable(str(fault))}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"expected a GeoJSON object, not {shown(document)}")
    return document


def _check_crs(document: Mapping[str, Any]) -> None:
    """Files from before RFC 7946 may name a coordinate reference system."""
    crs = document.get("crs")
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not (isinstance(name, str) and name.endswith(_WGS84)):
        raise ConfigError(f"crs {shown(name)}: expected WGS 84 longitude and latitude; export the layer as EPSG:4326")


def _features(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each feature, and its place in the file."""
    kind = document.get("type")
    if kind == "Feature":
        yield "feature 1", document
    elif kind != "FeatureCollection":
        yield "feature 1", {"type": "Feature", "properties": None, "geometry": document}
    elif not isinstance(features := document.get("features"), list):
        raise ConfigError(f"features: expected a list, not {shown(features)}")
    else:
        for place, feature in enumerate(features, 1):
            if not isinstance(feature, dict) or feature.get("type") != "Feature":
                raise ConfigError(f'feature {place}: expected an object with "type": "Feature", not {shown(feature)}')
            yield f"feature {place}", feature


def _fence(feature: Mapping[str, Any], where: str, reader: GeometryReader) -> Fence:
    properties = feature.get("properties")
    if not isinstance(properties, dict | None):
        raise ConfigError(f"{where}: properties: expected an object, not {shown(properties)}")
    found: Geometry = reader.read(feature.get("geometry"), where)
    band = _band(properties or {}, where)
    if band is not None and not found.polygons:
        raise ConfigError(f"{where}: min_altitude and max_altitude are for polygons; remove them from the points")
    return Fence(_name(properties or {}, where), found.polygons, found.points, band)


def _name(properties: Mapping[str, Any], where: str) -> str:
    name = properties.get("name")
    if name is None or name == "":
        return where
    if type(name) is int or type(name) is float:
        return str(name)
    if not isinstance(name, str) or len(name) > MOST_NAME:
        raise ConfigError(f"{where}: name {shown(name)}: expected a text of at most {MOST_NAME} characters")
    return printable(name)


def _with_unique_names(fences: list[Fence]) -> tuple[Fence, ...]:
    """A name that several features have is followed by the number of the feature."""
    count = Counter(fence.name for fence in fences)
    return tuple(
        fence if count[fence.name] == 1 else Fence(f"{fence.name} ({n})", fence.polygons, fence.points, fence.band)
        for n, fence in enumerate(fences, 1)
    )


def _band(properties: Mapping[str, Any], where: str) -> AltitudeBand | None:
    low, high = (_altitude(properties, key, where) for key in ("min_altitude", "max_altitude"))
    datum = properties.get("altitude_datum")
    if datum is not None and datum not in _DATUMS:
        raise ConfigError(f'{where}: altitude_datum {shown(datum)}: expected "hae", "msl" or "agl"')
    if low is None and high is None:
        return None
    band = AltitudeBand(LOWEST if low is None else low, HIGHEST if high is None else high, datum or "hae")
    if band.low >= band.high:
        raise ConfigError(f"{where}: min_altitude {band.low:g} is not below max_altitude {band.high:g}; swap them")
    return band


def _altitude(properties: Mapping[str, Any], key: str, where: str) -> float | None:
    value = properties.get(key)
    if value is None:
        return None
    found = number(value)
    if found is None or not LOWEST <= found <= HIGHEST:
        raise ConfigError(f"{where}: {key} {shown(value)}: expected metres, a number from -1000 to 100000")
    return found


