"""Positions of the platform, the picture and its targets on the earth: reported by the aircraft, or derived.

    from klvrelay import geo

    situation = geo.derive(record.items)          # platform, view, frame centre, footprint
    situation.footprint.corners                   # four (latitude, longitude)
    situation.footprint.source, .method           # "reported" or "derived", and how

    history = geo.TrackHistory()                  # one for all streams
    track = history.follow(record.stream, record.items, record.clock_us, situation.platform)

    picture = geo.PictureGround(situation)        # positions in the picture, 0 to 1, and on the ground
    picture.to_ground(0.5, 0.5); picture.to_picture(lat, lon)
    geo.targets(record.items, situation)          # where VMTI targets are
    geo.derive(record.items, geo.read_hgt("N56E009.hgt"))    # with the heights of SRTM
    geo.document(situation, track)                # plain values for JSON

All functions are pure, and bounded for any items; angles are degrees, lengths metres. Special and invalid values give
None. Every position and value names its source and method.

    situation.py      `derive`: all of a record in one call
    quantity.py       numbers with their source and method; reading items
    positions.py      platform, reported frame centre and target, their heights
    viewing.py        orientation and fields of view of the sensor
    frame_centre.py   the frame centre on the line of sight
    corners.py        the corners of the picture on the ground
    track.py          course, speed and climb
    json_values.py    the same as plain JSON values
    picture.py        pixels to the ground and back
    vmti_targets.py   VMTI targets
    attitude.py       rotations of ST 0601
    camera.py         a pinhole camera
    corner_map.py     the map of four corners
    ground.py         level ground, and what a ray meets
    elevation.py      grids of heights
    march.py          the way of a ray over heights
    hgt.py            files of SRTM
    tiles.py          folders of them
    geoid.py          EGM96: MSL and HAE
    wgs84.py          geodetic, ECEF and local coordinates
    geodesic.py       distance, bearing and destination
"""

from klvrelay.geo.attitude import Orientation, orientation, relative, rotation, sensor_axes
from klvrelay.geo.camera import PinholeCamera, camera_at, pixel_number, pixel_position
from klvrelay.geo.corner_map import Homography, homography
from klvrelay.geo.corners import IMAGE_CORNERS, Footprint, footprint
from klvrelay.geo.elevation import ElevationGrid
from klvrelay.geo.frame_centre import derived_centre
from klvrelay.geo.geodesic import Geodesic, between, destination
from klvrelay.geo.geoid import hae_to_msl, msl_to_hae, undulation
from klvrelay.geo.ground import FlatGround, GroundHit, GroundModel, NoGround
from klvrelay.geo.hgt import read_hgt
from klvrelay.geo.json_values import document, point_document
from klvrelay.geo.picture import PictureGround
from klvrelay.geo.positions import LocatedPoint, platform_position, reported_centre, target_location
from klvrelay.geo.quantity import Items, LatLon, Quantity, Source
from klvrelay.geo.situation import Situation, derive
from klvrelay.geo.tiles import ElevationTiles
from klvrelay.geo.track import PlatformTrack, TrackHistory, reported_track
from klvrelay.geo.viewing import SensorView, sensor_view
from klvrelay.geo.vmti_targets import TargetPosition, targets
from klvrelay.geo.wgs84 import (
    GeoPoint,
    from_ecef,
    from_enu,
    from_ned,
    north_east_down,
    to_ecef,
    to_enu,
    to_ned,
)

__all__ = [
    "IMAGE_CORNERS",
    "ElevationGrid",
    "ElevationTiles",
    "FlatGround",
    "Footprint",
    "GeoPoint",
    "Geodesic",
    "GroundHit",
    "GroundModel",
    "Homography",
    "Items",
    "LatLon",
    "LocatedPoint",
    "NoGround",
    "Orientation",
    "PictureGround",
    "PinholeCamera",
    "PlatformTrack",
    "Quantity",
    "SensorView",
    "Situation",
    "Source",
    "TargetPosition",
    "TrackHistory",
    "between",
    "camera_at",
    "derive",
    "derived_centre",
    "destination",
    "document",
    "footprint",
    "from_ecef",
    "from_enu",
    "from_ned",
    "hae_to_msl",
    "homography",
    "msl_to_hae",
    "north_east_down",
    "orientation",
    "pixel_number",
    "pixel_position",
    "platform_position",
    "point_document",
    "read_hgt",
    "relative",
    "reported_centre",
    "reported_track",
    "rotation",
    "sensor_axes",
    "sensor_view",
    "target_location",
    "targets",
    "to_ecef",
    "to_enu",
    "to_ned",
    "undulation",
]
