"""200 settings files with one fault each: the file, its faulty line and key, and a part of the message."""

from __future__ import annotations

from typing import NamedTuple


class Bad(NamedTuple):
    text: str
    line: int | None
    key: str
    hint: str


IN_RELAY = [
    ("waiting = 0", "waiting", "at least 1"), ("waiting = -1", "waiting", "at least 1"),
    ("waiting = 1.5", "waiting", "whole number"), ('waiting = "77"', "waiting", "whole number"),
    ("waiting = true", "waiting", "whole number"), ("waiting = []", "waiting", "whole number"),
    ("waiting = {}", "waiting", "whole number"), ("waiting = 1979-05-27", "waiting", "whole number"),
    ("waiting = nan", "waiting", "whole number"), ("waiting_size = 0", "waiting_size", "at least 1"),
    ('waiting_size = "64M"', "waiting_size", "whole number"), ("wait = 1", "wait", "did you mean waiting"),
    ("Waiting = 1", "Waiting", "did you mean waiting"), ("waitings = 1", "waitings", "did you mean waiting"),
    ("coalesce = 2", "coalesce", "100ms"), ('coalesce = "2"', "coalesce", "100ms"),
    ('coalesce = "0.4ms"', "coalesce", "0.5ms"), ('coalesce = "0.2s"', "coalesce", "100ms"),
    ("coalesce = false", "coalesce", "0.5ms"), ('coalesce = ""', "coalesce", "0.5ms"),
    ('coalesce = "2 ms"', "coalesce", "0.5ms"), ('coalesce = "-2ms"', "coalesce", "0.5ms"),
    ('coalesce = ["2ms"]', "coalesce", "0.5ms"), ("coalesce = 0.002", "coalesce", "0.5ms"),
    ("qos = 1", "qos", "belongs in [[sink]]"), ("stall = 3", "stall", "belongs in [[source]]"),
    ('commit = "1s"', "commit", "belongs in [spool]"), ('url = "udp://:1"', "url", "belongs in [[sink]] or [[source]]"),
    ("spool = 1", "spool", "unknown setting"), ('"" = 1', "", "unknown setting"),
]  # fmt: skip
IN_LOG = [
    ('format = "xml"', "format", "text, json, journal"), ("format = 1", "format", "in quotes"),
    ('format = "jsn"', "format", "did you mean json"), ('size = "10K"', "size", "at least 128 KiB"),
    ("size = 1048576", "size", "in quotes"), ("count = -1", "count", "from 0 to 1000"),
    ("count = 1001", "count", "from 0 to 1000"), ('count = "5"', "count", "whole number"),
    ('file = ""', "file", "the name of a file"), ("file = 1", "file", "in quotes"),
    ('file = "mqtt://u:p@h/x"', "file", "looks like a URL"), ('fiel = "x"', "fiel", "did you mean file"),
    ('file = "x"\nformat = "journal"', "file", "has no effect with"),
]  # fmt: skip
IN_SPOOL = [
    ('size = "10K"', "size", "at least 1 MiB"), ('size = "many"', "size", "at least 1 MiB"),
    ("size = 1073741824", "size", "in quotes"), ('size = "-1G"', "size", "at least 1 MiB"),
    ('size = ""', "size", "at least 1 MiB"), ('size = "1GG"', "size", "at least 1 MiB"),
    ('size = "999999999T"', "size", "at least 1 MiB"), ("size = true", "size", "in quotes"),
    ('commit = "1m"', "commit", "10ms"), ('commit = "1ms"', "commit", "10ms"), ("commit = 1", "commit", "10ms"),
    ("commit = 0", "commit", "10ms"), ('commit = "0"', "commit", "10ms"), ('commit = "soon"', "commit", "10ms"),
    ("comit = 1", "comit", "did you mean commit"), ("pat = 1", "pat", "did you mean path"),
    ("waiting = 1", "waiting", "belongs in [relay]"), ("commit = [1]", "commit", "10ms"),
]  # fmt: skip
IN_SINK = [
    ("qoss = 1", "qoss", "did you mean qos"), ("qos = 3", "qos", "0, 1, 2"), ("qos = -1", "qos", "0, 1, 2"),
    ('qos = "1"', "qos", "whole number"), ("qos = 1.0", "qos", "whole number"), ("qos = true", "qos", "whole number"),
    ("raw = 1", "raw", "true or false"), ('raw = "yes"', "raw", "true or false"),
    ("keepalive = -5", "keepalive", "1 to 65535"), ("keepalive = 0", "keepalive", "1 to 65535"),
    ("keepalive = 65536", "keepalive", "1 to 65535"), ('keepalive = "30s"', "keepalive", "whole number"),
    ("window = 0", "window", "from 1"), ("window = 100000", "window", "65535"), ("window = 2.5", "window", "whole"),
    ("timeout = nan", "timeout", "from 0.1"), ("timeout = inf", "timeout", "300"), ("timeout = 0", "timeout", "0.1"),
    ("timeout = 301", "timeout", "300"), ('timeout = "10s"', "timeout", "a number"),
    ("expiry = -1", "expiry", "from 0"), ("expiry = 4294967296", "expiry", "4294967295"),
    ('prefix = "a/+/b"', "prefix", "topic levels"), ('prefix = ""', "prefix", "topic levels"),
    ('prefix = "/a"', "prefix", "topic levels"), ('prefix = "a/"', "prefix", "topic levels"),
    ('prefix = "a//b"', "prefix", "topic levels"), ('prefix = "#"', "prefix", "topic levels"),
    ('prefix = "$SYS"', "prefix", "topic levels"), ('prefix = "a\\u0000"', "prefix", "topic levels"),
    ('prefix = "mqtt://u:p@h"', "prefix", "looks like a URL"), ("prefix = 5", "prefix", "in quotes"),
    ('publish_bad = "never"', "publish_bad", "rejected, telemetry, drop"),
    ('publish_bad = "droped"', "publish_bad", "did you mean drop"), ("publish_bad = true", "publish_bad", "in quotes"),
    ('numbers = "strings"', "numbers", "exact, safe"), ('numbers = "Safe"', "numbers", "did you mean safe"),
    ("protocol = 3", "protocol", "4, 5"), ('protocol = "5"', "protocol", "whole number"),
    ('client_id = "a\\nb"', "client_id", "printable"), ("client_id = 5", "client_id", "in quotes"),
    ('client_id = "u:p@h"', "client_id", "looks like a URL"), ('username = "a\\tb"', "username", "printable"),
    ("username = true", "username", "in quotes"), ('cert_file = "/c.pem"', "cert_file", "both"),
    ('key_file = "/k.pem"', "key_file", "both"), ('ca_file = "/c.pem"', "ca_file", "mqtts://"),
    ("ca_file = 1", "ca_file", "in quotes"), ('password = "p"', "password", "user name"),
    ('password_file = "/none"', "password_file", "can't be read"), ("password_file = 1", "password_file", "in quotes"),
    ('password_env = "HOME"', "password_env", "KLVRELAY_"),
    ('password_env = "KLVRELAY_NONE_PASSWORD"', "password_env", "unset or empty"),
    ('password_credential = "../x"', "password_credential", "LoadCredential"),
    ('password_credential = "x"', "password_credential", "CREDENTIALS_DIRECTORY is not set"),
    ('allow_plaintext = "no"', "allow_plaintext", "true or false"), ('name = ""', "name", "letters"),
    ('name = "a/b"', "name", "letters"), ("name = 1", "name", "in quotes"), ('name = "a b"', "name", "letters"),
    ('name = "-a"', "name", "letters"), ('order = "newest"', "order", "strict, live-first"),
    ('order = "livefirst"', "order", "did you mean live-first"), ("order = 1", "order", "in quotes"),
    ("replay_rate = 0", "replay_rate", "from 1"), ("replay_rate = nan", "replay_rate", "from 1"),
    ('replay_rate = "200"', "replay_rate", "a number"), ("stall = 1", "stall", "belongs in [[source]]"),
    ("passwort = 1", "passwort", "did you mean password"), ('url_file = "/x"', "url_file", "url is given too"),
]  # fmt: skip
IN_SOURCE = [
    ("speeed = 2", "speeed", "did you mean speed"), ("speed = 0", "speed", "at least"), ("speed = inf", "speed", ""),
    ('speed = "fast"', "speed", "a number"), ("speed = -1", "speed", "at least"), ('loop = "yes"', "loop", "true or"),
    ("loop = 1", "loop", "true or false"), ("follow = 0", "follow", "true or false"),
    ("timeout = 0", "timeout", "at least"), ("timeout = nan", "timeout", "at least"), ("timeout = inf", "timeout", ""),
    ("timeout = 1e9", "timeout", "less than"), ('timeout = "5s"', "timeout", "a number"),
    ("timeout = true", "timeout", "a number"), ("stall = 0", "stall", "at least"), ("stall = -1", "stall", "at least"),
    ('demux = "ffmpeg"', "demux", "native, libav"), ('demux = "libavv"', "demux", "did you mean libav"),
    ("demux = 1", "demux", "in quotes"), ("isolate = 1", "isolate", "true or false"),
    ('stream = ""', "stream", "must not be empty"), ('stream = "a\\nb"', "stream", "U+000A"),
    ('stream = " a"', "stream", "begin or end"), ("stream = 5", "stream", "in quotes"),
    ('stream = "rtsp://u:p@h"', "stream", "looks like a URL"), (f'stream = "{"x" * 97}"', "stream", "at most 96"),
    ("interface = 0", "interface", "in quotes"), ('interface = "u:p@h"', "interface", "looks like a URL"),
    ('sender = ["a"]', "sender", "in quotes"), ("ca_file = 1", "ca_file", "in quotes"),
    ("packet_limit = 511", "packet_limit", "512"), ("packet_limit = 8388609", "packet_limit", "8388608"),
    ('packet_limit = "1M"', "packet_limit", "whole number"), ('passphrase = "0123456789"', "passphrase", "srt:// only"),
    ('passphrase_env = "KLVRELAY_A_PASSPHRASE"', "passphrase_env", "srt:// only"),
    ('username = "u"', "username", "only"), ('password = "p"', "password", "only"),
    ('pids = {0x2001 = "a"}', "pids", "8190"), ('pids = {klv = "a"}', "pids", "0x101"),
    ("pids = {0x101 = 5}", "pids", "in quotes"), ('pids = {0x101 = ""}', "pids", "in quotes"),
    ('pids = {0x101 = "a", 257 = "b"}', "pids", "twice"), ("pids = 257", "pids", "a list of PIDs"),
    ('pids = "0x101"', "pids", "a list of PIDs"), ("pids = [-1]", "pids", "0 to 8190"),
    ("pids = [true]", "pids", "0 to 8190"), ("pids = [1.5]", "pids", "0 to 8190"), ("pids = [[]]", "pids", "0 to 8190"),
    ('pids = {0x101 = "a", 0x102 = "a"}', "pids", "another stream"), ("program = 0", "program", "1 to 65535"),
    ('program = "first"', "program", "1 to 65535"), ("program = []", "program", "1 to 65535"),
    ("program = 65536", "program", "1 to 65535"), ('url_env = "KLVRELAY_A_URL"', "url_env", "url is given too"),
    ("pid = 1", "pid", "did you mean pids"), ("qos = 1", "qos", "belongs in [[sink]]"),
    ("waiting = 1", "waiting", "belongs in [relay]"), ("zzz = 1", "zzz", "valid settings: url, "),
]  # fmt: skip
IN_OUTPUT = [
    ("colour = 1", "colour", "valid settings: "), ("itmes = []", "itmes", "did you mean items?"),
    ("url = 1", "url", "belongs in [[sink]]"), ("stall = 1", "stall", "belongs in [[source]]"),
    ("name = 5", "name", "in quotes"), ('name = "a/b"', "name", "letters, digits"), ('name = ""', "name", "letters"),
    ('preset = "odd"', "preset", "did you mean osd?"), ("preset = 1", "preset", "in quotes"),
    ('topic = "a/b"', "topic", "must contain {stream}"), ('topic = "{stream}/#"', "topic", "without + and #"),
    ('topic = "{stream}/+"', "topic", "without + and #"), ('topic = "{stream}//a"', "topic", "empty level"),
    ('topic = "/{stream}"', "topic", "empty level"), ('topic = "{stream}/"', "topic", "empty level"),
    ('topic = "{strem}/a"', "topic", "did you mean stream?"), ('topic = "{stream}/{"', "topic", "has a { or }"),
    ('topic = "$SYS/{stream}"', "topic", "must not begin with $"),
    ('topic = "{stream}/a\\u0007"', "topic", "printable"),
    ('topic = "{stream}/{item}"', "topic", 'needs preset = "items"'), ("topic = 5", "topic", "in quotes"),
    ('topic = "{prefix}/{stream}/link"', "topic", "also that of link"),
    ('topic = "{prefix}/{stream}/gap"', "topic", "also that of gap"),
    ('topic = "{prefix}/{stream}/rejected"', "topic", "also that of rejected"),
    ('topic = "klvrelay/{stream}/availability"', "topic", "also that of availability"),
    ('topic = "{stream}/status"', "topic", "also that of status"),
    ("streams = 5", "streams", "array of texts"), ("streams = []", "streams", "must not be empty"),
    ('streams = ["a", 5]', "streams", "array of texts"), ('streams = ["!"]', "streams", "array of texts"),
    ('items = ["positon"]', "items", "did you mean position?"),
    ('items = ["13"]', "items", "item 13 of ST 0601 is sensor_latitude"),
    ('items = ["!999"]', "items", "groups are"), ('items = ["osd"]', "items", 'it is a preset: preset = "osd"'),
    ('items = ["sensor_latitude", "x"]', "items", "named 'x'"),
    ('items = ["!sensor_latitud"]', "items", "did you mean sensor_latitude?"),
    ("items = {}", "items", "array of texts"),
    ('items = ["xyz*"]', "items", "no item matches"), ('items = ["position", "!*"]', "items", "select no item"),
    ('exclude = ["positon"]', "exclude", "did you mean position?"), ('exclude = ["*"]', "exclude", "select no item"),
    ("rate = 0", "rate", "from 0.001 to 1000"), ("rate = true", "rate", "a number"), ('rate = "2"', "rate", "a number"),
    ("on_change = 1", "on_change", "true or false"), ("dead_band = 1", "dead_band", "a table of changes"),
    ("dead_band = true", "dead_band", "needs on_change = true"),
    ('snapshot = "5s"', "snapshot", "needs on_change = true"),
    ("dead_band = {sensor_latitud = 1}", "dead_band", "did you mean sensor_latitude?"),
    ("dead_band = {mission_id = 1}", "dead_band", "is not a number"),
    ("dead_band = {sensor_latitude = -1}", "dead_band", "at least 0"),
    ("dead_band = {sensor_latitude = true}", "dead_band", "at least 0"),
    ("snapshot = 5", "snapshot", 'from "100ms" to "1d"'), ('format = "jsn"', "format", "did you mean json?"),
    ('compression = "gzip"', "compression", "none, zstd"), ("batch = 0", "batch", "1 to 100"),
    ('batch = "1s"', "batch", "whole number"), ("retain = 1", "retain", "true or false"), ("qos = 3", "qos", "0, 1, 2"),
    ("qos = 2", "qos", "needs qos = 2 of the sink"), ("coarse = 100", "coarse", 'such as "100m"'),
    ('coarse = "0.1m"', "coarse", 'from "1m"'), ('coarse = "1 mile"', "coarse", "distance"),
    ('max_classification = "SECRT"', "max_classification", "did you mean SECRET?"),
    ("caveats = 5", "caveats", "array of texts"), ('releasable_to = ["U S A"]', "releasable_to", "country codes"),
    ('unmarked = "drop"', "unmarked", "pass, withhold"), ('class = "urgent"', "class", "alert, position, attitude"),
]  # fmt: skip
"""In an output with a name."""

