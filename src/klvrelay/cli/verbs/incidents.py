"""The verb `incidents`: lists and acknowledges incidents, and prints their figures."""

from __future__ import annotations

import csv
import getpass
import io
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from klvrelay.cli.standard_streams import flush_output
from klvrelay.cli.verbs.incident_tables import figures_printout, list_printout
from klvrelay.cli.verbs.printout import show
from klvrelay.config.kinds import did_you_mean
from klvrelay.config.settings_file import read_settings
from klvrelay.config.units import parse_time
from klvrelay.errors import ConfigError
from klvrelay.health.causes import CAUSES, Cause
from klvrelay.incidents.figures import FIGURES_MEMBERS, Period
from klvrelay.incidents.incident import MEMBERS
from klvrelay.incidents.ledger_service import check_acknowledgement
from klvrelay.incidents.query import LIMIT, LIMIT_MOST, Query
from klvrelay.incidents.reading import StoredLedger
from klvrelay.incidents.state_folder import state_path
from klvrelay.json_output import dumps
from klvrelay.log import logger
from klvrelay.text import printable

Form = Literal["table", "json", "csv"]
FIGURES_SINCE = 30 * 86400.0
"""Default seconds of the period of figures, up to now."""
NAMES_MOST = 20
"""Maximum number of names in a warning."""
Document = dict[str, Any]


class LedgerSource(Protocol):
    """Where incidents are read: the file, or a running relay."""

    def list(self, query: Query) -> Sequence[Document]:
        """The wanted incidents as JSON members, the latest first."""

    def figures(self, period: Period) -> Document:
        """The figures of a period as JSON members."""

    def acknowledge(self, id: str, by: str, note: str | None) -> Document:
        """The acknowledged incident as JSON members."""


def source_of(
    state: str | None, config: str | None, url: str | None, token_file: str | None, ca_file: str | None
) -> LedgerSource:
    """Where the incidents are. Raises ConfigError."""
    if url is not None:
        from klvrelay.cli.verbs.incident_api import RelayApi  # loaded here: without a URL it is not needed
        from klvrelay.cli.verbs.relay_http import RelayHttp

        return RelayApi(RelayHttp(url, token_file, ca_file))
    path = Path(state) if state is not None else state_path(read_settings(config).settings.state)
    if path is None:
        what = "give --state DIR" if config is None else f"{printable(config)} has no relay.state: give --state DIR"
        raise ConfigError(f"no state directory: {what}, the directory of `run --state`, or --url of a running relay")
    return StoredLedger(path)


def wanted(
    stream: str | None, sink: str | None, cause: str | None, since: str | None, limit: int | None, *, is_open: bool
) -> Query:
    """The wanted incidents. Raises ConfigError."""
    if stream is not None and sink is not None:
        raise ConfigError("--stream, --sink: give one of them")
    if cause is not None and cause not in CAUSES:
        raise ConfigError(f"--cause {printable(cause)}: unknown cause{did_you_mean(cause, CAUSES)}; valid causes:"
                          f" {', '.join(CAUSES)}")  # fmt: skip
    if limit is not None and not 0 < limit <= LIMIT_MOST:
        raise ConfigError(f"--limit {limit}: must be from 1 to {LIMIT_MOST}")
    return Query(
        stream if sink is None else sink, None if sink is None else "sink", cast("Cause | None", cause),
        None if since is None else _time_us(since), None, True if is_open else None, limit or LIMIT,
    )  # fmt: skip


def _time_us(text: str) -> int:
    """Microseconds since 1970 of a time ago, or of a date and time, of UTC unless it names a zone."""
    if (seconds := parse_time(text)) is not None:
        return max(0, time.time_ns() // 1000 - round(seconds * 1e6))
    with suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(text)
        return max(0, round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1e6))
    raise ConfigError(f"--since {printable(text)}: give a time such as 24h or 7d, or a date such as 2026-12-01T08:00")


def show_list(source: LedgerSource, query: Query, form: Form) -> int:
    """Print incidents."""
    found = source.list(query)
    if not found:
        _warn_unknown(source, query)
    if form == "table":
        _print(list_printout(found, query))
    else:
        _write({"incidents": list(found)} if form == "json" else found, form, MEMBERS)
    return 0


def show_figures(source: LedgerSource, query: Query, form: Form) -> int:
    """Print the figures of the time since then, or of the last 30 days."""
    now = time.time_ns() // 1000
    since = now - round(FIGURES_SINCE * 1e6) if query.since_us is None else query.since_us
    report = source.figures(Period(min(since, now), now))
    rows = [each for each in report["figures"] if _is_wanted(each, query)]
    if not rows:
        _warn_unknown(source, query)
    if form == "table":
        _print(figures_printout(report, rows))
    else:
        _write(report | {"figures": rows} if form == "json" else rows, form, FIGURES_MEMBERS)
    return 0


def _warn_unknown(source: LedgerSource, query: Query) -> None:
    """Warn of a stream or sink that the ledger has never seen."""
    if query.stream is None:
        return
    subject = query.effective_subject or "stream"
    rows = source.figures(Period(0, time.time_ns() // 1000))["figures"]
    known = sorted({str(each["name"]) for each in rows if each["subject"] == subject})
    if query.stream not in known:
        names = f"known: {', '.join(map(printable, known[:NAMES_MOST]))}" if known else f"it knows no {subject}"
        hint = did_you_mean(query.stream, known)
        logger().warning("no %s of this name is in the ledger: %s%s; %s", subject, printable(query.stream), hint, names)


def _is_wanted(figures: Document, query: Query) -> bool:
    subject = query.effective_subject
    return (
        (query.stream is None or figures["name"] == query.stream)
        and (subject is None or figures["subject"] == subject)
        and (query.cause is None or figures["cause"] == query.cause)
    )


def acknowledge(source: LedgerSource, id: str, by: str | None, note: str | None, *, as_json: bool) -> int:
    """Acknowledge an incident. Raises ConfigError."""
    name = by if by is not None else _user()
    check_acknowledgement(name, note)
    found = source.acknowledge(id, name, note)
    with flush_output():
        if as_json:
            sys.stdout.write(dumps(found, indented=True).decode())
        else:
            what = f"{found['subject']} {printable(found['name'])}, {found['cause']}"
            sys.stdout.write(f"acknowledged {found['id']}: {what}\n")
    return 0


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise ConfigError("--by: give a name; the user of this process has none") from None


def _print(printout: Any) -> None:
    with flush_output():
        show(printout, sys.stdout)


def _write(content: Any, form: Form, members: Sequence[str]) -> None:
    with flush_output():
        sys.stdout.write(dumps(content, indented=True).decode() if form == "json" else _csv(content, members))


def _csv(rows: Sequence[Document], members: Sequence[str]) -> str:
    out = io.StringIO()
    columns = [name for name in members if name != "schema"]
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    """A value for CSV. A text that a spreadsheet would run as a formula begins with an apostrophe."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
