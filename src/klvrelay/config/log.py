"""The settings of the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from klvrelay.config import kinds
from klvrelay.config.mistyped import file_name
from klvrelay.config.setting import setting
from klvrelay.errors import ConfigError

SIZE_LEAST = 128 << 10
"""Least bytes of a log file: every line fits into it."""


def _check_file(name: str) -> None:
    if not name:
        raise ConfigError("must be the name of a file")
    file_name(name, "")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Where the log is written, and how. `file` None: standard error, or the journal."""

    format: Literal["text", "json", "journal"] = setting(
        "text", kinds.one_of("text", "json", "journal"),
        "text; json: one object per line, with the field names of the Elastic Common Schema; journal: entries for"
        " journald",
    )  # fmt: skip
    file: str | None = setting(
        None, kinds.text(_check_file, "the name of a file", wanted="the name of a file"),
        "a file for the log, which is rotated", note="standard error", example='"/var/log/klvrelay/klvrelay.log"',
    )  # fmt: skip
    size: int = setting(10 << 20, kinds.size(SIZE_LEAST), "bytes after which a file is rotated")
    count: int = setting(5, kinds.whole(0, 1000), "rotated files that are kept: file.1, file.2, ...")