IN_STATE = [
    ('format = "cbor"', "format", 'must be "json" with preset state'),
    ("batch = 2", "batch", "must be 1 with preset state"),
    ("on_change = true", "on_change", "must be false with preset state"),
    ('compression = "zstd"', "compression", 'must be "none" with preset state'),
]  # fmt: skip
"""In an output with the preset state."""

_TWO = '[[sink]]\nurl = "mqtt://h"\n[[sink.output]]\n'

WHOLE = [
    Bad('[[sink]]\nurl = "amqp://h"', 2, "sink.url", "not the scheme of a sink"),
    Bad('[[sink]]\nurl = "ws://h"', 2, "sink.url", "WebSocket"),
    Bad('[[sink]]\nurl = "mqtt://"', 2, "sink.url", "host is missing"),
    Bad('[[sink]]\nurl = "broker"', 2, "sink.url", "mqtt://"),
    Bad('[[sink]]\nurl = ""', 2, "sink.url", "empty"),
    Bad('[[sink]]\nurl = "mqtt://h:99999"', 2, "sink.url", "1 to 65535"),
    Bad('[[sink]]\nurl = "mqtt://h?qoss=1"', 2, "sink.url", "did you mean qos"),
    Bad('[[sink]]\nurl = 1883', 2, "sink.url", "or an array of such texts"),
    Bad("[[sink]]\nurl = []", 2, "sink.url", "or an array of such texts"),
    Bad('[[sink]]\nurl = ["mqtt://h", 5]', 2, "sink.url", "or an array of such texts"),
    Bad('[[sink]]\nurl = ["mqtt://h", "http://h"]', 2, "sink.url", "broker 2: must begin with mqtt://"),
    Bad('[[sink]]\nurl = ["mqtt://h", "mqtt://h:1883"]', 2, "sink.url", "a broker occurs twice"),
    Bad('[[sink]]\nurl = ["mqtt://h", "mqtt://i/site"]', 2, "sink.url", "need the same prefix"),
    Bad('[[sink]]\nurl = ["mqtt://h", "mqtt://i"]\nca_file = "a"', 3, "sink.ca_file", "used by TLS only"),
    Bad('[[sink]]\nhost = "a b"', 2, "sink.host", "host name"),
    Bad('[[sink]]\nhost = "h"\nport = true', 3, "sink.port", "whole number"),
    Bad('[[sink]]\nhost = "h"\nport = 0', 3, "sink.port", "1 to 65535"),
    Bad("[[sink]]\nqos = 1", 1, "sink.url", "give the far end"),
    Bad('[[sink]]\nurl = "mqtt://u@h"\npassword = "p"', 2, "sink.url", "unencrypted"),
    Bad('[[sink]]\nurl = "mqtt://a"\n[[sink]]\nurl = "mqtt://b"', 3, "sink.name", "its own name"),
    Bad('[[sink]]\nurl = "mqtt://h"\n[[sink]]\nname = "b"\nurl = "mqtt://H:1883"', 5, "sink.url", "broker or prefix"),
    Bad('[[sink]]\nurl = "mqtt://h"\n[[sink]]\nname = "b"\nhost = "h"', 5, "sink.host", "broker or prefix"),
    Bad('[[sink]]\nurl = "mqtt://a"\n[mqtt]\nurl = "mqtt://b"', 3, "mqtt", "write [[sink]] only"),
    Bad('[mqtt]\nurl = "mqtt://a"\nqos = 9', 3, "mqtt.qos", "0, 1, 2"),
    Bad('sink = "mqtt://h"', 1, "sink", "[[sink]]"),
    Bad('[sink]\nurl = "mqtt://h"', 1, "sink", "[[sink]]"),
    Bad('[source]\nurl = "udp://:5000"', 1, "source", "[[source]]"),
    Bad("source = [1]", 1, "source", "[[source]]"),
    Bad("relay = 1", 1, "relay", "[relay]"),
    Bad("spool = []", 1, "spool", "[spool]"),
    Bad('[spool]\nsize = "1G"', 1, "spool.path", "missing: give the path of a folder"),
    Bad('[spool]\npaht = "/s"', 2, "spool.paht", "did you mean path?"),
    Bad('[http]\nlisen = "127.0.0.1:8080"', 2, "http.lisen", "did you mean listen?"),
    Bad('[[source]]\nulr = "udp://:5000"', 2, "source.ulr", "did you mean url?"),
    Bad('[[alert]]\nrule = "altitude_above"\ntreshold = 900', 3, "alert.treshold", "did you mean threshold?"),
    Bad('[spool]\npath = ""', 2, "spool.path", "path of a folder"),
    Bad('[spool]\npath = "a\\u0000b"', 2, "spool.path", "without null characters"),
    Bad('[relay]\nstate = "a\\u0000b"', 2, "relay.state", "without null characters"),
    Bad('[log]\nfile = "a\\u0000b"', 2, "log.file", "without null characters"),
    Bad("[spool]\npath = 5", 2, "spool.path", "in quotes"),
    Bad('[[source]]\nstream = "a"', 1, "source.url", "every source"),
    Bad("[[source]]\nurl = 5000", 2, "source.url", "in quotes"),
    Bad('[[source]]\nurl = "udp://h:port"', 2, "source.url", "port"),
    Bad('[[source]]\nurl = "gopher://h:1"', 2, "source.url", "supported"),
    Bad('[[source]]\nurl = "udp://h"', 2, "source.url", "port"),
    Bad('[[source]]\nurl = "srt://h:1"\npassphrase_file = "/none"', 3, "source.passphrase_file", "can't be read"),
    Bad('[[source]]\nurl = "srt://h:1"\npassphrase = "short"', 3, "source.passphrase", "10"),
    Bad('[[source]]\nurl = "https://h/x.ts"\nca_file = "/none"', 3, "source.ca_file", "no such file"),
    Bad('[[source]]\nurl = "udp://:1"\n[[source]]\nurl = "udp://:1"', 4, "source.url", "same port"),
    Bad('[[source]]\nurl = "a"\nstream = "x"\n[[source]]\nurl = "b"\nstream = "x"', 6, "source.stream", "two sources"),
    Bad('[[source]]\nurl = "x.ts"\n[[source]]\nurl = "b"\npids = {1 = "x"}', 5, "source.pids", "another stream"),
    Bad("[sources]\nurl = 1", 1, "sources", "did you mean source"),
    Bad("colour = 1", 1, "colour", "valid settings: "),
    Bad("[relay]\nwaiting = 1\n[relay]\n", 3, "", "invalid TOML"),
    Bad('[[source]]\nurl = "a\n', 2, "", "invalid TOML"),
    Bad("[relay]\nwaiting 1", 2, "", "invalid TOML"),
    Bad("[relay]\nwaiting =", 2, "", "invalid TOML"),
    Bad("[relay\n", 1, "", "invalid TOML"),
    Bad('# "\n# é\n\x01', 3, "", "invalid TOML"),
    Bad('[[sink.output]]\npreset = "osd"', 1, "sink", "[[sink.output]] needs a [[sink]] with its settings above it"),
    Bad('[[sink]]\nurl = "mqtt://h"\noutput = 5', 3, "sink.output", "[[sink.output]]"),
    Bad('[[sink]]\nurl = "mqtt://h"\n[sink.output]\nname = "a"', 3, "sink.output", "[[sink.output]]"),
    Bad('[[sink]]\nurl = "mqtt://h"\noutput = [{name = "a"},\n {name = "b", rate = 0}]',
        3, "sink.output.rate", "0.001"),
    Bad('[[sink]]\nurl = "mqtt://h"\n[[sink.output]]\nrate = 1', 3, "sink.output.name", "give a name, a preset"),
    Bad('[[sink]]\nurl = "mqtt://h"\n[[sink.output]]\ntopic = "{stream}/{set}"', 3, "sink.output.name", "give a name"),
    Bad(f"{_TWO}name = \"a\"\n[[sink.output]]\nname = \"a\"\ntopic = \"{{stream}}/b\"",
        6, "sink.output.name", "two outputs"),
    Bad(f"{_TWO}name = \"a\"\n[[sink.output]]\ntopic = \"{{prefix}}/{{stream}}/{{output}}\"\nname = \"b\"\n"
        '[[sink.output]]\ntopic = "klvrelay/{stream}/b"\nname = "c"', 9, "sink.output.topic", "also that of b"),
    Bad(f'{_TWO}preset = "homeassistant"\n[[sink.output]]\npreset = "homeassistant"\nname = "b"\n'
        'topic = "{prefix}/{stream}/b"', 6, "sink.output.preset", "give each its own streams"),
    Bad(f"{_TWO}preset = \"items\"\n[[sink.output]]\ntopic = \"{{prefix}}/{{stream}}/items/x\"", 6, "sink.output.topic",
        "also that of items"),
    Bad(f"{_TWO}preset = \"items\"\ntopic = \"{{stream}}/a\"", 5, "sink.output.topic", "must contain {item}"),
    Bad(f"{_TWO}preset = \"items\"\non_change = false", 5, "sink.output.on_change", "must be true with preset items"),
    Bad(f"{_TWO}name = \"a\"\non_change = true\nretain = true",
        6, "sink.output.retain", "must be false with on_change"),
    Bad(f"{_TWO}name = \"a\"\nbatch = 2\nretain = true", 5, "sink.output.batch", "must be 1 with retain"),
    Bad('[[sink]]\nurl = "mqtt://h"\nraw = true\n[[sink.output]]\nname = "a"', 3, "sink.raw", 'format = "klv"'),
    Bad('[[sink]]\nurl = "mqtt://a"\n[[sink.output]]\nname = "a"\n[[sink]]\nname = "b"\nurl = "mqtt://b"\n'
        '[[sink.output]]\nname = "a"\n[sink.output.dead_band]\nx = 1', 10, "sink.output.dead_band", "no item is named"),
    Bad('[mqtt]\nurl = "mqtt://a"\n[[mqtt.output]]\nname = "a"\nrate = -1', 5, "sink.output.rate", "0.001"),
]


