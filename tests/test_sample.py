"""`klvrelay.sample.write`: its file, repeated runs, interruptions and invalid arguments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from tstrans.io import extract_klv, probe
from tstrans.klv import decode_uas_datalink

from klvrelay import sample
from klvrelay.errors import ConfigError
from klvrelay.sample import picture
from klvrelay.sample.terrain import paint

SHIPPED = Path(__file__).parent.parent / "samples" / "orbit.ts"
SMALL = {"seconds": 0.5, "size": (128, 72)}


def klv_of(path: Path) -> list[bytes]:
    return [packet.payload if hasattr(packet, "payload") else packet for packet in extract_klv(path)]


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_the_same_seed_gives_the_same_bytes(tmp_path, codec, monkeypatch):
    """Two runs with the same arguments write the same file."""
    monkeypatch.setattr(picture, "paint", paint)
    for name in ("one.ts", "two.ts"):
        sample.write(tmp_path / name, codec=codec, seed=7, **SMALL)

    assert (tmp_path / "one.ts").read_bytes() == (tmp_path / "two.ts").read_bytes()


def test_another_seed_is_another_flight():
    """Position, mission and track differ from seed to seed."""
    one, two = (decode_uas_datalink(next(sample.packets(seed=seed))) for seed in (1, 2))

    assert abs(one.sensor_lat_deg - two.sensor_lat_deg) + abs(one.sensor_lon_deg - two.sensor_lon_deg) > 1e-4
    assert one.mission_id != two.mission_id


def test_the_summary_describes_the_file(tmp_path):
    """Frames, KLV packets, bytes and carriage are those of the file; progress was reported."""
    reported: list[tuple[int, int]] = []

    summary = sample.write(
        tmp_path / "a.ts", seconds=0.5, size="128x72", klv_rate=10, carriage="async",
        progress=lambda done, total: reported.append((done, total)),
    )  # fmt: skip

    assert (summary.frames, summary.packets, summary.seconds) == (15, 5, 0.5)
    assert (summary.carriage, summary.codec) == ("async", "h264")
    assert summary.size == summary.path.stat().st_size
    assert reported == [(done, 15) for done in range(1, 16)]
    assert probe(summary.path).has_klv


@pytest.mark.parametrize(
    "start",
    [
        datetime(2024, 2, 29, 12, 0, 0, 250_000, tzinfo=UTC),
        datetime(2024, 2, 29, 14, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=2))),
        "2024-02-29T12:00:00.250Z",
        "2024-02-29T12:00:00.250",
        1_709_208_000_250_000,
    ],
)
def test_the_start_is_accepted_in_any_form(start):
    """A datetime of any zone, ISO text and microseconds mean the same instant."""
    first = decode_uas_datalink(next(sample.packets(start=start)))

    assert first.timestamp_us == 1_709_208_000_250_000


def test_an_interruption_leaves_nothing_behind(tmp_path):
    """A partial recording is removed, and an earlier file of that name is intact."""
    (tmp_path / "kept.ts").write_bytes(b"before")

    def interrupt(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample.write(tmp_path / "kept.ts", progress=interrupt, **SMALL)

    assert [path.name for path in tmp_path.iterdir()] == ["kept.ts"]
    assert (tmp_path / "kept.ts").read_bytes() == b"before"


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"seconds": 0}, r"seconds 0: give more than 0, at most 86400"),
        ({"seconds": float("nan")}, r"seconds nan: "),
        ({"size": (641, 360)}, r"size 641x360: give even numbers, from 128x72 to 3840x2160"),
        ({"size": "large"}, r"size 'large': give WIDTHxHEIGHT, such as 640x360"),
        ({"fps": 5}, r"fps 5: give 10 to 60 per second"),
        ({"fps": "fast"}, r"fps 'fast': give 10 to 60 per second"),
        ({"klv_rate": 31}, r"klv_rate 31: give 0\.1 to 30 per second"),
        ({"codec": "vp9"}, r"codec 'vp9': give one of h264, h265"),
        ({"carriage": "0x15"}, r"carriage '0x15': give one of sync, async"),
        ({"bit_rate": 10}, r"bit_rate 10: give 20000 to 100000000 bits per second"),
        ({"seed": 1.5}, r"seed 1\.5: give a whole number"),
        ({"start": "yesterday"}, r"start 'yesterday': .*; give a time such as 2026-06-01T09:30:00Z"),
        ({"start": datetime(1969, 7, 20, tzinfo=UTC)}, r"start .*: before 1970; "),
        ({"start": -1}, r"start -1: "),
        ({"first_pts": 1 << 33}, r"first_pts 8589934592: give 0 to 8589934591 \(90 kHz ticks\)"),
    ],
)
def test_a_wrong_argument_is_refused_with_the_valid_form(tmp_path, wrong, complaint):
    """The error has argument, value and valid input, and nothing is written."""
    with pytest.raises(ConfigError, match=complaint):
        sample.write(tmp_path / "a.ts", **wrong)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate", ["fast", 61, 0, float("inf")])
def test_a_wrong_klv_rate_is_refused_without_video_too(rate):
    """`packets` checks as `write` does."""
    with pytest.raises(ConfigError, match=r"(klv_rate|fps) .*: give .*per second"):
        next(sample.packets(klv_rate=rate))


def test_an_unwritable_place_is_refused(tmp_path):
    """A folder, a missing folder and a device are no files to write to; existing data stays."""
    with pytest.raises(ConfigError, match=r"not a file; specify a file name"):
        sample.write(tmp_path, **SMALL)
    with pytest.raises(ConfigError, match=r"nowhere/a\.ts: can't be written \(No such file or directory\)"):
        sample.write(tmp_path / "nowhere" / "a.ts", **SMALL)
    with pytest.raises(ConfigError, match=r"/dev/null: not a file"):
        sample.write("/dev/null", **SMALL)

    assert Path("/dev/null").is_char_device()


def test_the_shipped_sample_is_small_and_up_to_date():
    """samples/orbit.ts stays under 2 MB and equals the generator's current output."""
    made = [decode_uas_datalink(packet) for packet in sample.packets(seconds=12)]
    kept = [decode_uas_datalink(packet) for packet in klv_of(SHIPPED)]

    assert SHIPPED.stat().st_size < 2_000_000
    assert [one.timestamp_us for one in kept] == [one.timestamp_us for one in made]
    for one, other in zip(kept, made, strict=True):
        assert one.sensor_lat_deg == pytest.approx(other.sensor_lat_deg, abs=1e-7)
        assert one.frame_center_lon_deg == pytest.approx(other.frame_center_lon_deg, abs=1e-7)
        assert one.sensor_rel_az_deg == pytest.approx(other.sensor_rel_az_deg, abs=1e-6)


@pytest.mark.long
def test_thirty_seconds_take_less_than_thirty(tmp_path):
    """At the default settings a recording is written faster than it plays, at about 160 kB a second."""
    began = datetime.now(UTC)

    summary = sample.write(tmp_path / "long.ts")

    assert (datetime.now(UTC) - began).total_seconds() < 30
    assert summary.size < 6_000_000
