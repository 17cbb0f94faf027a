"""zstd with a dictionary of the stream itself: smaller payloads, read within limits."""

from __future__ import annotations

import builtins
import tracemalloc
from random import Random

import pytest
from records import platform, record
from reference_output import ReferenceOutput

import klvrelay
from klvrelay import ConfigError, DecodeError, Restorer, threads
from klvrelay.shape.encoding import compression
from klvrelay.shape.encoding.compression import Compressor, Decompressor, zstd_module
from klvrelay.shape.encoding.dictionary import LEAST, PAYLOADS, SAMPLE_MOST, SAMPLES_MOST, DictionaryTrainer

FIRST = [record(seq).json() for seq in range(PAYLOADS)]


def trained(payloads=FIRST):
    trainer = DictionaryTrainer()
    for payload in payloads:
        trainer.add(payload)
    dictionary = trainer.train()
    assert dictionary is not None
    return dictionary


def test_a_dictionary_makes_payloads_much_smaller():
    """Payloads that it was not trained from; each is a separate frame."""
    dictionary = trained()
    alone, with_it = Compressor(), Compressor(dictionary)
    later = [record(seq).json() for seq in range(1000, 1050)]

    frames = [with_it.compress(payload) for payload in later]
    assert sum(map(len, frames)) * 3 < sum(len(alone.compress(payload)) for payload in later)
    assert len(dictionary) <= 4096

    restorer = Restorer(dictionary)
    assert [restorer.restore(frame)[0]["seq"] for frame in reversed(frames)] == list(reversed(range(1000, 1050)))


def test_a_payload_that_zstd_does_not_make_smaller_stays_as_it_is():
    """Readers recognise both."""
    payload = b"{}"

    assert Compressor().compress(payload) is payload


@pytest.mark.parametrize("form", ["json", "cbor", "msgpack", "klv", "compact"])
def test_every_format_is_restored_from_zstd(form):
    """Full and partial records."""
    output, restorer, compressor = ReferenceOutput(form, 5), Restorer(), Compressor()
    for seq in range(12):
        frame = compressor.compress(output.message([record(seq)]) + b"")
        (found,) = restorer.restore(frame, stream="uav1")
        assert found["items"]["platform_tail_number"] == f"tail-{seq}"


def test_before_the_dictionary_arrives_payloads_are_counted():
    """A subscriber that joins late: what it waits for has a name, and the dictionary ends it."""
    dictionary = trained()
    number = zstd_module().ZstdDict(dictionary).dict_id
    frame = Compressor(dictionary).compress(record(2000).json())
    restorer = Restorer()

    assert restorer.restore(frame, stream="uav1") == []
    assert (restorer.unreadable, restorer.waits_for("uav1")) == (1, f"dictionary {number}")

    restorer.learn(dictionary)
    assert restorer.restore(frame, stream="uav1")[0]["seq"] == 2000
    assert (restorer.unreadable, restorer.waits_for("uav1")) == (1, "")


def test_a_new_run_has_a_new_dictionary():
    """Frames of the run before can still be read."""
    one, two = trained(), trained([record(seq, boot="another").json() for seq in range(PAYLOADS)])
    restorer = Restorer(one)
    restorer.learn(two)

    assert zstd_module().ZstdDict(one).dict_id != zstd_module().ZstdDict(two).dict_id
    for dictionary in (one, two):
        assert restorer.restore(Compressor(dictionary).compress(record(9).json()))[0]["seq"] == 9


def test_the_number_of_dictionaries_is_bounded():
    """The oldest is forgotten."""
    decompressor = Decompressor(1000)
    rng = Random(3)
    dictionaries = [trained([b"%d" % rng.getrandbits(200) * 8 for _ in range(20)]) for _ in range(70)]
    for dictionary in dictionaries:
        decompressor.learn(dictionary)

    assert len(decompressor._dictionaries) == compression.DICTIONARIES_MOST
    with pytest.raises(compression.Unreadable):
        decompressor.plain(Compressor(dictionaries[0]).compress(b"0" * 500))


@pytest.mark.parametrize("dictionary", [b"", b"short", b"x" * 100, bytes(1 << 20), b"\x37\xa4\x30\xec" + bytes(40)])
def test_what_is_no_dictionary_is_refused(dictionary):
    """A DecodeError."""
    with pytest.raises(DecodeError):
        Restorer().learn(dictionary)


def frame_of(payload, **options):
    return zstd_module().compress(payload, options=options or None)


