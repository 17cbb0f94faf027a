"""Cursor on Target: events for TAK servers and clients, made of records as in MISB ST 0805.

conversion.py       a record to its events          identity.py        uid, callsign and texts of a stream
located_record.py   what events are made of         cot_event.py       an event
aircraft_event.py   the aircraft                    sensor_detail.py   where its sensor looks
picture_events.py   point of interest, footprint    video_detail.py    where the video is
target_events.py    VMTI targets                    marking_text.py    the marking
event_xml.py        an event as XML                 event_protobuf.py  as TAK protocol 1
tak_datagrams.py    UDP                             tak_stream.py      TCP and TLS
server_messages.py  what a server sends             control_events.py  what is sent for the connection
certificates.py     checks them
"""

from __future__ import annotations

from klvrelay.config.sinks.cot import CotSettings
from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.sinks.publishing.far_end import FarEnd


def check(settings: FarEndSettings) -> None:
    """Raise ConfigError for certificates and keys that cannot be used."""
    assert isinstance(settings, CotSettings)
    if settings.tls:
        from klvrelay.sinks.cot.certificates import check_certificates

        check_certificates(settings)


def far_end(settings: FarEndSettings) -> FarEnd:
    """The far end, not connected yet."""
    from klvrelay.sinks.cot.tak_datagrams import TakDatagrams
    from klvrelay.sinks.cot.tak_stream import TakStream

    assert isinstance(settings, CotSettings)
    return TakDatagrams(settings) if settings.carrier == "udp" else TakStream(settings)
