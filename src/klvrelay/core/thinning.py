"""Thins packets: selected items, positions on a grid, and only what has changed since the packet before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from klvrelay.core._core import ffi, lib
from klvrelay.core.memory import Memory
from klvrelay.errors import ConfigError

if TYPE_CHECKING:
    from klvrelay.core.selection import Selection

_thin = lib.klv_thin_packed
_NULL = ffi.NULL
_new = tuple.__new__  # a third of the time of calling the class
_MORE = int(lib.KLV_THIN_MORE)
_new_base = ffi.new_allocator(should_clear_after_alloc=False)  # most of it is never used, and takes no memory then


class Thinned(NamedTuple):
    """A packet to publish. `removed`: tags that the record before had and this one has not."""

    raw: bytes
    full: bool
    removed: tuple[int, ...] = ()


class Thinning:
    """What an output wants of packets; any number of streams may share it.

    items       these items only; time and version of the set are always kept
    on_change   only what differs from what was published before, and nothing where nothing does
    dead_bands  key of an item -> change in its units that is none, with `on_change`
    coarse_m    positions are rounded to a grid of that many metres; items that may hold others are removed
    marked      the packet itself tells readers of KLV that it is partial: items removed have length 0, and ST 0601 sets
                are full if they have a version (item 65)

    Raises ConfigError for an unknown key, and for a negative number.
    """

    __slots__ = ("coarse_m", "dead_bands", "items", "marked", "on_change", "struct", "unchanged")

    def __init__(
        self,
        items: Selection | None = None,
        *,
        on_change: bool = False,
        dead_bands: Mapping[str, float] | None = None,
        coarse_m: float = 0.0,
        marked: bool = False,
    ) -> None:
        self.items, self.on_change, self.marked = items, on_change, marked
        self.coarse_m, self.dead_bands = coarse_m, dict(dead_bands or {})
        self.unchanged = items is None and not on_change and not coarse_m
        self.struct = ffi.new("struct klv_thinning *")
        self.struct.on_change, self.struct.marked, self.struct.grid = on_change, marked, _positive("coarse_m", coarse_m)
        if items is not None:
            self.struct.items, self.struct.selected = items.chosen[0], 1
        for key, band in self.dead_bands.items():
            name = key.encode(errors="replace")
            if not lib.klv_band(self.struct, name, len(name), _positive(f"dead band of {key}", band)):
                raise ConfigError(f"no item has the key {key!r}")


def _positive(what: str, value: float) -> float:
    if not 0 <= value < float("inf"):
        raise ConfigError(f"{what} {value}: must not be negative")
    return value


class Base:
    """What a subscriber has of one stream and set: at most 16 KiB. At first, and after `reset`, that is nothing."""

    __slots__ = ("struct",)

    def __init__(self) -> None:
        self.struct = _new_base("struct klv_base *")
        self.reset()

    def reset(self) -> None:
        """The next packet is full."""
        self.struct.set = 0


_memory, _tags = Memory(), Memory(int(lib.KLV_TAGS))


def thin(raw: bytes, thinning: Thinning, base: Base | None = None, *, full: bool = False) -> Thinned | None:
    """The packet to publish; None: nothing. `base` becomes what the subscriber has then.

    It is full without a base, if `full`, and if its set is not compared item by item: a universal set, one without a
    table, a damaged packet. Of a damaged packet nothing is published if `thinning` has items or `coarse_m`.
    """
    if thinning.unchanged:
        return _new(Thinned, (raw, True, ()))
    memory = _memory
    size = len(raw)
    if size + _MORE > memory.size:
        memory.grow(2 * size + _MORE)
    packed = _thin(raw, size, thinning.struct, _NULL if base is None else base.struct, full, memory.out, _tags.out)
    if not packed:
        return None
    removed = packed & 511
    tags = tuple(_tags.view[: removed >> 1]) if removed > 1 else ()
    return _new(Thinned, (memory.view[: packed >> 9], removed & 1 == 1, tags))
