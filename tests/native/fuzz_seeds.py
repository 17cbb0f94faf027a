"""Input of .ci/fuzz: seeds for each target, and a dictionary of keys, lengths and marks.

    python tests/native/fuzz_seeds.py FOLDER        FOLDER/klv/..., FOLDER/json/..., ...; FOLDER/dictionary

`corpus.py` makes packets of the vectors, `random_packets.py` random ones.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("", "src", "tests", "tests/support", "tests/native")]

import corpus  # noqa: E402
from clocked_mux import STREAMS, Clocked  # noqa: E402
from packet_wrapping import item, keyed_set, local_set, oid, packet, series  # noqa: E402
from random_arrays import array, sdcc  # noqa: E402
from random_packets import random_packet  # noqa: E402
from test_search_work import IMAGE, KEY, SECURITY, converging, promising  # noqa: E402
from test_text_bound import CASES  # noqa: E402

from klvrelay.standards import spec  # noqa: E402

VECTORS = ROOT / "tests" / "vectors"
RANDOM, SMALL = 600, 300
# Start codes and stream ids, descriptors, items that head or end a packet, lengths, frame times.
MARKS = (
    *map(bytes.fromhex, ("000001", "000003", "000001b2", "000001bd", "000001fc")),
    *map(bytes.fromhex, ("05044b4c5641", "26090100ff4b4c5641000f", "0102", "0208", "82", "83010000")),
    *map(bytes.fromhex, ("a8687dd4d7593758a5cef0338b6545f1", "cf848278ee23306c9265e8fef22fb8b8")),
    b"MISPmicrosectime",
    b"20050331T075051.123456Z",
)


def lines(name: str) -> Iterator[bytes]:
    for line in (VECTORS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        yield bytes.fromhex(json.loads(line)["hex"])


def random_packets() -> Iterator[bytes]:
    rng = Random(336)
    yield from (random_packet(rng) for _ in range(RANDOM))
    yield from (packet("ST1303", array(rng)) for _ in range(60))
    yield from (packet("ST1010", sdcc(rng)) for _ in range(30))


def pieces(data: bytes) -> Iterator[bytes]:
    """A transport stream in pieces small enough for a fuzzer, with tables in each."""
    tables, step = data[: 2 * 188], 8 * 188
    yield from (tables + data[at : at + step] for at in range(2 * 188, len(data), step))


def changing(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Two programs: one disappears, one changes its streams, one carries private data that turns out to be KLV."""
    first, private = corpus.ASYNCHRONOUS, (0x06, 0x103, b"")
    yield 0, corpus.pat([(0, 16), (1, 0x1000), (2, 0x1001)])
    yield 0x1000, corpus.pmt([first])
    yield 0x1001, corpus.pmt([private, (0x02, 0x104, b"\x06\x01\x02")])
    for number in range(3):
        yield first[1], corpus.pes(0xBD, 9000 * number, data)
        yield private[1], corpus.pes(0xBD, 9000 * number, data)
        yield 0x1000, corpus.pmt([first, corpus.SYNCHRONOUS] if number else [corpus.SYNCHRONOUS])
        yield corpus.SYNC_PID, corpus.pes(0xFC, 9000 * number, corpus.cell(0, data) + corpus.cell(1, data))
    yield 0x1001, corpus.pmt([(0x15, 0x110 + number, b"") for number in range(9)])  # more than are followed
    yield 0, corpus.pat([(2, 0x1001), (3, first[1])])
    yield first[1], corpus.pmt([private])
    yield private[1], corpus.pes(0xBD, 1, data)


def twice(stream: bytes) -> bytes:
    """Every TS packet twice, as ISO/IEC 13818-1 allows it (2.4.3.3)."""
    return b"".join(2 * stream[at : at + 188] for at in range(0, len(stream), 188))


def clocked(data: bytes) -> Iterator[bytes]:
    """Tables, KLV and PCRs: in order, repeated, with errors, and eighty clocks in a row."""
    wire = Clocked()
    head = b"".join(wire.tables(*STREAMS))
    ts = [part for us in range(0, 400_000, 40_000) for part in (wire.pcr(us), *wire.pes(data))]
    yield head + b"".join(ts[:18])
    yield head + b"".join(2 * part for part in ts[:9])
    yield head + b"".join(part[:1] + bytes([part[1] | 0x80 * (at % 3 == 0)]) + part[2:] for at, part in enumerate(ts))
    yield head + b"".join(part[:3] + bytes([part[3] ^ (at % 5 == 0)]) + part[4:] for at, part in enumerate(ts))
    yield head + b"".join(wire.pcr(us, announced=us % 600_000 == 0) for us in range(0, 1_000_000, 60_000))
    yield head + b"".join(wire.pcr(us, 0x300 + us % 12) for us in range(18))
    yield head + b"".join(wire.pcr(us) for us in range(0, 1_600_000, 20_000))


