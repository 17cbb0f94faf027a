"""The command line of `run`: stream names, settings of a file combined with options, and refusals."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cases import each_case
from settings_file import written
from test_cli import ran

from klvrelay.cli.options import VERBS, parser
from klvrelay.cli.relay_settings import relay_settings
from klvrelay.config import credentials
from klvrelay.config.settings import RelaySettings
from klvrelay.errors import ConfigError
from klvrelay.text import Secret

TLS = "mqtts://127.0.0.1:1"
A, B, C = "udp://127.0.0.1:5001", "udp://127.0.0.1:5002", "udp://127.0.0.1:5003"
BROKER = ("--mqtt", "mqtt://127.0.0.1:1")
MADE = {url: url.replace("://", "-").replace(":", "-") for url in (A, B, C)}

FILE = """
[[sink]]
url = "mqtt://relay@127.0.0.1:1"
prefix = "site"
qos = 2
raw = true
[[source]]
url = "udp://127.0.0.1:5009"
stream = "tower"
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    return written(tmp_path, FILE)


def settings_of(*args: str) -> RelaySettings:
    return relay_settings(parser().parse_args(["run", *args]))


def names_of(*args: str) -> list[str]:
    return [f"{name} {source.url}" for name, source in settings_of(*BROKER, *args).named()]


@each_case(
    ("args", "names"),
    [
        ([A, "--stream", "a", B, "--stream", "b"], ["a", "b"]),
        ([A, "--stream=a", B, "--stream=b", C, "--stream=c"], ["a", "b", "c"]),
        ([A, B, "--stream", "a", "--stream", "b"], ["a", "b"]),
        (["--stream", "a", "--stream", "b", A, B], ["a", "b"]),
        ([A, "--str", "a", "-q", B], ["a", MADE[B]]),
        ([A, B, "--stream", "b", C], [MADE[A], "b", MADE[C]]),
        ([A, "--stream", "a", "--stall", "3", B, "--raw", C, "--stream", "c"], ["a", MADE[B], "c"]),
        ([A, "--stream", "a", "--", B, C], ["a", MADE[B], MADE[C]]),
        (["--stream", "a", A], ["a"]),
        ([A, "--raw", B, "--qos", "1", C], [MADE[A], MADE[B], MADE[C]]),
    ],
    ids=lambda given: " ".join(given) if "--" in " ".join(given) else "",
)  # fmt: skip
def test_a_name_applies_to_the_source_before_it(args: list[str], names: list[str]):
    """Sources and options in any order; several sources in a row are named in their order."""
    sources = [arg for arg in args if arg in MADE]
    assert names_of(*args) == [f"{name} {url}" for name, url in zip(names, sources, strict=True)]


@pytest.mark.parametrize(
    "args",
    [
        [A, B, "--stream", "b"],
        ["--stream", "a", A, B],
        ["--stream", "a", A, "--stream", "b", B],
        [A, "--stream", "a", "--stream", "b", B],
        [A, B, C, "--stream", "a", "--stream", "b"],
    ],
    ids=" ".join,
)
def test_an_ambiguous_name_is_refused(args: list[str]):
    """A stream with the wrong name is worse than none."""
    with pytest.raises(ConfigError, match=r"--stream [ab]: ambiguous with several sources.*SOURCE --stream NAME"):
        names_of(*args)


@pytest.mark.parametrize("args", [[A, "--stream", "a", B, "--stream", "a"], [A, B, "--stream", "a", "--stream", "a"]])
def test_two_sources_with_one_name_are_refused(args: list[str], capfd: pytest.CaptureFixture[str]):
    """Before anything starts: otherwise the second one would get another name than requested."""
    code, out, said = ran(capfd, "run", *args, *BROKER)
    assert (code, out, said) == (2, "", "klvrelay: stream a: two sources have this name; names must be unique\n")


def test_two_sources_with_one_name_in_a_file_are_refused_with_the_line(tmp_path: Path, capfd):
    """Like every other mistake in a file."""
    path = written(tmp_path, FILE + '[[source]]\nurl = "udp://127.0.0.1:5010"\nstream = "tower"\n')
    code, out, said = ran(capfd, "run", "-c", path)
    assert (code, out) == (2, "")
    assert said == f"klvrelay: {path}: line 12: source.stream: tower is used by two sources; names must be unique\n"