def test_malformed_frames_are_refused():
    """Cut, changed, doubled, with bytes after it."""
    frame = frame_of(record(1).json())
    for faulty in (frame[:4], frame[:-1], frame[:20], frame + b"\x00", frame + frame, frame[:9] + b"\xff" + frame[10:]):
        with pytest.raises(DecodeError):
            Restorer().restore(faulty)
    with pytest.raises(DecodeError):
        Restorer().restore(frame_of(frame))


def test_a_decompression_bomb_is_refused():
    """64 MiB in a few kilobytes: the memory is that of the limit."""
    zstd = zstd_module()
    bomb = frame_of(bytes(64 << 20))
    window = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.content_size_flag: 0}
    wide = zstd.ZstdCompressor(options=window)
    assert len(bomb) < 10_000

    tracemalloc.start()
    with pytest.raises(DecodeError, match="more than"):
        Restorer().restore(bomb)
    with pytest.raises(DecodeError):
        Restorer().restore(wide.compress(b'{"a":1}') + wide.flush())
    assert tracemalloc.get_traced_memory()[1] < 24 << 20
    tracemalloc.stop()


def test_the_payloads_for_training_are_bounded():
    """By number, by bytes of each and by bytes of all."""
    trainer = DictionaryTrainer()
    assert [trainer.add(b"x") for _ in range(PAYLOADS + 1)].index(True) == PAYLOADS - 1
    assert len(trainer._samples) == PAYLOADS

    trainer = DictionaryTrainer(1_000_000)
    while not trainer.add(bytes(1 << 20)):
        pass
    assert LEAST <= len(trainer._samples) <= SAMPLES_MOST // SAMPLE_MOST
    assert sum(map(len, trainer._samples)) <= SAMPLES_MOST + SAMPLE_MOST
    trainer.train()
    assert trainer._samples == []


def test_without_anything_in_common_there_is_no_dictionary():
    """Then frames are without one."""
    trainer = DictionaryTrainer(LEAST)
    for _ in range(LEAST):
        trainer.add(b"")

    assert trainer.train() is None


async def test_training_runs_in_a_thread():
    """It takes milliseconds, and does not block the event loop."""
    trainer = DictionaryTrainer()
    for payload in FIRST:
        trainer.add(payload)

    assert await threads.run(trainer.train, "dictionary")


def test_decode_reads_compact_and_zstd():
    """Full records of compact payloads, and whatever zstd contains."""
    sent = [record(1, pid=257, program=1, pts=900), record(2, pid=258)]
    message = ReferenceOutput("compact", 1).message(sent)
    dictionary = trained([ReferenceOutput("compact", 1).message([record(seq)]) for seq in range(50)])

    for data in (message, frame_of(message), Compressor(dictionary).compress(message)):
        found = klvrelay.decode(data, stream="uav1", dictionary=dictionary)
        assert [(one.seq, one.boot, one.pid, one.items) for one in found] == [
            (one.seq, one.boot, one.pid, one.items) for one in sent
        ]
        assert found[0].raw == sent[0].raw
        assert found[0].good
    assert [one.seq for one in klvrelay.decode(message, pid=257)] == [1]
    assert [one.seq for one in klvrelay.decode(memoryview(message), program=1)] == [1]
    assert klvrelay.decode(frame_of(platform(5) * 3)) == klvrelay.decode(platform(5) * 3)
    with pytest.raises(DecodeError, match="dictionary"):
        klvrelay.decode(Compressor(dictionary).compress(message))


def test_decode_refuses_partial_records():
    """The error names the way to read them."""
    output = ReferenceOutput("compact", 5)
    output.message([record(1)])

    with pytest.raises(DecodeError, match=r"klvrelay\.Restorer"):
        klvrelay.decode(output.message([record(2)]))


def test_bytes_that_only_begin_like_compact_are_searched_for_klv():
    """The rest of a stream that was cut anywhere."""
    for first in (b"\x28", b"\x81\xa1\x00", b"\x84\xa0\x00\x00", b"\x9b\xff\xff"):
        assert [one.set for one in klvrelay.decode(first + platform(5))] == ["ST0601"]


def test_without_the_package_the_error_names_it(monkeypatch):
    """Formats that need no package still work."""
    real = builtins.__import__

    def missing(name, *args):
        if name in ("msgpack", "backports", "compression"):
            raise ImportError(name)
        return real(name, *args)

    frame = frame_of(b"{}")
    monkeypatch.setattr(builtins, "__import__", missing)
    zstd_module.cache_clear()
    with pytest.raises(ConfigError, match=r"klvrelay\[zstd\]"):
        Restorer().restore(frame)
    with pytest.raises(ConfigError, match=r"klvrelay\[msgpack\]"):
        Restorer().restore(b"\x80", format="msgpack")
    assert Restorer().restore(ReferenceOutput("compact").message([record(1)]))
    zstd_module.cache_clear()
