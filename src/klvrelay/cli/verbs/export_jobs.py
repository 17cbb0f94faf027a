"""Exports several flights at once, each in a process, so that all cores work.

A process gets its job as JSON on standard input, and answers with JSON Lines on standard output (`export_child.py`):

    {"bytes": 4194304}                              bytes read since the last line
    {"done": {...}} or {"failed": "...", "code": 3} the end

It runs in a session without the terminal, so that Ctrl-C reaches the command only, which stops all processes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from asyncio.subprocess import Process as ChildProcess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from klvrelay.cli.verbs.export_flight import FlightSummary, Progress
from klvrelay.cli.verbs.export_settings import ExportSettings, ExportTarget
from klvrelay.config.url import Url
from klvrelay.exports.part_file import PART
from klvrelay.text import printable

STOP_WAIT = 2.0
"""Seconds for a process to end after SIGTERM."""
LINE = 1 << 20
"""Maximum bytes of a line of a process."""


@dataclass(frozen=True, slots=True)
class ExportJob:
    """One flight to export."""

    url: Url
    name: str
    settings: ExportSettings
    target: ExportTarget

    def to_json(self) -> bytes:
        settings = {**asdict(self.settings), "options": dict(self.settings.options)}
        document = {"flight": self.url.path, "name": self.name, "settings": settings, "target": asdict(self.target)}
        return json.dumps(document).encode()

    @classmethod
    def from_json(cls, text: bytes) -> ExportJob:
        found = json.loads(text)
        settings = {**found["settings"], "pids": tuple(found["settings"]["pids"])}
        url = Url("file", path=found["flight"])
        return cls(url, found["name"], ExportSettings(**settings), ExportTarget(**found["target"]))


class FlightFailed(NamedTuple):
    """Why a flight was not exported, and the exit code for it."""

    text: str
    code: int


Report = Callable[[ExportJob, FlightSummary | FlightFailed], None]


async def run_jobs(jobs: Sequence[ExportJob], count: int, progress: Progress, report: Report) -> int:
    """Run the jobs, `count` at a time. Returns the exit code of the first error in the order of the jobs, or 0.

    Cancellation stops the processes; no partial file of them remains.
    """
    turns = asyncio.Semaphore(count)

    async def one(job: ExportJob) -> int:
        async with turns:
            done = await _run_job(job, progress)
        report(job, done)
        return done.code if isinstance(done, FlightFailed) else 0

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(job), name=f"klvrelay-export-{job.name}") for job in jobs]
    return next((code for task in tasks if (code := task.result())), 0)


async def _run_job(job: ExportJob, progress: Progress) -> FlightSummary | FlightFailed:
    command = [sys.executable, "-P", "-m", "klvrelay.cli.verbs.export_child"]
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, start_new_session=True, limit=LINE
        )
    except OSError as fault:
        return FlightFailed(f"{printable(job.url.path)}: can't start a process: {fault.strerror}", 1)
    try:
        return await _answer(process, job, progress)
    finally:
        await asyncio.shield(_end(process, job))


async def _answer(process: ChildProcess, job: ExportJob, progress: Progress) -> FlightSummary | FlightFailed:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError, ConnectionResetError):  # it ended early: there is no answer either
        process.stdin.write(job.to_json())
        process.stdin.close()
        await process.stdin.wait_closed()
    async for line in process.stdout:
        answer: dict[str, Any] = json.loads(line)
        if "bytes" in answer:
            progress(answer["bytes"])
        elif "done" in answer:
            found = answer["done"]
            return FlightSummary(**{**found, "files": tuple(map(tuple, found["files"]))})
        else:
            return FlightFailed(answer["failed"], answer["code"])
    code = await process.wait()
    cause = f"a signal ({-code})" if code < 0 else f"exit code {code}"
    return FlightFailed(f"{printable(job.url.path)}: its process ended early with {cause}", 1)


async def _end(process: ChildProcess, job: ExportJob) -> None:
    """Stop the process if it still runs, and remove what a killed one left."""
    if process.returncode is None:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 0.05)
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_WAIT)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        _remove_parts(job.target, process.pid)


def _remove_parts(target: ExportTarget, pid: int) -> None:
    folder = Path(target.path) if target.is_folder else Path(target.path).parent
    for part in folder.glob(f".*.{pid}{PART}"):
        with suppress(OSError):
            part.unlink()