def _in(head: str, rows: list[tuple[str, str, str]]) -> list[Bad]:
    """Each row as the last line of a table that begins with `head`."""
    table, line = head.split("\n")[0].strip("[]"), head.count("\n") + 1
    return [Bad(head + text, line, f"{table}.{key}", hint) for text, key, hint in rows]


def _inner(first: str, rows: list[tuple[str, str, str]]) -> list[Bad]:
    """Each row as the last line of an output that begins with `first`."""
    head = '[[sink]]\nurl = "mqtt://h"\n[[sink.output]]\n'
    texts = ["" if text.startswith(first.split(" ")[0]) else f"{first}\n" for text, _, _ in rows]
    return [
        Bad(f"{head}{own}{text}", 4 + own.count("\n"), f"sink.output.{key}", hint)
        for own, (text, key, hint) in zip(texts, rows, strict=True)
    ]


BAD = [
    *_in("[relay]\n", IN_RELAY),
    *_in("[log]\n", IN_LOG),
    *_in('[spool]\npath = "/x"\n', IN_SPOOL),
    *_in('[[sink]]\nurl = "mqtt://h"\n', IN_SINK),
    *_in('[[source]]\nurl = "a.ts"\n', IN_SOURCE),
    *_inner('name = "a"', IN_OUTPUT),
    *_inner('preset = "state"', IN_STATE),
    *WHOLE,
]
