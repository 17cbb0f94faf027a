"""Control characters (Cc, Cf, line and paragraph separators) leave klvrelay only as escapes: in JSON of the core and of
Python, in CSV, on a terminal, in the page.

A reader of the JSON or the CSV recovers the original text.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import each_case
from conftest import ROOT
from core_and_reference import core_json
from hypothesis import example, given
from hypothesis import strategies as st
from packet_wrapping import item, packet
from records import record
from rich.console import Console
from test_cli import ran

from klvrelay import core
from klvrelay.cli import main as cli
from klvrelay.cli.verbs import demo
from klvrelay.cli.verbs.frame_times import HEAD
from klvrelay.encode import encode
from klvrelay.exports import csv_cells
from klvrelay.json_output import dumps, rewrite_integers
from klvrelay.shape.state import StreamState
from klvrelay.sinks.mqtt.protocol.connection import Received

SINCE_15 = range(0x13439, 0x13440)
"""Format characters of Egyptian hieroglyphs, which the database of Python 3.11 (Unicode 14) does not have yet."""
STEERING = {
    chr(code)
    for code in (*range(0x20000), *range(0xE0000, 0xE1000))  # no other plane has control characters
    if code in SINCE_15 or unicodedata.category(chr(code)) in ("Cc", "Cf", "Zl", "Zp")
}
HOSTILE = [
    "\x1b]0;PWNED\x07\x1b[31mred\x1b[0m\x1b[2J", "line1\r\nline2 FAKE", "nul\0in", "\ufeffbom", "rtl\u202egnp.exe",
    "zw\u200bz\u200dx\u2060", "\x9b31mC1", "\x7fdel", "\u2028ls\u2029ps", "soft\u00adhyphen", "tag\U000e0041\U000e0001",
    "</script><script>document.title='PWN'</script>", "[red]rich[/red] [link=http://evil]x[/link]", "%s%n{0}{x}",
]  # fmt: skip
FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\u200b=1", "\ufeff=1", "\u3000=1",
    "\x1b=1", "\u034f=1", "\u3164=1", "\u202e=1", "＝1", "＋1", "－1", "＠SUM(1)", "﹦1", "⁺1", "₌1", "−1",
    "  \u200d＝1", "'=1",
]  # fmt: skip
NO_FORMULAS = ["1=1", "a-b", "'quoted'", "", " ", "\u200b", "_=1", "(-1)", "é=", "≠1"]


def steering_in(text: str) -> set[str]:
    """The control characters that are in it raw, line ends aside."""
    return set(text) & (STEERING - {"\n"})


def characters() -> Iterator[str]:
    """Every character, in texts that fit into an item."""
    codes = [code for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    for at in range(0, len(codes), 15_000):
        yield "".join(map(chr, codes[at : at + 15_000]))


def record_of(text: str) -> bytes:
    return encode({"precision_time_stamp": 1_700_000_000_000_000, "mission_id": text, "platform_designation": text})


# ---- JSON ----


@pytest.mark.parametrize(("coding", "set_", "tag", "key"), [
    ("utf-8", "ST0601", 3, "mission_id"), ("utf-16-be", "ST0102", 13, "object_country_codes"),
])  # fmt: skip
def test_the_core_escapes_only_control_characters(coding: str, set_: str, tag: int, key: str) -> None:
    """Every character of Unicode, in both encodings; reading the JSON back returns the original."""
    for text in characters():
        document = core_json(packet(set_, item(tag, text.encode(coding)))).decode()
        assert not set(document) & STEERING
        assert json.loads(document)["items"][key] == text
        inside = document.partition(f'"{key}":"')[2].rpartition('"}')[0]
        escapes = re.findall(r"\\u[0-9a-f]{4}", inside)
        expected = sum(2 if ord(c) > 0xFFFF else 1 for c in text if c in STEERING)
        assert len(escapes) == expected


def test_python_escapes_the_same() -> None:
    """In values and in names; an indented document keeps its line ends."""
    for text in characters():
        for content in (text, {text: text}, [[text]]):
            document = dumps(content).decode()
            assert not set(document) & STEERING
            assert json.loads(document) == content
        plain = "".join(c for c in text if c >= " ")  # for the others the two use different escapes
        assert dumps(plain) in core_json(packet("ST0601", item(3, plain.encode())))
    assert dumps({"a": ["\x9b"]}, indented=True) == b'{\n  "a": [\n    "\\u009b"\n  ]\n}\n'


def test_text_that_is_all_escapes_keeps_to_the_bound() -> None:
    """64 times the packet and 4 KiB, as all text."""
    for text in ("\x80" * 20_000, "\u202e" * 20_000, "\U000e0001" * 15_000, "\x7f" * 60_000):
        raw = packet("ST0601", item(3, text.encode()))
        assert len(core_json(raw)) <= 64 * len(raw) + 4096


def test_no_other_module_writes_json() -> None:
    """All JSON that leaves klvrelay goes through `json_output.dumps`: other modules write it for their own use only."""
    own = {
        "json_output.py", "shape/restoring/documents.py", "shape/restoring/restore.py", "sources/isolated/pack.py",
        "sources/isolated/source.py", "sources/web/position.py", "cli/verbs/export_child.py",
        "cli/verbs/export_jobs.py",
    }  # fmt: skip
    package = ROOT / "src" / "klvrelay"
    writers = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("dumps", "dump") and ast.unparse(node.value) != "self"
    }
    assert writers == own


@each_case("text", HOSTILE)
def test_documents_about_a_stream_are_escaped(text: str) -> None:
    """Its name, its state, and integers made safe."""
    latest = StreamState()
    latest.add(record(0, raw=record_of(text)))
    state = latest.document()
    assert state is not None
    assert json.loads(state)["items"]["mission_id"] == text
    head = core.head(text, None)
    assert json.loads(head + b"}")["stream"] == text
    for document in (state, head, rewrite_integers(state, "safe")):
        assert not steering_in(document.decode())


# ---- CSV ----


def unescaped(cell: str) -> str:
    """The text of a cell, decoded as `decode --help` documents."""
    text = str(json.loads('"' + cell.replace('"', '\\"') + '"'))
    return text[1:] if text.startswith("'") and csv_cells.is_formula(text.lstrip("'")) else text


@given(st.text())
@example("\\u001b\x1b\\")
@example('"\\"')
@example("''=1")
def test_a_cell_is_escaped_and_can_be_read_back(text: str) -> None:
    """A backslash in the text is not read as an escape, nor a quote as the mark."""
    (row,) = csv.reader(io.StringIO(csv_cells.line_of([text, 1]).decode(), newline=""), strict=True)
    assert not steering_in(row[0])
    assert unescaped(row[0]) == text


@each_case("text", FORMULAS)
def test_a_formula_is_marked_as_text(text: str) -> None:
    """By the first visible character, in any form and after any prefix."""
    assert str(csv_cells.cell(text)).startswith("'")


@each_case("text", NO_FORMULAS)
def test_other_text_and_numbers_are_not_marked(text: str) -> None:
    """A quote before them would change them."""
    assert csv_cells.cell(text) == text if not steering_in(text) else not csv_cells.cell(text).startswith("'")
    for value in (-1, -33.5, 1e-9, 0, None):
        assert csv_cells.cell(value) is value


def test_every_cell_of_a_csv_is_escaped(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Texts, lists, and the summary line."""
    path = tmp_path / "hostile.klv"
    texts = [*HOSTILE, *FORMULAS]
    path.write_bytes(b"".join(record_of(text) for text in texts))
    assert cli.main(["decode", "--format", "csv", str(path)]) == 0
    out, said = (text.decode() for text in capfdbinary.readouterr())
    assert not steering_in(out.replace("\r\n", "\n")) | steering_in(said)
    rows = list(csv.DictReader(io.StringIO(out, newline=""), strict=True))
    assert len(rows) == len(texts)
    for text, row in zip(texts, rows, strict=True):
        assert unescaped(row["mission_id"]) == text
        assert not csv_cells.is_formula(row["platform_designation"])


