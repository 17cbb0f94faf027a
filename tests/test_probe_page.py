"""The page: one well-formed file without external resources; hostile text stays text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from probe_streams import Mux, asynchronous, klv_only, probed, record
from test_cli import ran

from klvrelay.probe.drawn import Line, Strip
from klvrelay.probe.drawn import Path as Track
from klvrelay.probe.output import svg
from klvrelay.probe.output.page import page

VOID = {"meta", "br", "hr"}
EVIL = '<script>alert(1)</script>"\'&<b>\x00\u202e'


class Checked(HTMLParser):
    """Fails at an unbalanced tag or an external attribute; collects text and tags."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not {name for name, _ in attrs} & {"src", "href", "xlink:href", "onload", "onclick", "action", "style"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def checked(text: str) -> Checked:
    assert not re.search(r"url\(|@import|https?://|<script|javascript:", text)
    found = Checked(text)
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & set(found.tags)
    return found


def moving(number: int) -> bytes:
    changes: dict[str | int, object] = {
        "sensor_latitude": 56.1 + number * 1e-4,
        "sensor_longitude": 9.4 + number * 2e-4,
        "sensor_true_altitude": 900.0 + number,
    }
    return record(number, changes | ({"platform_call_sign": "K1"} if number % 30 == 0 else {}))


GOOD, ODD = Mux(packets=moving), asynchronous(packets=moving, stream_id=0xFC)


@pytest.mark.parametrize("mux", [GOOD, ODD], ids=["good", "odd"])
def test_the_page_needs_no_other_file(mux: Mux, tmp_path: Path):
    """Well-formed, no script, no external resource; it has verdict, findings, plots and tables."""
    report = probed(mux.bytes(), tmp_path)
    found = checked(page(report))

    assert report.verdict.text in found.text
    assert found.tags.count("svg") == 6
    assert found.tags.count("table") >= 3
    for finding in report.findings:
        assert finding.what in found.text
        assert finding.hint in found.text
    for words in ("Records per second", "Longest gap", "other clocks", "Positions", "Altitude", "Items over time"):
        assert words in found.text
    assert "prefers-color-scheme: dark" in page(report)
    assert "@media print" in page(report)
    assert "default-src 'none'" in page(report)


def test_hostile_text_stays_text(tmp_path: Path):
    """In items, in unknown ones, in the file's name."""
    folder = tmp_path / "<img src=x onerror=alert(1)>"
    folder.mkdir()
    packets = [record(n, {"platform_designation": EVIL, "image_source_sensor": "</td></table>"}) for n in range(9)]
    report = probed(klv_only(packets), folder)
    text = page(report)
    found = checked(text)

    assert "<script>alert(1)</script>" in found.text
    assert "</td></table>" in found.text
    assert "<img src=x onerror=alert(1)>" in found.text
    assert "\x00" not in text
    assert "\u202e" not in text


def test_a_report_without_klv_is_a_page_too(tmp_path: Path):
    """No KLV: no plots, but what was found instead; one record: no curve, but its items."""
    empty = checked(page(probed(Mux(listed=False, packets=lambda n: b"\0").bytes(), tmp_path)))
    assert "svg" not in empty.tags
    assert "H.264 video" in empty.text

    single = checked(page(probed(record(0), tmp_path)))
    assert "Sensor Latitude" in single.text


def test_the_command_writes_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Beside the text, and over an older one."""
    source, target = tmp_path / "a.ts", tmp_path / "report.html"
    source.write_bytes(Mux().bytes())
    target.write_text("old")

    code, out, said = ran(capfd, "probe", str(source), "--html", str(target))

    assert (code, said) == (0, "")
    assert out.startswith("Good: ")
    checked(target.read_text(encoding="utf-8"))


def test_a_page_of_a_long_recording_is_small(tmp_path: Path):
    """An hour of records makes a page no larger than a minute does: every curve has a bounded number of points."""
    packets = [record(number, time_us=1_780_306_200_000_000 + number * 1_000_000) for number in range(3600)]
    text = page(probed(klv_only(packets), tmp_path))

    checked(text)
    assert len(text) < 200_000


def test_curves_with_holes_and_single_points():
    """A hole in the numbers is a hole in the line; constant values have an axis too."""
    numbers = (1.0, 2.0, None, None, None, None, 3.0)
    text = svg.curves("some", [Line("a", 1.0, numbers, numbers, numbers)], "m")
    checked(text)
    assert text.count("<polyline") == 1
    assert text.count("<circle") == 1
    same = (5.0,) * 9
    checked(svg.curves("same", [Line("a", 1.0, same, same, same)], "m"))
    nothing = (None, None)
    assert svg.curves("none", [Line("a", 1.0, nothing, nothing, nothing)], "m") == ""


def test_a_band_is_drawn_where_least_and_most_are_apart():
    """A polygon around the line."""
    text = svg.curves("some", [Line("a", 1.0, (1.0, 2.0), (0.5, 1.0), (1.5, 4.0))], "m")
    assert "<polygon" in text


def test_a_track_leaves_out_impossible_positions():
    """A latitude of 200, and exactly 0, 0."""
    points = ((56.0, 9.0), (200.0, 9.0), (0.0, 0.0), (56.01, 9.01))
    text = svg.track("some", [Track("sensor", points)])
    assert len(re.search(r'points="([^"]*)"', text)[1].split()) == 2  # type: ignore[index]
    assert svg.track("none", [Track("sensor", points[1:3])]) == ""


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.5, 1]), (0, 30, [0, 10, 20, 30]), (-0.5, 0.5, [-0.5, 0, 0.5]), (1e6, 4e6, [1e6, 2e6, 3e6, 4e6])],
)
def test_ticks_are_round_numbers(low: float, high: float, expected: list[float]):
    """1, 2, 5 and their tens."""
    assert svg.ticks(low, high, 4) == pytest.approx(expected)


def test_strips_are_runs_of_one_shade():
    """An item in every second of its bins; bins without any record interrupt no run."""
    records = Strip("records", 1.0, (2, 2, 0, 2, 2, 2))
    text = svg.strips("some", records, [Strip("all", 1.0, (2, 2, 0, 2, 2, 2)), Strip("half", 1.0, (0, 0, 0, 1, 1, 0))])
    assert re.findall(r'class="(s\d)"', text) == ["s4", "s2"]