def test_an_explicit_name_wins_over_a_default_one():
    """The name made from a URL changes, in any order."""
    assert names_of(A, "--stream", "tower", "/x/tower.ts") == [f"tower {A}", "tower-x /x/tower.ts"]
    assert names_of("/x/tower.ts", A, "--stream", "tower", "-q", B)[:2] == ["tower-x /x/tower.ts", f"tower {A}"]
    assert names_of("/x/tower.ts", "/y/tower.ts") == ["tower-x /x/tower.ts", "tower-y /y/tower.ts"]


@pytest.mark.parametrize(
    ("options", "key"),
    [
        (["--stream", "a"], "stream"), (["--stall", "3"], "stall"), (["--stall", "0"], "stall"),
        (["--interface", "lo"], "interface"), (["--sender", "192.0.2.7"], "sender"), (["--isolate"], "isolate"),
        (["--no-isolate"], "isolate"), (["--demux", "libav"], "demux"), (["--follow"], "follow"),
        (["--source-timeout", "3"], "timeout"), (["--packet-limit", "4096"], "packet_limit"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)  # fmt: skip
def test_an_option_of_sources_beside_a_file_with_sources_is_refused(options, key, file, capfd):
    """It would have no effect: the error says what to write into the file."""
    code, out, said = ran(capfd, "run", "-c", file, *options)
    assert (code, out) == (2, "")
    option = options[0].replace("--no-", "--")
    assert said.startswith(f"klvrelay: {option} applies to sources of the command line only")
    assert f"set {key} = ... in each [[source]]" in said


def test_sources_in_two_places_are_refused(file, capfd):
    """Otherwise those of the file would be replaced silently."""
    code, out, said = ran(capfd, "run", "-c", file, A)
    assert (code, out) == (2, "")
    assert said == f"klvrelay: sources on the command line and in {file}; give them in one place only\n"


def test_a_file_without_sources_is_combined_with_sources_and_options(tmp_path: Path):
    """The broker from the file, all else from the command line."""
    path = written(tmp_path, FILE.partition("[[source]]")[0])
    settings = settings_of("-c", path, A, "--stall", "3")
    assert [(str(source.url), source.stall) for source in settings.sources] == [(A, 3.0)]
    assert settings.sinks[0].mqtt.prefix == "site"


@pytest.mark.parametrize("option", [["--interface", "lo"], ["--sender", "192.0.2.7"], ["--follow"]], ids=" ".join)
def test_an_option_that_applies_to_no_source_is_refused(option: list[str]):
    """It is for another kind of source; one that applies to some of them is accepted."""
    with pytest.raises(ConfigError, match=f"{option[0]} has no effect here: it applies to "):
        names_of("tcp://127.0.0.1:1", *option)
    key, value = option[0].removeprefix("--"), True if option == ["--follow"] else option[-1]
    settings = settings_of("tcp://127.0.0.1:1", "x.ts" if key == "follow" else A, *option, *BROKER)
    assert [getattr(source, key) == value for source in settings.sources] == [False, True]


def test_a_user_name_beside_a_file_uses_the_password_of_the_environment(file, monkeypatch: pytest.MonkeyPatch):
    """Even one that the file does not have; and never the password of the file's user."""
    monkeypatch.setenv(credentials.MQTT_PASSWORD, "from outside")
    assert settings_of("-c", file, "--username", "me").sinks[0].mqtt.password == Secret("from outside")
    path = Path(file)
    path.write_text(FILE.replace("relay@", ""))
    assert settings_of("-c", file, "--username", "me").sinks[0].mqtt.password == Secret("from outside")
    path.write_text(FILE.replace("qos = 2", 'password = "of relay"'))
    assert settings_of("-c", file).sinks[0].mqtt.password == Secret("of relay")
    assert settings_of("-c", file, "--username", "me").sinks[0].mqtt.password == Secret("from outside")
    monkeypatch.delenv(credentials.MQTT_PASSWORD)
    assert settings_of("-c", file, "--username", "me").sinks[0].mqtt.password is None


def test_another_broker_beside_a_file_keeps_the_rest_of_its_settings(file):
    """Address and login come from the URL; a prefix or an option in the URL overrides the file's."""
    mqtt = settings_of("-c", file, "--mqtt", "mqtt://127.0.0.2").sinks[0].mqtt
    assert (mqtt.host, mqtt.port, mqtt.username) == ("127.0.0.2", 1883, None)
    assert (mqtt.prefix, mqtt.qos, mqtt.raw) == ("site", 2, True)
    mqtt = settings_of("-c", file, "--mqtt", "mqtt://127.0.0.2/own?qos=0", "--client-id", "me").sinks[0].mqtt
    assert (mqtt.prefix, mqtt.qos, mqtt.raw, mqtt.client_id) == ("own", 0, True, "me")


@pytest.mark.parametrize("args", [("--raw",), ("--mqtt", "mqtt://127.0.0.2?raw=true")])
def test_whole_packets_beside_outputs_are_refused(args: tuple[str, ...], tmp_path: Path):
    """Wherever the setting comes from: the outputs leave out what these packets have."""
    path = written(tmp_path, f'{FILE.replace("raw = true", "")}[[sink.output]]\nname = "a"\nitems = ["position"]\n')
    with pytest.raises(ConfigError, match=r'instead of it, give an output format = "klv"'):
        settings_of("-c", path, *args)


CA = "no such file or directory"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["run", A, "--mqtt", TLS, "--ca-file", "/none.pem"], f"ca_file /none.pem: can't be read: {CA}"),
        (["run", A, "--mqtt", TLS, "--ca-file", __file__], f"ca_file {__file__}: contains no valid PEM"),
        (["run", "-c", "MQTTS"], f"line 4: sink.key_file: /none.key: can't be read: {CA}"),
        (["run", "-c", "HTTPS"], ": line 5: source.ca_file: /none.pem: no such file"),
        (["replay", "x.ts", "--mqtt", TLS, "--ca-file", "/none.pem"], "ca_file /none.pem: can't be read"),
    ],
    ids=["missing", "no PEM", "key", "source", "replay"],
)  # fmt: skip
def test_an_unreadable_certificate_is_refused_before_anything_starts(args, said, tmp_path, capfd, monkeypatch):
    """Exit code 2 and one line: no source is opened, no broker connected."""
    broker = '[[sink]]\nurl = "mqtts://127.0.0.1:1"\ncert_file = "/none.pem"\nkey_file = "/none.key"\n'
    source = '[[source]]\nurl = "https://127.0.0.1:1/x.ts"\nca_file = "/none.pem"\n'
    files = {"MQTTS": broker + f'[[source]]\nurl = "{A}"\n', "HTTPS": '[[sink]]\nurl = "mqtt://127.0.0.1:1"\n' + source}
    given = [written(tmp_path, files[arg]) if arg in files else arg for arg in args]
    monkeypatch.setattr("klvrelay.relay.relay.Relay.run", lambda _: pytest.fail("the relay was started"))
    code, out, complaint = ran(capfd, *given)
    assert (code, out) == (2, "")
    assert said in complaint
    assert complaint.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["relay"], "unknown verb relay; did you mean replay? valid verbs: run, replay, decode, export, check, "),
        ([], "missing VERB; valid verbs: run, "),
        (["run", A, "--strem", "a"], "unknown option --strem; did you mean --stream?\ntry: klvrelay run --help\n"),
        (["watch", "--zzz=secret"], "unknown option --zzz; valid options: --help, --output, --pid, "),
        (["decode", "a.ts", "b.ts"], "unexpected argument b.ts\ntry: klvrelay decode --help\n"),
        (["record", "a.ts"], "missing: DIR\n"),
    ],
    ids=["verb", "no verb", "typo", "unknown", "argument", "missing"],
)  # fmt: skip
def test_a_mistake_is_reported_with_valid_names(args: list[str], said: str, capfd):
    """The nearest name, else all valid names; never the value."""
    code, out, complaint = ran(capfd, *args)
    assert (code, out) == (2, "")
    assert complaint.startswith(f"klvrelay: {said}")
    assert "secret" not in complaint


def test_the_options_of_a_verb_load_no_other_verb():
    """A command loads the module of its verb only."""
    script = "import sys; from klvrelay.cli.options import parser; parser().parse_args(['items']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stdout.split() if name.startswith("klvrelay.")}
    assert {verb for verb in VERBS if f"klvrelay.cli.{verb}" in loaded} == {"items"}
    assert not {"klvrelay.core", "klvrelay.config.settings", "klvrelay.items"} & loaded
