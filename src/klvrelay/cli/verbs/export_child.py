"""The process that exports one flight for `export_jobs.py`: the job on standard input, answers on standard output."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict
from typing import Any

from klvrelay.cli.verbs.export_flight import export_flight
from klvrelay.cli.verbs.export_jobs import ExportJob
from klvrelay.errors import KlvrelayError
from klvrelay.sources.isolated.prctl import end_with_parent

INTERRUPTED = 130


def main() -> int:
    """Returns the exit code. If the command that started this process ends, it ends too, without a partial file."""
    end_with_parent(signal.SIGTERM)
    job = ExportJob.from_json(sys.stdin.buffer.read())
    try:
        done = export_flight(job.url, job.name, job.settings, job.target, lambda size: _answer({"bytes": size}))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return 1
    except KlvrelayError as fault:
        return _failed(fault)
    except OSError as fault:
        return _failed(KlvrelayError(fault.strerror or type(fault).__name__))
    _answer({"done": asdict(done)})
    return 0


def _failed(fault: KlvrelayError) -> int:
    _answer({"failed": str(fault), "code": fault.exit_code})
    return fault.exit_code


def _answer(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)


if __name__ == "__main__":
    sys.exit(main())