def lane_seeds(made: corpus.Corpus, packets: list[bytes]) -> Iterator[bytes]:
    """The head of six bytes that fuzz_lane reads, then the input of the lane; fuzz_json covers the content."""
    packets = [data for data in packets if len(data) < SMALL][::3]
    for number, data in enumerate(packets):
        yield bytes([2 * (number % 2), number % 2, number % 256, 40, 0, number % 251]) + data
    for number, (first, second) in enumerate(zip(packets, packets[7:], strict=False)):
        yield bytes([0, number % 2, 0, 9, 0, number % 251]) + first + second
    for stream in made.transport:
        yield b"\x01\x00\x00\x90\x01\x05" + stream
    for data in packets[:12]:
        for stride in (188, 192, 204):
            yield b"\x01\x00\x00\xa0\x02\x09" + corpus.muxed(changing(data), stride)
        yield b"\x01\x00\x00\xa0\x02\x0a" + twice(corpus.muxed(changing(data), 188))
    for part in range(0, len(packets), 150):
        yield b"\x00\x01\x00\xa0\x02\x0b" + b"".join(packets[part : part + 150])
    for part in pieces(made.transport[0]):
        yield b"\x01\x01\x00\x90\x01\x07" + part
    for number, stream in enumerate(clocked(packets[0])):
        for times in (0, 2):
            yield bytes([1, times, 0, 0x90, 1, number]) + stream


def crowded() -> Iterator[bytes]:
    """More items than a packet may hold, and more matrices than have names."""
    yield packet("ST0601", bytes([8, 0]) * 1100)
    yield packet("ST0601", b"".join(item(tag, b"") for tag in range(1100)))
    yield packet("ST0104", keyed_set([(key, b"") for key in spec.KEYED] * 12))
    matrix = item(102, bytes.fromhex("0290043f80000040000000"))
    yield packet("ST0601", bytes([13, 0]) * 500 + matrix * 200)


def large() -> Iterator[bytes]:
    """Values beyond an earlier limit: an image chip, and hundreds of targets."""
    targets = (oid(number) + local_set([(1, b"\x01\x02\x03"), (4, b"\x01"), (9, b"\x06")]) for number in range(1, 300))
    for value in (series([oid(1) + item(105, item(4, b"\xab" * 3000))]), series(list(targets))):
        yield packet("ST0601", item(2, bytes(8)) + item(74, item(4, b"\x06") + item(101, value)), checksum=True)


def wordy() -> Iterator[bytes]:
    """Few bytes that expand to much text."""
    for set_, value in CASES.values():
        yield from (packet(set_, value[:size]) for size in (12, 40, 200, 900, 3000))


def claims() -> Iterator[bytes]:
    """Keys inside the claimed length, below KLV_UNPROVEN and above; of sets with and without a checksum."""
    insides = (b"\x05\x15", b"\x05\x00" * 9 + b"\x05\x15", b"\x03\x15", (KEY + b"\x82\x02\x00\x05\x05") * 3)
    for key in (KEY, SECURITY, IMAGE):
        for claim in (500, 1200, 2300, 2900):
            yield from (promising(key, claim, inside, room=2 * claim) for inside in insides)
            yield promising(key, claim, insides[0], b"\x01\x02\x00\x00" * 8, room=4096)
            yield converging(key, claim, room=claim + 40)


def rtp_seeds() -> Iterator[bytes]:
    """The byte that sets the capacity, then length-prefixed datagrams: swapped, lost, repeated, restarted."""
    rng = Random(3550)
    for number in range(60):
        sequences = [count for count in range(rng.choice((6, 60, 200))) if rng.random() > 0.1]
        sequences.sort(key=lambda count: count + rng.uniform(0, 6))
        if number % 3 == 0:
            sequences[4:] = [count + rng.choice((100, 130, 30_000)) for count in sequences[4:]]
        made = bytearray([rng.choice((0, 4, 64, 255))])
        for sequence in sequences:
            ssrc = int(number % 4 == 0 < sequence)
            head = b"\x80\xa1" + (65_500 + sequence & 0xFFFF).to_bytes(2) + bytes(4) + ssrc.to_bytes(4)
            made += (bytes([len(head) + 8]) + head + sequence.to_bytes(8)) * (1 + (rng.random() < 0.1))
            made += b"\xff" * (rng.random() < 0.03)
        yield bytes(made)


def seeds() -> dict[str, list[bytes]]:
    made = corpus.corpus_of(VECTORS / "vectors.jsonl")
    stamps = list(lines("stamps"))
    packets = [
        data
        for data in [*made.bare, *lines("odd"), *random_packets(), *crowded()]
        if data.startswith(b"\x06\x0e\x2b\x34")
    ]
    twos = [first + second for first, second in zip(packets[::9], packets[5::9], strict=False)]
    costly = [*large(), *wordy(), *claims()]
    return {
        "size": [*packets, *costly],
        "work": [*packets, *twos, *costly, *made.transport, *pieces(made.transport[0]), *clocked(packets[0])],
        "klv": [*packets, *twos, *made.bare[:40]],
        "json": packets,
        "lane": list(lane_seeds(made, packets)),
        "stamp": stamps,
        "rtp": list(rtp_seeds()),
        "output": [*packets, *twos, *large()],
    }


def words() -> Iterator[bytes]:
    yield from spec.UNIVERSAL_KEYS.values()
    yield from spec.KEYED
    yield from MARKS
    tags = {tag for items in spec.SETS.values() for tag in items}
    yield from (oid(tag) + bytes([length]) for tag in sorted(tags) for length in (1, 2, 4, 8))


def main(folder: Path) -> None:
    for target, inputs in seeds().items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(inputs):
            (folder / target / f"seed-{number}").write_bytes(data)
    text = "".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in words())
    (folder / "dictionary").write_text(text, encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
