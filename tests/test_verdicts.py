"""The table of faulty streams: the probe's first line is the cause, and `decode` and `replay` report the same."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import feed
import orjson
import pytest
from brokers import until
from cases import each_case
from faulty_streams import GOOD, NO_KLV, ROWS, Row
from oracle_broker import OracleBroker
from test_cli import ran
from test_relay_process import klvrelay

from klvrelay.core import Counters
from klvrelay.health.diagnosis import no_klv

LOST = [row for row in ROWS if row.code == NO_KLV]


@pytest.fixture(params=ROWS, ids=lambda row: row.fault)
def row(request: pytest.FixtureRequest) -> Row:
    return request.param  # type: ignore[no-any-return]


def first_lines(out: str) -> tuple[str, str]:
    """Verdict and advice of a report in a pipe, its wrapped lines joined."""
    verdict, _, advice = out.partition("\n\n")[0].replace("\n", " ").partition(" Do this: ")
    return verdict, advice


def test_the_first_line_is_the_cause(row: Row, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """And the second line is what to do; a healthy stream gets no advice."""
    path = tmp_path / "s.ts"
    path.write_bytes(row.make())

    code, out, said = ran(capfd, "probe", str(path))
    verdict, advice = first_lines(out)

    assert (code, said) == (row.code, "")
    assert re.match(row.line, verdict)
    assert advice.startswith(row.advice)
    assert (row.code == GOOD) == (advice == "")


def test_decode_agrees(row: Row, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Records are output where the probe found some; otherwise one line gives the cause, and the exit code is 4."""
    path = tmp_path / "s.ts"
    path.write_bytes(row.make())

    code, out, said = ran(capfd, "decode", str(path))

    assert (code == NO_KLV, out == "") == (row.code == NO_KLV, row.code == NO_KLV)
    assert (row.said in said, said.count("\n")) == (True, 1)


@pytest.mark.parametrize("row", LOST, ids=lambda row: row.fault)
def test_a_replay_agrees(row: Row, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Its log gives the cause, and the exit code is that of `decode`; without records no broker is needed."""
    path = tmp_path / "s.ts"
    path.write_bytes(row.make())

    code, _, said = ran(capfd, "replay", str(path), "--speed", "50", "--mqtt", "mqtt://127.0.0.1:1")

    assert code == NO_KLV
    assert f"s: ended, and it had no KLV: {row.said}" in re.sub(r"(: )(all [\d,]+ (TS|KLV) packets )", r"\1", said)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [("KLV scrambled", "the KLV is scrambled"), ("text under a KLVA label", "no complete KLV packet on the PID"),
     ("video without any table", "no PAT received")],
)  # fmt: skip
async def test_a_live_stream_without_klv_has_its_cause(fault: str, cause: str, oracle: OracleBroker, free_port: int):
    """While it waits: in the log, and as the reason on `link`."""
    data = feed.datagrams(next(row for row in ROWS if row.fault == fault).make())

    def reasons() -> list[str]:
        return [orjson.loads(link)["reason"] for link in oracle.payloads("klvrelay/uav1/link")]

    args = ("run", f"udp://127.0.0.1:{free_port}", "--stream", "uav1", "--stall", "0.5", "--mqtt", oracle.url)
    async with klvrelay(*args) as command:
        await feed.listening(free_port)
        async with asyncio.timeout(20):
            while not any(f"no KLV in it so far: {cause}" in reason for reason in reasons()):
                feed.send_udp(data, free_port)
                await asyncio.sleep(0.2)
        await until(lambda: f"no KLV in it so far: {cause}" in command.said)


def test_every_cause_has_an_advice_and_every_fault_its_own_name():
    """The table is complete: it has each cause of the diagnosis."""
    assert len({row.fault for row in ROWS}) == len(ROWS) >= 40
    assert all(row.said for row in LOST)
    causes = (
        Counters(), Counters(passed_over=9),
        Counters(ts_packets=9, transport_errors=9), Counters(ts_packets=9, klv_packets=2, klv_scrambled=2),
        Counters(ts_packets=9, klv_packets=2), Counters(ts_packets=9, klv_packets=2, fill=2),
        Counters(ts_packets=9, klv_packets=2, unlisted_packets=2), Counters(ts_packets=9),
        Counters(ts_packets=9, pat_sections=1), Counters(ts_packets=9, pat_sections=1, crc_errors=1),
        Counters(ts_packets=9, pat_sections=1, pmt_sections=1, private_packets=3),
        Counters(ts_packets=9, pat_sections=1, pmt_sections=1),
    )  # fmt: skip
    found = [no_klv(counters) for counters in causes]
    assert [each.id for each in found] == [
        "no_packet", "no_packet", "transport_error", "scrambled", "not_klv", "only_fill", "no_whole_packet", "no_pat",
        "no_pmt", "bad_tables", "private", "no_klv",
    ]  # fmt: skip
    assert all(each.advice.endswith(".") and not each.cause.endswith(".") for each in found)


@each_case(
    ("counters", "cause"),
    [
        (Counters(ts_packets=100, transport_errors=50), "transport_error"),
        (Counters(ts_packets=100, transport_errors=49), "no_pat"),
        (Counters(ts_packets=100, transport_errors=10, klv_packets=20, klv_transport_errors=10), "transport_error"),
        (Counters(ts_packets=100, transport_errors=9, klv_packets=20, klv_transport_errors=9), "not_klv"),
        (Counters(ts_packets=100, klv_packets=20, klv_scrambled=2), "scrambled"),
        (Counters(ts_packets=100, klv_packets=20, klv_scrambled=1), "not_klv"),
        (Counters(ts_packets=100, pat_sections=1, pmt_sections=1, private_packets=10, scrambled=5), "scrambled"),
        (Counters(ts_packets=100, pat_sections=1, pmt_sections=1, private_packets=10, scrambled=4), "private"),
        (Counters(ts_packets=100, scrambled=50), "scrambled"),
        (Counters(ts_packets=100, scrambled=49), "no_pat"),
    ],
)
def test_the_limits_between_causes(counters: Counters, cause: str):
    """From both sides."""
    assert no_klv(counters).id == cause
