"""Positions in a picture to positions on the ground, and back."""

from __future__ import annotations

from functools import cached_property

from klvrelay.geo.camera import PinholeCamera
from klvrelay.geo.corner_map import Homography, homography
from klvrelay.geo.ground import FlatGround, GroundHit, GroundModel, NoGround
from klvrelay.geo.positions import LocatedPoint, derived_heights
from klvrelay.geo.situation import Situation
from klvrelay.geo.wgs84 import to_ecef


class PictureGround:
    """The relation between one picture and the ground.

    situation   as derived from the items of the picture's record
    ground      as in `derive`
    camera      other than the one of the record's fields of view

    Positions in the picture are fractions: 0, 0 is the outer corner of the top left pixel, 1, 1 that of the bottom
    right one. The full geometry is used where attitude, fields of view and a ground height are known: rays meet
    `ground`, else level ground at the frame centre's height. Otherwise the four corners give a homography, which is
    less accurate; also where the roll is not known, but the corners are reported.
    """

    def __init__(self, situation: Situation, ground: GroundModel | None = None,
                 camera: PinholeCamera | None = None) -> None:  # fmt: skip
        centre = situation.frame_centre
        self._situation = situation
        self._camera = camera or _camera(situation)
        self._grounds: list[tuple[GroundModel, str]] = [(ground, "ground model")] if ground is not None else []
        if centre is not None and centre.hae is not None:
            self._grounds.append((FlatGround(centre.hae.value), "level ground"))

    def to_ground(self, across: float, below: float) -> LocatedPoint | None:
        """The ground at a position in the picture; None above the horizon, or if nothing is known of the geometry.

        Its method is "ground model", "level ground" or "corners".
        """
        if self._camera is None or not self._grounds:
            return self._by_corners(across, below)
        ray = self._camera.ray(across, below)
        for ground, method in self._grounds:
            found: GroundHit | NoGround = ground.meet(self._camera.eye, ray)
            if isinstance(found, GroundHit):
                place = found.position.lat, found.position.lon
                return LocatedPoint(*place, *derived_heights(place, found.position.hae, method), "derived", method)
        return None

    def to_picture(self, lat: float, lon: float, hae: float | None = None) -> tuple[float, float] | None:
        """Where a point appears, beyond 0 to 1 outside of the picture; None if it is behind the camera, or not known.

        hae   its height; without it, it is on the ground at the frame centre's height
        """
        level = self._level
        if hae is None:
            hae = level
        if self._camera is None or hae is None:
            return self._corners.to_picture(lat, lon) if self._corners else None
        return self._camera.project(to_ecef(lat, lon, hae))

    @cached_property
    def _corners(self) -> Homography | None:
        footprint = self._situation.footprint
        return homography(footprint.corners) if footprint else None

    @property
    def _level(self) -> float | None:
        centre = self._situation.frame_centre
        return centre.hae.value if centre and centre.hae else None

    def _by_corners(self, across: float, below: float) -> LocatedPoint | None:
        found = self._corners.to_ground(across, below) if self._corners else None
        if found is None:
            return None
        level = self._level
        heights = (None, None) if level is None else derived_heights(found, level, "frame centre height")
        return LocatedPoint(*found, *heights, "derived", "corners")


def _camera(situation: Situation) -> PinholeCamera | None:
    """The camera of the view, unless its roll is assumed although reported corners show it."""
    view, footprint = situation.view, situation.footprint
    if view is None or (view.method == "level picture" and footprint and footprint.source == "reported"):
        return None
    return view.camera()
