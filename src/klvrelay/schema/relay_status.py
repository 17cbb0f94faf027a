"""The schema of `status`: the relay itself, and its last will."""

from __future__ import annotations

from klvrelay.outcome import Sums
from klvrelay.schema.parts import BOOT, COUNT, INSTANT, TEXT, Schema, closed, described, document, nullable
from klvrelay.schema.uplink import uplink_members

SUMS = {
    "numbered": "Records appended for this sink",
    "delivered": "Records confirmed by the broker",
    "rejected": "Records refused by the broker",
    "shed": "Records discarded before they were sent, to make room for newer ones",
    "left_out": "Records never offered, or set aside: too large for the broker",
    "waiting": "Records not yet sent, or unacknowledged",
    "unwanted": "Records excluded by the settings",
    "thinned": "Records that no output published: not their turn, or nothing changed",
    "withheld": "Records that were not published because of their markings",
}
OPTIONAL = ("broker", "reason", "at", "records", "suspended", "suspended_topics", "spool", "reload", "uplink",
            "withheld")  # fmt: skip


def status() -> Schema:
    """The JSON Schema of the status of the relay."""
    members = {
        "state": {"enum": ["online", "offline"]},
        "boot": BOOT,
        "client_id": described(TEXT, "MQTT client identifier"),
        "broker": described(TEXT, "With several brokers: the one in use"),
        "reason": {"enum": ["stopped", "lost"], "description": "Why it is offline; lost: this is the last will"},
        "at": described(INSTANT, "UTC of the message; absent in the last will"),
        "records": described(_sums(), "What became of the records; published at a stop"),
        "suspended": {
            "type": "array",
            "items": TEXT,
            "description": "Topics that the broker refuses, and those of latest values that are too large for it",
        },
        "suspended_topics": described(COUNT, "Number of these topics; suspended lists the first of them"),
        "spool": described(closed(*spool_members()), "Whether the disk of the spool works"),
        "uplink": described(closed(uplink_members()), "With a budget: its use, as on the topic uplink"),
        "withheld": {
            "type": "array",
            "items": closed({"output": described(TEXT, "Name of the output"), "count": COUNT}),
            "description": "How often each output has withheld a record because of its marking",
        },
        "reload": described(_reload(), "The last reload of the settings"),
    }
    shape = closed(members, optional=OPTIONAL)
    return document("klvrelay status", "The relay itself. The last will of its connection has the same form", shape)


def spool_members() -> tuple[dict[str, Schema], tuple[str, ...]]:
    """The members of `spool`, and which of them are optional."""
    members: dict[str, Schema] = {
        "fault": described(nullable(TEXT), "Why records cannot be written; null if they can"),
        "since": described(INSTANT, "UTC of the start of the fault"),
        "failures": described(COUNT, "Number of failed writes"),
        "unreadable": described(COUNT, "Number of failed reads of segments, whose records are lost"),
        "waiting": described(COUNT, "Number of records that are in memory only"),
        "bytes": described(COUNT, "Bytes of these records"),
    }
    return members, ("since", "waiting", "bytes")


def _reload() -> Schema:
    return closed(
        {
            "result": {"enum": ["applied", "unchanged", "refused", "failed"]},
            "time": described(INSTANT, "UTC of the reload"),
            "restart": {"type": "array", "items": TEXT, "description": "Settings that need a restart to take effect"},
        },
        optional=["restart"],
    )


def _sums() -> Schema:
    return closed({name: described(COUNT, SUMS[name]) for name in Sums._fields})
