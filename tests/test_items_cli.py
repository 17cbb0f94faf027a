"""`klvrelay items` on the command line: text in a pipe, JSON, a terminal, and unknown items."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
from cases import each_case
from test_cli import COMMAND, ENVIRONMENT, ran

from klvrelay.standards import spec


def printed(capfd: pytest.CaptureFixture[str], *args: str) -> str:
    code, out, said = ran(capfd, "items", *args)
    assert (code, said) == (0, "")
    return out


def fields(text: str) -> dict[str, str]:
    """The labelled lines of an entry."""
    return dict(re.findall(r"(?m)^(\S+(?: \S+)*)  +(\S.*)$", text.split("\n\n")[1]))


def test_without_a_search_term_it_lists_st_0601(capfd: pytest.CaptureFixture[str]):
    """One line per item, with units and range, and how to see more."""
    out = printed(capfd)
    rows = {line.split()[0]: line for line in out.splitlines() if re.match(r"\d+ ", line)}
    assert [*rows] == [str(tag) for tag in spec.SETS["ST0601"]]
    assert re.fullmatch(r"13 +sensor_latitude +deg +-90 to 90 +number +Sensor Latitude", rows["13"])
    for hint in ("klvrelay items 13 ", "klvrelay items 0903:101 ", "--set 0903 ", "--sets "):
        assert hint in out


@pytest.mark.parametrize("question", ["13", "sensor_latitude", "Sensor Latitude", "0601:13"])
def test_one_item_is_shown_in_full(question: str, capfd: pytest.CaptureFixture[str]):
    """In any form of the search term."""
    out = printed(capfd, *question.split())
    assert out.startswith("0601:13  Sensor Latitude\n\n")
    assert fields(out) == {
        "key": "sensor_latitude",
        "standard": "MISB ST 0601.19, item 13",
        "units": "deg",
        "range": "-90 to 90",
        "resolution": "4.190952e-08 deg",
        "length": "4 bytes",
        "encoding": "signed integer, value = raw × 90 / 2147483647",
        "in a record": "number",
        "special values": "0x80000000 = reserved: null, reported in quality.special",
        "length 0": "value unknown: null; in an amend (0601:101) the item is deleted",
        "16-byte key": "060e2b34 01010103 07010201 02040200",
        "notes": "older revisions: 0x80000000 = error",
    }


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("15", ["prefer", "0601:104 sensor_ellipsoid_height_extended, then 0601:75 sensor_ellipsoid_height"]),
        ("104", ["instead of", "0601:75 sensor_ellipsoid_height, then 0601:15 sensor_true_altitude"]),
        ("2", ["in the head", "time, time_us, if its set is the packet", "required"]),
        ("47", ["ir_polarity", "IR polarity: 0 white hot, 1 black hot"]),
        ("34", ["No icing detected", "label"]),
        ("130", ["takeoff_latitude    4      IMAPB over -90 to 90, step 1.192e-07"]),
        ("141", ["32767 = cancelled; negative = past", "prosecution_order\ncode   label\n32767  Cancelled"]),
        ("100", ["may repeat", "not permitted", "klvrelay items --set ST0601"]),
        ("0102:15", ["deprecated"]),
        ("ST1601:8", ["MISB ST 1303", "2     ST 1201 (IMAPB)"]),
        ("1107:22", ["7 digits in 4 bytes, 16 digits in 8 bytes", "NaN"]),
        ("74.101[0].10", ["VTarget:10", "MISB ST 0903.6, VTarget Pack, item 10"]),
        ("060e2b34 01010103 07010201 02040200", ["ST0104  Device Latitude", "MISB EG 0104", "IEEE 754 float"]),
        ("ST1204", ["miis_core_identifier", "sensor_id"]),
        ("ST1010", ["parse_control  1 or 2"]),
    ],
)
def test_an_entry_has_what_the_item_needs(question: str, parts: list[str], capfd: pytest.CaptureFixture[str]):
    """Labels, bits, elements, better items, fields in the head, the universal form."""
    out = printed(capfd, question)
    assert [part for part in parts if part not in out] == []


def test_several_items_are_a_short_table(capfd: pytest.CaptureFixture[str]):
    """With the command for each."""
    out = printed(capfd, "frame", "center")
    assert out.startswith("8 items for 'frame center'\n")
    assert re.search(r"(?m)^0601:23 +frame_center_latitude +deg +-90 to 90 ", out)
    assert out.endswith("klvrelay items 0601:23   shows all of it\n")


def test_another_set_is_listed(capfd: pytest.CaptureFixture[str]):
    """By option, by name, and by the key of its packets; a set without a table says so."""
    out = printed(capfd, "--set", "0903")
    assert out.startswith("MISB ST 0903.6  VMTI Local Set  (ST0903)\n")
    assert re.search(r"(?m)^101 +vtarget_series ", out)
    assert printed(capfd, "vmti") == printed(capfd, "060e2b34020b01010e01030306000000") == out
    assert re.search(r"(?m)^060e2b34010101030701020102040200 +sensor_latitude +deg", printed(capfd, "EG0104"))
    assert 'a record keeps them as hex under "unknown"' in printed(capfd, "0808")


def test_the_sets_are_listed(capfd: pytest.CaptureFixture[str]):
    """Name, document, items, and the packets or sets that contain them."""
    out = printed(capfd, "--sets")
    assert re.search(r"(?m)^ST0601 +MISB ST 0601\.19 +143 +UAS Datalink Local Set +packet, 0601:100, 0601:101$", out)
    assert re.search(r"(?m)^VTarget +MISB ST 0903\.6 +30 +VTarget Pack +0903:101$", out)


def test_json_is_complete(capfd: pytest.CaptureFixture[str]):
    """An array, of one item too; of the sets as well."""
    (one,) = json.loads(printed(capfd, "13", "--json"))
    assert (one["address"], one["range"], one["resolution"][0]["bytes"]) == ("0601:13", [-90, 90], 4)
    assert len(json.loads(printed(capfd, "--json"))) == 143
    assert {found["set"] for found in json.loads(printed(capfd, "angle", "--set", "1206", "--json"))} == {"ST1206"}
    assert {found["set"] for found in json.loads(printed(capfd, "--sets", "--json"))} >= {"ST0601", "ST0104", "ST1303"}


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["sensor_lattitude"], "similar: sensor_latitude"),
        (["200"], "ST0601 has no item 200 (valid tags: 1-143)"),
        (["VTarget:55"], "valid tags: 1-23, 101-107"),
        (["13", "--set", "nope"], "unknown set 'nope'"),
        (["--set", "1206", "300"], "ST1206 has no item 300"),
        (["0" * 32], "unknown key"),
        (["\x1b[31mred"], "no item named"),
        (["--tag", "3"], "--tag"),
    ],
)
def test_an_unknown_item_is_exit_code_2(args: list[str], hint: str, capfd: pytest.CaptureFixture[str]):
    """With similar ones, and what to try; nothing on standard output."""
    code, out, said = ran(capfd, "items", *args)
    assert (code, out) == (2, "")
    assert said.startswith("klvrelay: ")
    assert hint in said
    assert "\x1b" not in said
    assert len(said.splitlines()) == 2


def test_help_explains_the_search_terms(capfd: pytest.CaptureFixture[str]):
    """With an example."""
    code, out, _ = ran(capfd, "items", "--help")
    assert code == 0
    assert "klvrelay items sensor_latitude" in out
    for form in ("0903:101", "74.101[0].10", "060e2b34", "--set", "--sets", "--json"):
        assert form in out


def test_it_loads_no_heavy_library():
    """Neither numpy nor av nor rich is imported for a pipe."""
    code = "import sys; from klvrelay.cli.main import main; main(['items', '13']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert not {"numpy", "av", "rich", "aiomqtt"} & set(done.stdout.split())
    assert "klvrelay.items" in done.stdout.split()


def on_a_terminal(width: int, *args: str) -> str:
    """The output for a terminal of so many columns, with colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environment = {key: value for key, value in ENVIRONMENT.items() if key not in ("COLUMNS", "NO_COLOR")}
    environment["TERM"] = "xterm-256color"
    with subprocess.Popen([*COMMAND, "items", *args], stdout=theirs, env=environment) as process:
        os.close(theirs)
        shown = bytearray()
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:
            pass  # how a terminal reports that its other end is closed
        assert process.wait(10) == 0
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


