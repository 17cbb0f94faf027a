"""The tables of the settings file and their settings: the source of the reader, the environment variables,
`--print-config`, the JSON Schema and the reference page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from klvrelay.config import kinds
from klvrelay.config.alerts import WEBHOOK, AlertEntry, AlertsSettings, GeofenceSettings, NotifySettings
from klvrelay.config.incidents import IncidentSettings
from klvrelay.config.log import LogSettings
from klvrelay.config.names import PID_MOST, checked_name, pid_number
from klvrelay.config.outputs import LIMITS, OUTPUT_SETTINGS
from klvrelay.config.setting import PLACES, Setting, settings_of
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings, SpoolSettings
from klvrelay.config.sinks.known import KINDS
from klvrelay.config.url import Url
from klvrelay.config.web import WebSettings
from klvrelay.errors import ConfigError


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table of the file.

    is_array  there may be several, [[name]]
    id        the key that names one of several
    inner     tables inside each of several
    """

    name: str
    text: str
    settings: tuple[Setting, ...]
    is_array: bool = False
    id: str = ""
    inner: tuple[Table, ...] = ()

    @property
    def key(self) -> str:
        """The key of an inner table: the last part of its name."""
        return self.name.rpartition(".")[2]

    @property
    def header(self) -> str:
        return f"[[{self.name}]]" if self.is_array else f"[{self.name}]"

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key for setting in self.settings for key in setting.keys)

    def setting_of(self, key: str) -> tuple[Setting, str]:
        """The setting of a key, and the place of its value that the key names; "" for the value itself."""
        for setting in self.settings:
            if key in setting.keys:
                return setting, key[len(setting.name) + 1 :]
        raise KeyError(key)


Pids = tuple[dict[int, str], frozenset[int]]
"""Stream names by PID, and selected PIDs."""


def _pids(value: Any) -> Pids:
    """Names by PID (a table), or selected PIDs (a list)."""
    if isinstance(value, list):
        return {}, frozenset(pid_number(pid if isinstance(pid, str | int) else repr(pid)) for pid in value)
    if not isinstance(value, dict):
        raise ConfigError('must be a table of names, {0x101 = "uav1"}, or a list of PIDs, [0x101]')
    names = {pid_number(pid): name for pid, name in value.items()}
    if not all(isinstance(name, str) and name for name in names.values()):
        raise ConfigError('each PID needs a name in quotes, such as 0x101 = "uav1"')
    if len(names) < len(value):
        raise ConfigError("a PID occurs twice")
    for name in names.values():
        checked_name(name, "")
    return names, frozenset()


def _pids_shown(pids: Pids) -> str:
    names, only = pids
    return kinds.toml_text({f"{pid:#x}": name for pid, name in names.items()} if names else sorted(only))


_PID = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": PID_MOST}, {"type": "string"}]}
_PIDS_SCHEMA = {
    "anyOf": [
        {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
        {"type": "array", "items": _PID},
    ]
}
_PIDS = kinds.compound(_pids, 'a table of names by PID, {0x101 = "uav1"}, or a list of PIDs', _PIDS_SCHEMA, _pids_shown)
_LOGIN = kinds.text(wanted=None)

_SOURCE_URL = Setting(
    "url",
    kinds.address(Url.parse, 'such as "udp://0.0.0.0:5000"'),
    "a file, a folder of recordings, - (standard input), udp://, rtp://, tcp://, srt://, rtsp://, rtsps://, http:// or"
    " https://",
    example='"udp://0.0.0.0:5000"',
    elsewhere=True,
)
_OF_SOURCE = (
    Setting(
        "pids", _PIDS, "names of streams by PID, or the PIDs that are wanted", note="all", example='{0x201 = "uav1-eo"}'
    ),
    Setting("username", _LOGIN, "user for rtsp, rtsps, http and https, unless the URL has one", example='"viewer"'),
    Setting(
        "password",
        kinds.SECRET,
        "its password, unless the URL has one",
        elsewhere=True,
        note="KLVRELAY_SOURCE_PASSWORD",
    ),
)
_SINK_URL = Setting(
    "url",
    kinds.addresses(str, 'such as "mqtt://127.0.0.1:1883"'),
    f"the far end: {', '.join(kind.form for kind in KINDS)}; for MQTT, host, port and tls may be given instead, or an"
    " array of brokers, of which the first that accepts is used",
    example='"mqtt://127.0.0.1:1883"',
    elsewhere=True,
)


def _settings_of_kinds() -> tuple[Setting, ...]:
    """The settings of all kinds of sinks. Those with the same name are one."""
    found: dict[str, Setting] = {}
    for kind in KINDS:
        for setting in kind.keys:
            owners = found.get(setting.name, setting).only
            found[setting.name] = replace(found.get(setting.name, setting), only=(*owners, kind.name))
    everyone = tuple(kind.name for kind in KINDS)
    return tuple(replace(setting, only=()) if setting.only == everyone else setting for setting in found.values())


_NAME, *_DELIVERY = settings_of(SinkSettings)

OUTPUT = Table(
    "sink.output",
    "what the [[sink]] above it publishes of its records; without any: for MQTT the presets telemetry and state",
    OUTPUT_SETTINGS,
    is_array=True,
    id="name",
)

RELAY = Table("relay", "the relay itself", settings_of(RelaySettings))
SPOOL = Table(
    "spool", "where records wait for a sink on disk; they survive a crash and a restart", settings_of(SpoolSettings)
)
LOG = Table("log", "the log of the process", settings_of(LogSettings))
INCIDENTS = Table("incidents", "the ledger of incidents, in the state directory", settings_of(IncidentSettings))
SINK = Table(
    "sink",
    "a far end; several are possible. Its URL says of what kind",
    (_NAME, _SINK_URL, *_settings_of_kinds(), *_DELIVERY, *LIMITS),
    is_array=True,
    id="name",
    inner=(OUTPUT,),
)
SOURCE = Table(
    "source",
    "a source; each PID with KLV is a stream",
    (_SOURCE_URL, *settings_of(SourceSettings), *_OF_SOURCE),
    is_array=True,
    id="stream",
)
HTTP = Table("http", "the web server: metrics, health and API; without it there is none", settings_of(WebSettings))
ALERTS = Table(
    "alerts", "alerts of all rules: whether and when they are raised, and quiet hours", settings_of(AlertsSettings)
)
ALERT = Table(
    "alert", "values of one rule, for all streams and sinks or for some; [alerts.md](alerts.md) has all rules",
    settings_of(AlertEntry), is_array=True,
)  # fmt: skip
GEOFENCE = Table(
    "geofence", "a rule about areas or points on the ground", settings_of(GeofenceSettings), is_array=True, id="name"
)
_NOTIFY_NAME, *_OF_NOTIFY = settings_of(NotifySettings)
NOTIFY = Table(
    "notify", "where alerts are sent to: a webhook (url), an Apprise service, or a command",
    (_NOTIFY_NAME, WEBHOOK, *_OF_NOTIFY), is_array=True, id="name",
)  # fmt: skip
TABLES = (RELAY, SPOOL, LOG, HTTP, INCIDENTS, SINK, SOURCE, ALERTS, ALERT, GEOFENCE, NOTIFY)
OLD = {"mqtt": SINK}
"""Tables of earlier versions, which are still read, and what they are now."""

__all__ = [
    "ALERT", "ALERTS", "GEOFENCE", "HTTP", "INCIDENTS", "LOG", "NOTIFY", "OLD", "OUTPUT", "PLACES", "RELAY", "SINK",
    "SOURCE", "SPOOL", "TABLES", "Pids", "Table",
]  # fmt: skip
