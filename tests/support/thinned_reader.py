"""A reader of thinned packets, written from the rules alone: keeps the items of one stream and set."""

from __future__ import annotations

from packet_wrapping import item, packet
from reference_wire import ber_length, walk

from klvrelay.core.thinning import Thinned
from klvrelay.standards.spec import CHECKSUM, TIME, UNIVERSAL_KEYS, VERSION

Groups = dict[int, list[bytes]]


def value_of(raw: bytes) -> bytes:
    """The bytes after key and length."""
    length, used = ber_length(raw[16:])
    assert len(raw) == 16 + used + length
    return raw[16 + used :]


def groups_of(name: str, raw: bytes) -> Groups:
    """The values of each tag in order, without time and checksum."""
    found: Groups = {}
    head = {CHECKSUM.get(name, (0, ""))[0], TIME.get(name, 0)} - {0}
    for entry in walk(value_of(raw))[0]:
        if entry.tag not in head:
            found.setdefault(entry.tag, []).append(entry.value)
    return found


class Reader:
    """Applies thinned packets in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.groups: Groups = {}
        self.order: list[int] = []

    def apply(self, thinned: Thinned) -> Groups:
        new = groups_of(self.name, thinned.raw)
        if thinned.full:
            self.groups = {}
        for tag in thinned.removed:
            self.groups.pop(tag, None)
        self.groups = self.groups | new
        return dict(self.groups)

    def apply_marked(self, raw: bytes) -> Groups:
        """As a reader of KLV does: a set with a version is full, an item of length 0 in another is removed."""
        new = groups_of(self.name, raw)
        if VERSION[self.name] in new:
            self.groups = {}
        else:
            for tag in [tag for tag, values in new.items() if values == [b""]]:
                self.groups.pop(tag, None)
                del new[tag]
        self.groups = self.groups | new
        return dict(self.groups)

    def packet(self, time: bytes | None) -> bytes:
        """The restored record as a packet."""
        stamp = b"" if time is None else item(TIME[self.name], time)
        value = stamp + b"".join(item(tag, one) for tag, values in self.groups.items() for one in values)
        return packet(self.name, value, checksum=self.name in CHECKSUM)


def without_time(vmti: bytes) -> list[tuple[int, bytes]] | bytes:
    """The items of a VMTI set but its checksum and time; its bytes where it can't be read."""
    entries, broken = walk(vmti)
    return vmti if broken is not None else [(entry.tag, entry.value) for entry in entries if entry.tag not in (1, 2)]


def lasting(groups: Groups) -> dict[int, object]:
    """What is restored exactly: the time of a VMTI set is that of its last change."""
    return {tag: list(map(without_time, values)) if tag == 74 else values for tag, values in groups.items()}


def key_of(name: str) -> bytes:
    return UNIVERSAL_KEYS[name]