@each_case("width", [80, 100, 160])
@each_case("args", [(), ("13",), ("141",), ("--sets",), ("latitude",)], ids=lambda args: " ".join(args))
def test_output_fits_the_terminal(args: tuple[str, ...], width: int):
    """No line is wider; colours are used; no key is truncated."""
    shown = on_a_terminal(width, *args)
    assert "\x1b[" in shown
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in shown.splitlines()]
    assert max(map(len, lines)) <= width
    keys = {"": "alternate_platform_ellipsoid_height_extended", "13": "sensor_latitude", "141": "prosecution_order"}
    assert keys.get(" ".join(args), "") in "\n".join(lines)
    assert "…" not in shown


@pytest.mark.parametrize(
    "question",
    [("13", "14"), ("13,14",), ("13,", "14"), ("sensor_latitude", "14"), ("0601:13", "sensor_longitude")],
    ids=" ".join,
)  # fmt: skip
def test_several_items_are_all_shown(question: tuple[str, ...], capfd: pytest.CaptureFixture[str]):
    """Tags, paths and keys, in the requested order, as whole entries and as JSON."""
    out = printed(capfd, *question)
    assert re.findall(r"(?m)^0601:\d+  .*$", out) == ["0601:13  Sensor Latitude", "0601:14  Sensor Longitude"]
    assert [item["tag"] for item in json.loads(printed(capfd, *question, "--json"))] == [13, 14]


def test_search_terms_and_options_come_in_any_order(capfd: pytest.CaptureFixture[str]):
    """argparse alone accepts only the first run of arguments."""
    assert [item["tag"] for item in json.loads(printed(capfd, "13", "--json", "14"))] == [13, 14]
    assert [item["set"] for item in json.loads(printed(capfd, "101", "--set", "0903", "4", "--json"))] == ["ST0903"] * 2


def test_words_and_a_set_with_its_tag_stay_one_search_term(capfd: pytest.CaptureFixture[str]):
    """They are not separate items."""
    assert printed(capfd, "frame", "center").startswith("8 items for 'frame center'\n")
    assert printed(capfd, "0903", "101").startswith("0903:101  vTargetSeries\n")
    assert printed(capfd, "Sensor", "Latitude").startswith("0601:13  ")
    assert printed(capfd, *["060e2b34", "020b0101", "0e010301", "01000000"]).startswith("MISB ST 0601.19  UAS Datalink")


def test_a_missing_item_of_several_is_named(capfd: pytest.CaptureFixture[str]):
    """And no other item is printed: a script must not take a part for the whole."""
    code, out, said = ran(capfd, "items", "13", "9999")
    assert (code, out) == (2, "")
    assert "ST0601 has no item 9999" in said
