"""The library API: records of any source, by `for` or `async for`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing
from os import PathLike
from typing import TYPE_CHECKING, Any

from klvrelay import core, decoder
from klvrelay.config.choice import Choice, chosen
from klvrelay.config.names import stream_name
from klvrelay.config.url import Url
from klvrelay.decoder import Decoder
from klvrelay.errors import KlvrelayError, NoKlv
from klvrelay.record import Record
from klvrelay.sources.open import open_source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


async def _batches(
    source: str | PathLike[str], name: str | None, choice: Choice, options: dict[str, Any]
) -> AsyncIterator[list[Record]]:
    url = Url.parse(source)
    limit = options.get("packet_limit", core.LIMIT)
    decoder = Decoder(name or stream_name(url), None, packet_limit=limit, choice=choice)
    source_ = open_source(url, **{"demux": "native", **options})
    async with aclosing(source_.packets()) as packets:
        async for packet in packets:
            if records := decoder.feed(packet):
                yield records
    if records := decoder.flush():
        yield records


async def stream(
    source: str | PathLike[str],
    *,
    name: str | None = None,
    pid: int | Iterable[int] | None = None,
    program: int | None = None,
    **options: Any,
) -> AsyncIterator[Record]:
    """The records of a source as they arrive. A source is a path, `-`, or a URL (udp, rtp, tcp, rtsp, http, ...).

    name      name of the first KLV elementary stream; others get their PID as suffix
    pid       select KLV on this PID, or on these
    program   select KLV of this program

    `options` are those of `klvrelay.sources.open.open_source`: timeout, interface, sender, speed, loop, follow,
    isolate, packet_limit, ...
    Raises ConfigError, SourceDown or NotMedia. Never retries.
    """
    choice = chosen(pid, program)
    async with aclosing(_batches(source, name, choice, options)) as batches:  # type: ignore[type-var]
        async for records in batches:
            for record in records:
                yield record


def open(
    source: str | PathLike[str],
    *,
    name: str | None = None,
    pid: int | Iterable[int] | None = None,
    program: int | None = None,
    **options: Any,
) -> Iterator[Record]:
    """Like `stream`, for a `for` loop. In a running event loop use `async for record in klvrelay.stream(...)`."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _plain(source, name, chosen(pid, program), options)
    raise KlvrelayError("klvrelay.open blocks; in a coroutine use `async for record in klvrelay.stream(source)`")


def _plain(
    source: str | PathLike[str], name: str | None, choice: Choice, options: dict[str, Any]
) -> Iterator[Record]:
    with asyncio.Runner() as runner:
        batches = _batches(source, name, choice, options)

        async def following() -> list[Record] | None:
            return await anext(batches, None)

        try:
            while (records := runner.run(following())) is not None:
                yield from records
        finally:
            runner.run(batches.aclose())  # type: ignore[attr-defined]


def columns(
    data_or_source: Any,
    items: Sequence[str],
    *,
    every: bool = False,
    pid: int | Iterable[int] | None = None,
    program: int | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Items of all ST 0601 and ST 0104 records as {key: float64 of shape (records,)}, NaN if absent or not a number.

    data_or_source   bytes (MPEG-TS or bare KLV), or a source as for `klvrelay.open`, read to its end
    items            keys of numeric ST 0601 items: "sensor_latitude", "precision_time_stamp", ...
    every            include records with a bad checksum
    pid, program     select KLV on this PID or these, and of this program

    Units and ranges are those of `klvrelay.standards.spec.SETS["ST0601"]`; enumerations and bit fields give their code.
    Raises ConfigError for a key that is not a numeric item of ST 0601, and NoKlv if the source has no KLV.
    """
    if isinstance(data_or_source, bytes | bytearray | memoryview):
        return decoder.columns(data_or_source, items, every=every, choice=chosen(pid, program))
    found = open(data_or_source, pid=pid, program=program)
    packets = [record.raw for record in found if record.transport == "ok"]
    if not packets:
        raise NoKlv(f"{Url.parse(data_or_source)} contains no KLV")
    return decoder.columns(b"".join(packets), items, every=every)
