"""One alert: a rule that holds for a stream, a sink or the relay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from klvrelay.config.alert_rules import AlertSubject, Severity
from klvrelay.health.report import utc

SCHEMA = "klvrelay/alert/1"


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that was raised, and perhaps cleared or ended. Times are microseconds since 1970 UTC.

    id          unique over all runs: the same in every document about this alert
    rule        id of its rule
    subject     "stream", "sink" or "relay", and its `name`
    value       the value when it was raised; `worst` since then; `cleared_value` when it was cleared
    threshold   of the rule, in `unit`
    since_us    when the value left its normal range; `raised_us`: when it was reported, after the hold
    cleared_us  when it was cleared, or ended; None while it is raised
    text        what is wrong, as a sentence without a full stop; `advice`: what to do
    ended       why it ended without being cleared: its value is not measured any longer; "": it did not
    news        of one that is raised: it was raised just now, it continues one of an earlier run of the relay, or its
                text was updated; `updates`, how often
    """

    id: str
    rule: str
    subject: AlertSubject
    name: str
    severity: Severity
    value: float
    worst: float
    threshold: float
    unit: str
    since_us: int
    raised_us: int
    text: str
    advice: str
    cleared_us: int | None = None
    cleared_value: float | None = None
    ended: str = ""
    news: Literal["raised", "continues", "updated"] = "raised"
    updates: int = 0

    @property
    def is_raised(self) -> bool:
        return self.cleared_us is None

    @property
    def place(self) -> str:
        """What it is about, and its rule: `stream/uav1/no_klv`, or `relay/disk_space`."""
        return f"relay/{self.rule}" if self.subject == "relay" else f"{self.subject}/{self.name}/{self.rule}"

    @property
    def event(self) -> str:
        """What happened last: raised, continues, updated, cleared or ended."""
        if self.is_raised:
            return self.news
        return "ended" if self.ended else "cleared"

    @property
    def seconds(self) -> float:
        """Seconds from `since` to the clear or the end; 0 while it is raised."""
        return 0.0 if self.cleared_us is None else (self.cleared_us - self.since_us) / 1e6

    def document(self) -> dict[str, Any]:
        """The alert as members of a JSON document."""
        document: dict[str, Any] = {
            "id": self.id,
            "rule": self.rule,
            "subject": self.subject,
            "name": self.name,
            "severity": self.severity,
            "value": rounded(self.value),
            "worst": rounded(self.worst),
            "threshold": rounded(self.threshold),
            "unit": self.unit,
            "since": utc(self.since_us),
            "raised": utc(self.raised_us),
            "text": self.text,
            "advice": self.advice,
        }
        if self.cleared_us is not None:
            document[self.event] = utc(self.cleared_us)
            document["seconds"] = round(self.seconds, 3)
        if self.ended:
            document["reason"] = self.ended
        return document


def rounded(value: float) -> float:
    """With six significant digits."""
    return float(f"{value:.6g}")