def test_frame_times_have_the_same_cells() -> None:
    """Their heading is plain."""
    assert csv_cells.line_of(HEAD).decode().strip() == ",".join(HEAD)


# ---- a terminal, a page ----


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_probe_shows_control_characters_as_escapes(
    form: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """On a terminal, in JSON, in the page, which has no script."""
    page = tmp_path / "page.html"
    options = {"text": [], "json": ["--json"], "html": ["--html", str(page)]}[form]
    for text in HOSTILE:
        path = tmp_path / "hostile.klv"
        path.write_bytes(record_of(text) * 3)
        _, out, said = ran(capfd, "probe", "-q", *options, str(path))
        assert not steering_in(out) | steering_in(said)
        if form == "html":
            written_page = page.read_text(encoding="utf-8")
            assert not steering_in(written_page)
            assert "<script" not in written_page


def test_decode_writes_one_line_per_record(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """JSON Lines are safe on a terminal."""
    path = tmp_path / "hostile.klv"
    path.write_bytes(b"".join(map(record_of, HOSTILE)))
    _, out, said = ran(capfd, "decode", str(path))
    assert not steering_in(out) | steering_in(said)
    assert [json.loads(line)["items"]["mission_id"] for line in out.splitlines()] == HOSTILE


def test_items_escapes_its_search_term(capfd: pytest.CaptureFixture[str]) -> None:
    """In found and not found names."""
    for text in HOSTILE:
        for arguments in ([text], ["--set", text], ["--json", text]):
            code, out, said = ran(capfd, "items", *[part for part in arguments if part])
            assert code in (0, 2)
            assert not steering_in(out) | steering_in(said)


@each_case("text", HOSTILE)
def test_demo_shows_a_broker_s_messages_tamed(text: str) -> None:
    """Any client may publish there: records, other payloads and topics are escaped."""
    console = Console(file=io.StringIO(), width=400, force_terminal=False)
    document = dumps({"seq": text, "time": text, "items": {"mission_id": text}})
    raw = json.dumps({"items": {"mission_id": text}}, ensure_ascii=False).encode()
    for payload in (document, raw, text.encode(), b"[]", b"{}", b"\xff"):
        console.print(demo.in_full(payload), soft_wrap=True)
        for leaf in ("telemetry", "state", "status"):
            console.print(demo.line_of(Received(f"klvrelay/{text}/{leaf}", payload, False), leaf, 0))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert not steering_in(shown)
