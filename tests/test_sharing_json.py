"""JSON that is made once for several sinks, within a memory bound."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import feed
import pytest

import klvrelay
from klvrelay import core
from klvrelay import record as record_module
from klvrelay.record import Record, sharing_json

TAPE = feed.recording(count=50)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """The packets whose JSON was written, one by one."""
    written: list[bytes] = []
    write = core.record_json

    def counted(raw: bytes, *others: object) -> bytes:
        written.append(raw)
        return write(raw, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(core, "record_json", counted)
    return written


@pytest.fixture
def records() -> list[Record]:
    return klvrelay.decode(TAPE.ts, stream="uav1")


def test_two_sinks_that_want_the_whole_record_have_its_json_made_once(records, made):
    """The second sink gets the same bytes."""
    with sharing_json():
        first = [record.json() for record in records]
        second = [record.json() for record in records]

    assert len(made) == len(records) == 50
    assert second == first == [record.json() for record in records]
    assert all(one is other for one, other in zip(first, second, strict=True))


def test_each_form_of_numbers_has_its_document(records, made):
    """A sink with safe integers does not get the document of one with exact ones."""
    record = records[0]._replace(received_us=2**53 + 1)
    exact, safe = record.json(), record.json(numbers="safe")
    made.clear()
    with sharing_json():
        found = [record.json(numbers=numbers) for numbers in ("exact", "safe", "exact", "safe")]

    assert found == [exact, safe, exact, safe]
    assert len(made) == 2


def test_a_record_made_of_another_has_its_own_document(records):
    """Equal bytes, another number: neither gets the other's."""
    with sharing_json():
        documents = {records[0]._replace(seq=seq).json() for seq in range(1000)}

    assert len(documents) == 1000


def test_outside_of_sharing_nothing_is_kept(records, made):
    """A caller that decodes a file holds no more than the results."""
    for _ in range(2):
        records[0].json()

    assert len(made) == 2
    assert record_module._shared is None


def test_stored_documents_stay_within_the_bound_and_the_newest_stay(records, made):
    """However many records wait for a disconnected sink."""
    one = len(records[0].raw) + len(records[0].json())
    made.clear()
    with sharing_json(most=10 * one + one // 2):
        for record in records:
            record.json()
        kept = record_module._shared
        assert kept is not None
        assert 8 <= len(kept._texts) <= 11
        assert kept._size == sum(len(found.raw) + len(text) for found, text in kept._texts.values()) <= 10.5 * one
        made.clear()
        records[-1].json()
        assert made == []
        records[0].json()
        assert made == [records[0].raw]


def test_a_document_larger_than_the_bound_is_not_stored(records, made):
    """It is written each time."""
    with sharing_json(most=100):
        assert records[0].json() == records[0].json()
        assert len(made) == 2


def test_another_thread_stores_nothing(records, made):
    """Documents are shared in the delivering thread; in others each call writes."""
    with sharing_json():
        threads = [threading.Thread(target=records[0].json) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

    assert len(made) == 2
