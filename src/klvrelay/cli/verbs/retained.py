"""The verb `retained`: lists the retained topics under a prefix, and clears them on request."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from klvrelay.cli import standard_streams
from klvrelay.cli.stopping import on_loop
from klvrelay.cli.verbs.ages import age
from klvrelay.cli.verbs.printout import Listing, Printout, show
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.names import safe_level
from klvrelay.errors import ConfigError, SinkRefused
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import REFUSED, Connection, Message, Received
from klvrelay.sinks.mqtt.topics import is_topic
from klvrelay.sinks.mqtt.values.earlier_runs import boot_of, object_of
from klvrelay.sinks.mqtt.values.home_assistant import announces, config_topic, device_id
from klvrelay.text import counted, printable

QUIET = 1.0
"""Seconds without a retained message after which the list is complete."""
LIST_MOST = 30.0
"""Maximum seconds for listing."""
TOPICS_MOST = 100_000
CONTENT = 60
"""Maximum characters shown of a payload."""
DOCUMENT_MOST = 64 << 10
"""Maximum bytes of a document that is parsed for its boot id and time."""
PORTION = 500
"""Topics cleared per batch."""


class Topic(NamedTuple):
    """One retained message.

    boot  id of the run that published it, if known
    at    time of publication, if known
    """

    topic: str
    size: int
    boot: str | None
    at: datetime | None
    content: str

    @classmethod
    def of(cls, message: Received) -> Topic:
        document = object_of(message.payload, DOCUMENT_MOST)
        boot = boot_of(message) or document.get("boot")
        named = boot if isinstance(boot, str) else None
        shown = printable(message.payload[: 4 * CONTENT].decode("utf-8", "replace"))
        content = shown if len(shown) <= CONTENT else f"{shown[: CONTENT - 3]}..."
        return cls(message.topic, len(message.payload), named, _time(document), content)


def retained(settings: MqttSettings, stream: str | None, *, clear: bool, confirmed: bool) -> None:
    """List the topics; with `clear`, remove them after confirmation, which `confirmed` skips.

    Raises SinkDown, SinkRefused or ConfigError.
    """
    if confirmed and not clear:
        raise ConfigError("--yes: has an effect with --clear only")
    if clear and not confirmed and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError("--clear: needs a terminal to ask for confirmation; check with --list, then add --yes")
    found = on_loop(partial(list_retained, settings, stream))
    if found is None:  # a signal stopped it
        return
    with standard_streams.flush_output():
        show(_printout(settings, stream, found), sys.stdout)
    if not clear or not found or not (confirmed or _confirm(len(found), settings)):
        return
    cleared = on_loop(partial(_clear, settings, [topic.topic for topic in found]))
    if cleared is not None:
        with standard_streams.flush_output():
            print(f"cleared {counted(cleared, 'retained topic')}")


async def list_retained(settings: MqttSettings, stream: str | None) -> list[Topic]:
    """The retained messages under the prefix, or of one stream, by topic; also those that announce it elsewhere."""
    wanted = f"{settings.prefix}/#" if stream is None else f"{settings.prefix}/{safe_level(stream)}/#"
    found: dict[str, Topic] = {}
    connection = await connect(settings, client_id=settings.client_id or _client_id(), client="aiomqtt")
    try:
        await connection.subscribe([wanted])
        with contextlib.suppress(SinkRefused):  # few users may read it, and few need it
            await connection.subscribe([config_topic("+" if stream is None else device_id(settings.prefix, stream))])
        await _take(connection, wanted[:-1], settings.prefix, found)
    finally:
        await connection.close()
    return [found[topic] for topic in sorted(found)]


async def _take(connection: Connection, begin: str, prefix: str, found: dict[str, Topic]) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + LIST_MOST
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(QUIET) as limit:
            async for message in connection.received():
                if not (message.retained and message.payload and is_topic(message.topic)):
                    continue  # published meanwhile, or not requested
                if message.topic.startswith(begin) or announces(message, prefix):
                    found[message.topic] = Topic.of(message)
                if len(found) >= TOPICS_MOST:
                    return
                limit.reschedule(min(end, loop.time() + QUIET))


async def _clear(settings: MqttSettings, topics: Sequence[str]) -> int:
    """Clear the topics and return their number. Raises SinkRefused if the broker refuses any."""
    connection = await connect(settings, client_id=settings.client_id or _client_id(), client="aiomqtt")
    codes: list[int] = []
    try:
        for begin in range(0, len(topics), PORTION):
            portion = topics[begin : begin + PORTION]
            codes += await connection.publish([Message(topic, b"", 1, True) for topic in portion])
    finally:
        await connection.close()
    refused = sum(code >= REFUSED for code in codes)
    if refused:
        raise SinkRefused(
            f"{settings.url}: no right to clear {counted(refused, 'retained topic')} of {len(topics)}, for example"
            f" {printable(next(topic for topic, code in zip(topics, codes, strict=True) if code >= REFUSED))}"
        )
    return len(topics)


def _confirm(count: int, settings: MqttSettings) -> bool:
    """Ask the operator for confirmation."""
    print(f"clear {counted(count, 'retained topic')} at {settings.url}? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    print("nothing was cleared", file=sys.stderr)
    return False


def _printout(settings: MqttSettings, stream: str | None, found: Sequence[Topic]) -> Printout:
    where = f"{settings.prefix}/" if stream is None else f"{settings.prefix}/{safe_level(stream)}/"
    if not found:
        hint = f"if that is unexpected, check that {settings.username or 'this user'} may read {where}#"
        return Printout(f"no retained topics under {where} at {settings.url}", hints=[printable(hint)])
    now = datetime.now(UTC)
    rows = [tuple(_cells(topic, now)) for topic in found]
    columns = ("topic", "bytes", "boot", "age", "content")
    more = [f"there may be more than {TOPICS_MOST:,}"] if len(found) >= TOPICS_MOST else []
    title = f"{counted(len(found), 'retained topic')} under {where} at {settings.url}"
    return Printout(title, tables=[Listing(columns, rows, spare=1)], hints=more)


def _cells(topic: Topic, now: datetime) -> Iterator[str]:
    yield printable(topic.topic)
    yield str(topic.size)
    yield "-" if topic.boot is None else printable(topic.boot[:CONTENT])
    yield "-" if topic.at is None else age((now - topic.at).total_seconds())
    yield topic.content


def _time(document: dict[str, Any]) -> datetime | None:
    """The time of a document: `at` of a status or link, `received` of a record or a state."""
    for key in ("at", "received"):
        with contextlib.suppress(KeyError, TypeError, ValueError, OverflowError):
            at = datetime.fromisoformat(document[key])
            return at if at.tzinfo is not None else None
    return None


def _client_id() -> str:
    return f"klvrelay-retained-{secrets.token_hex(3)}"
