"""What to import, and how: the arguments of `klvrelay import`, checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from klvrelay.encode import encode
from klvrelay.errors import ConfigError, EncodeError
from klvrelay.importing.csv_cells import read_number
from klvrelay.importing.derive import ImportSetup
from klvrelay.importing.dji_text import GpsOrder
from klvrelay.importing.item_names import checked_path, item_at
from klvrelay.importing.mapping import ColumnWish
from klvrelay.multiplex.tables import KLV_PID, PMT_PID, VIDEO_PID
from klvrelay.standards.spec import CODES
from klvrelay.text import printable

MAX_AGE = 5.0
"""Seconds for which a value holds."""
BARE = (".klv", ".bin")
"""Endings of files with bare KLV packets."""


ALONE = ImportSetup()


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """An import.

    telemetry    a DJI subtitle file or a table
    video        a file with H.264 or H.265; None: bare KLV
    target       the file to write
    wishes       columns of a table that a user mapped
    constants    values of items, by path, that are in every packet
    start_us     time of the first frame; None: by the telemetry or the video
    offset_us    offset of the telemetry's local time from UTC; None: unknown
    shift_us     what to add to the times of the telemetry
    rate         packets per second; None: one for each frame, or each row
    max_age      seconds after which a value no longer holds
    stamp        insert time stamps into frames that have none (ST 0604)
    """

    telemetry: Path
    video: Path | None
    target: Path | None
    wishes: Sequence[ColumnWish] = ()
    constants: Mapping[str, Any] = field(default_factory=dict)
    start_us: int | None = None
    offset_us: int | None = None
    shift_us: int = 0
    rate: float | None = None
    max_age: float = MAX_AGE
    interpolate: bool = False
    stamp: bool = True
    gps_order: GpsOrder | None = None
    setup: ImportSetup = ALONE
    klv_pid: int = KLV_PID
    program: int = 1
    force: bool = False

    def check(self) -> None:
        """Raises ConfigError for what cannot be, before anything is read."""
        _within("--max-age", self.max_age, 0.001, 86_400, "seconds")
        if self.rate is not None:
            _within("--rate", self.rate, 0.01, 1000, "packets per second")
        if not 0x20 <= self.klv_pid <= 0x1FFE or self.klv_pid in (PMT_PID, VIDEO_PID):
            raise ConfigError(
                f"--pid {self.klv_pid:#x}: give 0x20 to 0x1ffe, except {VIDEO_PID:#x} (video) and {PMT_PID:#x} (PMT)"
            )
        if self.target is not None:
            self._check_target(self.target)

    def _check_target(self, target: Path) -> None:
        if target.name == "-":
            raise ConfigError("OUT.ts -: give the name of a file; it appears when it is complete")
        if target.is_dir():
            raise ConfigError(f"{target} is a folder; name a file in it, such as {target / 'flight.ts'}")
        bare = target.suffix.lower() in BARE
        if self.video is None and not bare:
            raise ConfigError(
                f"{target}: a transport stream needs --video VIDEO; for KLV alone, name a file that ends with .klv"
            )
        if self.video is not None and bare:
            raise ConfigError(f"{target}: bare KLV has no video; name a .ts file, or leave out --video")
        for source in (self.telemetry, self.video):
            if source is not None and source.exists() and target.exists() and source.samefile(target):
                raise ConfigError(f"{target}: would overwrite what is read; choose another name")
        if target.exists() and not self.force:
            raise ConfigError(f"{target} exists; choose another name, or overwrite it with --force")


def constants_of(options: Iterable[str], named: Mapping[str, str | None]) -> dict[str, Any]:
    """The values of `--set ITEM=VALUE` and of options for single items, by path. Raises ConfigError."""
    constants: dict[str, Any] = {path: text for path, text in named.items() if text is not None}
    for option in options:
        name, equals, text = option.partition("=")
        if not equals or not text.strip():
            raise ConfigError(f"--set {printable(option)}: write ITEM=VALUE, such as sensor_true_altitude=120")
        path = checked_path(name, f"--set {printable(option)}")
        item = item_at(path)
        if item is None:
            raise ConfigError(f"--set {printable(option)}: {path} is not an item; it can only be mapped to a column")
        constants[path] = _constant(text.strip(), item.kind)
        _check_constant(option, path, constants[path])
    return constants


def _check_constant(option: str, path: str, value: Any) -> None:
    """Raises ConfigError with the valid values if the item can't have this value."""
    *outer, key = path.split(".")
    nested: Any = {key: value}
    for step in reversed(outer):
        nested = {step: nested}
    try:
        encode({"set": "ST0601", "items": nested, "time_us": 0})
    except EncodeError as fault:
        raise ConfigError(f"--set {printable(option)}: {str(fault).removeprefix('ST0601 ')}") from None


def _constant(text: str, kind: str) -> Any:
    """The text of a text item; otherwise a number, or a label."""
    if kind.startswith(("utf8", "utf16", "ascii")):
        return text
    try:
        return read_number(text, comma=False)
    except ValueError:
        return text


def number_option(name: str, value: float | None, low: float, high: float, unit: str) -> float | None:
    """The value of an option with a number. Raises ConfigError with the range."""
    if value is not None:
        _within(name, value, low, high, unit)
    return value


def _within(name: str, value: float, low: float, high: float, unit: str) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise ConfigError(f"{name} {value:g}: give {low:g} to {high:g} {unit}")


def security_of(classification: str | None, country: str | None) -> dict[str, Any]:
    """A complete ST 0102 set by path: classification and country. Raises ConfigError for one without the other."""
    if classification is None and country is None:
        return {}
    if classification is None or country is None:
        raise ConfigError("--classification and --country: give both, such as Unclassified and DNK")
    labels = CODES[("ST0102", 1, "security_classification")].values()
    label = next((each for each in labels if each.lower() == classification.strip().lower()), None)
    if label is None:
        raise ConfigError(f"--classification {printable(classification)}: give one of {', '.join(labels)}")
    if not (len(country) == 3 and country.isascii() and country.isalpha()):
        raise ConfigError(f"--country {printable(country)}: give the three letters of ISO 3166, such as DNK")
    return {
        f"security_local_set.{key}": value
        for key, value in {
            "security_classification": label,
            "country_coding_method": "ISO-3166 Three Letter",
            "classifying_country": f"//{country.upper()}",
            "object_country_coding_method": "ISO-3166 Three Letter",
            "object_country_codes": country.upper(),
            "version": 12,
        }.items()
    }
