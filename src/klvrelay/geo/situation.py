"""Where a record's picture is: platform, view, frame centre and footprint, reported or derived."""

from __future__ import annotations

from typing import NamedTuple

from klvrelay.geo.corners import Footprint, footprint
from klvrelay.geo.frame_centre import derived_centre, with_height
from klvrelay.geo.ground import GroundModel
from klvrelay.geo.positions import LocatedPoint, platform_position, reported_centre
from klvrelay.geo.quantity import Items
from klvrelay.geo.viewing import SensorView, sensor_view


class Situation(NamedTuple):
    """What is neither reported nor derivable is None."""

    platform: LocatedPoint | None
    view: SensorView | None
    frame_centre: LocatedPoint | None
    footprint: Footprint | None


def derive(items: Items, ground: GroundModel | None = None) -> Situation:
    """The situation in the items of a record (`Record.items`) of ST 0601 or EG 0104.

    What is reported is taken as it is. The rest is computed with `ground`; without it, or where it has no height, the
    ground is level at the frame centre's height. Items of earlier records that are still valid are for the caller to
    merge in: `derive({**earlier, **items})`. Items inside segments and amends (ST 1607) are not used; see
    `klvrelay.views`.
    """
    platform, centre = platform_position(items), reported_centre(items)
    if centre is not None:
        centre = with_height(items, platform, centre, ground)
    view = sensor_view(items, platform, centre)
    if centre is None and view is not None:
        centre = derived_centre(items, view, ground)
    return Situation(platform, view, centre, footprint(items, view, centre, ground))
