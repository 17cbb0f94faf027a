"""Passwords from files, systemd credentials and the environment: sources that may read them, and no exposure."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import feed
import pytest
from conftest import ROOT
from source_reading import fault_of
from web_servers import web_server

from klvrelay.cli import main as cli
from klvrelay.cli.options import parser
from klvrelay.cli.relay_settings import relay_settings
from klvrelay.cli.source_urls import source_url
from klvrelay.config import credentials
from klvrelay.config.credentials import environment, is_secret, secret_file, take_environment, with_password
from klvrelay.config.names import stream_name
from klvrelay.config.settings_file import load
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.sources.isolated import source as isolated
from klvrelay.sources.open import open_source
from klvrelay.text import Secret

CANARY = "c4n4ry-s3cret"
COMMAND = (sys.executable, "-m", "klvrelay")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_taken", {})
    for name in (*credentials.VARIABLES, credentials.FOLDER):
        monkeypatch.delenv(name, raising=False)


def private(path: Path, text: str = f"{CANARY}\n") -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


# ---- files -----------------------------------------------------------------------------------------------


def test_a_secret_file_is_one_line_without_its_end(tmp_path: Path):
    """As an editor or echo writes it, also with a byte order mark; blanks belong to the password."""
    for text in (CANARY, f"{CANARY}\n", f"{CANARY}\r\n", f"\ufeff{CANARY}\r\n"):
        assert secret_file(str(private(tmp_path / "p", text)), "key") == Secret(CANARY)
    assert secret_file(str(private(tmp_path / "p", " a b \n")), "key") == Secret(" a b ")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"one\ntwo\n", "more than one line"),
        (b"one\0two", "more than one line"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x" * (64 << 10) + b"y", "more than 65,536 bytes"),
    ],
)
def test_an_invalid_password_file_is_refused(data: bytes, says: str, tmp_path: Path):
    """Probably another file by mistake: none of its content is shown."""
    path = private(tmp_path / "p")
    path.write_bytes(data)

    with pytest.raises(ConfigError, match=says) as refused:
        secret_file(str(path), "key")

    assert str(refused.value).startswith("key: ")
    assert len(str(refused.value)) < 100


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o644, 0o660])
def test_a_file_that_others_can_read_is_refused(mode: int, tmp_path: Path):
    """The error has the command to run."""
    path = private(tmp_path / "p")
    path.chmod(mode)

    with pytest.raises(ConfigError, match=f"chmod 600 {path}"):
        secret_file(str(path), "key")


def test_a_password_in_place_of_a_file_is_not_shown():
    """The user passed the password itself."""
    with pytest.raises(ConfigError, match="No such file") as refused:
        secret_file(CANARY, "key")

    assert CANARY not in str(refused.value)


def dribble(number: int, *pieces: bytes) -> None:
    for piece in pieces:
        threading.Event().wait(0.05)
        os.write(number, piece)
    os.close(number)


def test_a_password_may_come_through_a_pipe(tmp_path: Path):
    """As with `--password-file <(pass show camera)`, in pieces and late."""
    read, write = os.pipe()
    try:
        writer = threading.Thread(target=dribble, args=(write, b"c4n4ry", b"-s3cret\n"))
        writer.start()
        assert secret_file(f"/dev/fd/{read}", "key") == Secret(CANARY)
        writer.join()
    finally:
        os.close(read)


# ---- systemd ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600])
def test_a_credential_of_systemd_is_found_and_read(mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where its access list appears as a right of the group, too."""
    private(tmp_path / "camera").chmod(mode)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert secret_file("${CREDENTIALS_DIRECTORY}/camera", "key") == Secret(CANARY)
    assert secret_file(str(tmp_path / "camera"), "key") == Secret(CANARY)


def test_a_credential_that_others_can_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Nor is a link in the folder to a file outside it that the group can read."""
    outside, folder = tmp_path / "outside", tmp_path / "credentials"
    folder.mkdir()
    private(outside).chmod(0o440)
    (folder / "link").symlink_to(outside)
    private(folder / "open").chmod(0o444)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))

    for name in ("link", "open"):
        with pytest.raises(ConfigError, match="other users can read it"):
            secret_file(f"${{CREDENTIALS_DIRECTORY}}/{name}", "key")


def test_without_systemd_there_are_no_credentials():
    """The error names the variable and what sets it."""
    with pytest.raises(ConfigError, match=r"^key: CREDENTIALS_DIRECTORY is not set: .*LoadCredential="):
        secret_file("${CREDENTIALS_DIRECTORY}/camera", "key")


# ---- the environment -------------------------------------------------------------------------------------


def test_a_secret_removed_from_the_environment_is_still_known(monkeypatch: pytest.MonkeyPatch):
    """Even after it is removed twice; a new value overrides the old one."""
    monkeypatch.setenv("KLVRELAY_SOURCE_PASSWORD", CANARY)
    for _ in range(2):
        take_environment()
        assert "KLVRELAY_SOURCE_PASSWORD" not in os.environ
        assert environment("KLVRELAY_SOURCE_PASSWORD") == Secret(CANARY)
    monkeypatch.setenv("KLVRELAY_SOURCE_PASSWORD", "other")
    assert environment("KLVRELAY_SOURCE_PASSWORD") == Secret("other")
    take_environment()
    assert environment("KLVRELAY_SOURCE_PASSWORD") == Secret("other")


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch):
    """As in `KLVRELAY_SOURCE_PASSWORD= klvrelay run ...`."""
    monkeypatch.setenv("KLVRELAY_SOURCE_PASSWORD", "")
    assert environment("KLVRELAY_SOURCE_PASSWORD") is None


@pytest.fixture
def waiting_command() -> Iterator[subprocess.Popen[str]]:
    """A command that waits for its input, started with each secret in its environment."""
    names = (*credentials.VARIABLES, "KLVRELAY_CAM1_PASSWORD", "KLVRELAY_CAM1_URL", "KLVRELAY_A_B_PASSPHRASE",
             "KLVRELAY_NOTIFY_OPS_SECRET", "KLVRELAY_NOTIFY_OPS_APPRISE")  # fmt: skip
    secrets = {name: f"{CANARY}-{number}" for number, name in enumerate(names)}
    command = subprocess.Popen(
        [*COMMAND, "decode", "-"], env={**ENVIRONMENT, **secrets, "KLVRELAY_TEST": "shown"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield command
    command.kill()
    command.communicate()


def test_no_secret_is_in_the_environment_after_the_start(waiting_command: subprocess.Popen[str]):
    """Neither its own, as /proc shows it to the same user, nor what a child would inherit."""
    path = Path(f"/proc/{waiting_command.pid}/environ")
    for _ in range(600):
        shown = path.read_bytes()
        if b"KLVRELAY_TEST=shown" in shown and CANARY.encode() not in shown:
            break
        threading.Event().wait(0.05)
    assert b"KLVRELAY_TEST=shown" in shown
    assert CANARY.encode() not in shown
    assert waiting_command.poll() is None


def test_a_child_inherits_no_secret():
    """However the child is started."""
    script = (
        "import subprocess, sys; from klvrelay.config.credentials import take_environment; take_environment();"
        " print(subprocess.run(['env'], capture_output=True, text=True).stdout)"
    )
    secrets = dict.fromkeys(credentials.VARIABLES, CANARY)
    done = subprocess.run(
        [sys.executable, "-c", script], env={**ENVIRONMENT, **secrets}, capture_output=True, text=True, check=True
    )

    assert "PYTHONPATH=" in done.stdout
    assert CANARY not in done.stdout


def test_an_isolated_source_gets_the_passphrase_of_the_environment(monkeypatch: pytest.MonkeyPatch):
    """Over its socket, since it inherits no secret."""
    monkeypatch.setenv("KLVRELAY_SRT_PASSPHRASE", CANARY)
    source = open_source("srt://127.0.0.1:9000", isolate=True)

    assert isinstance(source, isolated.IsolatedSource)
    assert source._options["passphrase"] == Secret(CANARY)


# ---- sources ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("rtsp://user@cam/x", CANARY),
        ("https://user@cam/x", CANARY),
        ("rtsp://user:own@cam/x", "own"),
        ("rtsp://user:@cam/x", ""),
        ("rtsp://cam/x", None),
        ("udp://user@239.1.1.1:5000", None),
        ("a.ts", None),
    ],
)
def test_a_url_with_a_user_but_no_password_gets_the_password(url: str, password: str | None):
    """And only for kinds of sources that use one."""
    given = with_password(Url.parse(url), Secret(CANARY))

    assert given.password == (None if password is None else Secret(password))


SOURCE = '[[sink]]\nurl = "mqtt://h"\n[[source]]\n'


def settings(folder: Path, text: str) -> Path:
    return private(folder / "relay.toml", SOURCE + text)


@pytest.mark.parametrize(
    "text",
    [
        'url = "rtsp://cam/x"\nusername = "user"\npassword = "{password}"\n',
        'url = "rtsp://cam/x"\nusername = "user"\npassword_file = "{file}"\n',
        'url = "rtsp://user@cam/x"\npassword_file = "{file}"\n',
        'url = "rtsp://user@cam/x"\npassword_file = "${{CREDENTIALS_DIRECTORY}}/p"\n',
        'url = "rtsp://user:{password}@cam/x"\n',
        'url_file = "{url}"\n',
        'url = "rtsp://cam/x"\nusername = "user"\n',
        'url = "rtsp://user@cam/x"\npassword_env = "KLVRELAY_CAM1_PASSWORD"\n',
        'url_env = "KLVRELAY_CAM1_URL"\n',
    ],
)
def test_settings_name_the_password_of_a_source(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A password in the file, in another file, from systemd, or from the environment has the same effect."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("KLVRELAY_SOURCE_PASSWORD", CANARY if "_env" not in text else "another")
    monkeypatch.setenv("KLVRELAY_CAM1_PASSWORD", CANARY)
    monkeypatch.setenv("KLVRELAY_CAM1_URL", f"rtsp://user:{CANARY}@cam/x")
    files = {"file": private(tmp_path / "p"), "url": private(tmp_path / "u", f"rtsp://user:{CANARY}@cam/x\n")}
    path = settings(tmp_path, text.format(password=CANARY, **files))

    (source,) = load(path).sources

    assert source.url == Url.parse(f"rtsp://user:{CANARY}@cam/x")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('url = "udp://:5000"\nusername = "user"', r"source\.username: applies to rtsp://, .*, https:// only"),
        ('url = "srt://h:1"\npassword_file = "{file}"', r"source\.password_file: applies to rtsp://"),
        ('url = "rtsp://cam/x"\npassword_file = "{file}"', r"source\.password_file: a password needs a username"),
        ('url = "rtsp://u@cam/x"\nusername = "user"', r"source\.username: the URL has a user too"),
        ('url = "rtsp://u:p@cam/x"\npassword_file = "{file}"', r"source\.password_file: the URL has a password too"),
        ('url = "rtsp://u@cam/x"\npassword = "p"\npassword_file = "{file}"', r"source\.password_file: password is"),
        ('url = "rtsp://cam/x"\nurl_file = "{file}"', r"source\.url_file: url is given too"),
        ('url_file = "/nowhere"', r"source\.url_file: can't be read: No such file"),
        ('url_file = "{typo}"', r"source\.url_file: this looks like a mistyped URL"),
        ('url = "rtsp://u@cam/x"\npassword_env = "KLVRELAY_NO_PASSWORD"', r"source\.password_env: KLVRELAY_NO_PA"),
        ('url = "rtsp://u@cam/x"\npassword_env = "HOME"', r"source\.password_env: must be the name of a variable"),
        ('url_file = "{file}"\nurl_env = "KLVRELAY_A_URL"', r"source\.url_env: url_file is given too"),
        ('url = "udp://:1"\npassphrase_env = "KLVRELAY_A_PASSPHRASE"', r"source\.passphrase_env: applies to srt:"),
        ('url = "rtsp://cam/password={{password}}"', r"source\.url: rtsp://cam/password=\*\*\*: .* no password"),
        ('url = "rtsp://cam/{{password}}/x"\npassword = "p"', r"source\.url: .*: write .password. as the value"),
        ('url = "rtsp://u@cam/x"\npassword_file = "/dev/zero"', r"source\.password_file: can't be read: is a device"),
    ],
)  # fmt: skip
def test_settings_that_contradict_each_other_are_named(text: str, says: str, tmp_path: Path):
    """With the key and its line, and without the password."""
    files = {"file": private(tmp_path / "p"), "typo": private(tmp_path / "u", f"rtsp:/user:{CANARY}@cam/x\n")}

    with pytest.raises(ConfigError, match=rf"relay\.toml: line \d: {says}") as refused:
        load(settings(tmp_path, text.format(**files) + "\n"))

    assert CANARY not in str(refused.value)


PLACES = ["rtsp://cam/user=u&password={}&channel=1.sdp", "https://cam/live.ts?user=u;pwd={}&x=1", "rtsp://cam/a;key:{}"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("way", ["environment", "option", "settings"])
def test_a_password_replaces_its_placeholder(way: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Percent-coded, in a path or a query; it stays as hidden as one written there."""
    password = f"{CANARY}/&;?1"
    monkeypatch.setenv("KLVRELAY_SOURCE_PASSWORD", password if way == "environment" else "other")
    file, url = private(tmp_path / "p", f"{password}\n"), place.format("{password}")
    argv = [url]
    if way == "option":
        argv += ["--password-file", str(file)]
    elif way == "settings":
        argv = ["-c", str(settings(tmp_path, f'url = "{url}"\npassword_file = "{file}"\n'))]

    (found,) = source_urls(*argv)

    assert found.unredacted() == place.format(f"{CANARY}%2F%26%3B%3F1")
    assert CANARY not in f"{found} {stream_name(found)}"
    assert is_secret(found)
    assert not is_secret(Url.parse(url))


@pytest.mark.parametrize("url", ["rtsp://{password}/x", "rtsp://cam/{password}", "https://cam/x?{password}=1",
                                 "https://cam/x?interface={password}", "rtsp://cam/channel={password}"])  # fmt: skip
def test_a_password_is_not_put_where_it_would_be_shown(url: str, monkeypatch: pytest.MonkeyPatch):
    """Only into a parameter that is recognised as secret by its name."""
    monkeypatch.setenv("KLVRELAY_SOURCE_PASSWORD", "12")

    with pytest.raises(ConfigError, match=r"as the value of a parameter|the host is not a name"):
        source_urls(url)


def test_a_passphrase_may_be_in_a_variable_that_settings_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Each source may have another; so may the broker."""
    monkeypatch.setenv("KLVRELAY_CAM1_PASSPHRASE", CANARY)
    monkeypatch.setenv("KLVRELAY_SITE_PASSWORD", CANARY)
    text = 'url = "srt://h:1"\npassphrase_env = "KLVRELAY_CAM1_PASSPHRASE"\n'
    path = settings(tmp_path, text)
    path.write_text(path.read_text().replace('"mqtt://h"', '"mqtts://u@h"\npassword_env = "KLVRELAY_SITE_PASSWORD"'))

    found = load(path)

    assert found.sources[0].passphrase == Secret(CANARY)
    assert found.sinks[0].mqtt.password == Secret(CANARY)


def source_urls(*argv: str) -> list[Url]:
    """The URLs of the sources of `klvrelay run`, with their passwords."""
    args = parser().parse_args(["run", "--mqtt", "mqtt://127.0.0.1", *argv])
    return [source.url for source in relay_settings(args).sources]


def test_the_password_in_a_pipe_applies_to_all_sources_with_a_user(tmp_path: Path):
    """A pipe, such as `<(pass show cam)`, can be read only once."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    late = threading.Timer(0.2, lambda: pipe.write_text(f"{CANARY}\n"))  # it is opened for reading before
    late.daemon = True
    late.start()

    urls = source_urls("rtsp://user@a/x", "https://user@b/x", "rtsp://user:own@c/x", "--password-file", str(pipe))

    late.join()
    assert [url.password for url in urls] == [Secret(CANARY), Secret(CANARY), Secret("own")]


def test_the_password_of_the_command_line_applies_to_the_sources_in_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Where they have a user and no password; it overrides that of the environment."""
    monkeypatch.setenv("KLVRELAY_SOURCE_PASSWORD", "other")
    path = settings(tmp_path, 'url = "rtsp://cam/x"\nusername = "user"\n[[source]]\nurl = "udp://:5000"\n')

    urls = source_urls("-c", str(path), "--password-file", str(private(tmp_path / "p")))

    assert [url.password for url in urls] == [Secret(CANARY), None]


@pytest.mark.parametrize("url", ["rtsp://cam/x", "rtsp://user:own@cam/x", "udp://:5000", "a.ts"])
def test_a_password_file_that_no_source_uses_is_refused(url: str, tmp_path: Path):
    """A user is missing, or the source is of another kind: an error is better than silence."""
    given = ["--password-file", str(private(tmp_path / "p"))]
    said = "--password-file: no source uses it: write a user without a password in the URL"

    with pytest.raises(ConfigError, match=said):
        source_urls(url, *given)
    for verb in ("probe", "decode"):
        with pytest.raises(ConfigError, match=said):
            source_url(parser().parse_args([verb, url, *given]), url)


async def test_a_user_without_a_password_is_reported_as_such(tmp_path: Path):
    """Not as a wrong password."""
    async with web_server(tmp_path, auth="basic", user="user", password=CANARY) as server:
        fault = await fault_of(open_source(server.url("a.ts", "user@")).packets())

    assert "the server requires the user's password, but none is set: give a file (--password-file" in fault


@pytest.mark.parametrize("way", ["environment", "file"])
@pytest.mark.parametrize(("verb", "auth"), [(["decode"], "basic"), (["probe", "--json"], "digest")])
async def test_a_camera_gets_a_password_that_is_in_no_url(way: str, verb: list[str], auth: str, tmp_path: Path):
    """The server requires it and the command can read; no command line or output has the password."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "flight.ts").write_bytes(feed.recording(5).ts)
    environment = dict(ENVIRONMENT)
    options = []
    async with web_server(tmp_path / "web", auth=auth, user="user", password=CANARY) as server:
        if way == "environment":
            environment["KLVRELAY_SOURCE_PASSWORD"] = CANARY
        else:
            options = ["--password-file", str(private(tmp_path / "p"))]
        process = await asyncio.create_subprocess_exec(
            *COMMAND, *verb, server.url("flight.ts", "user@"), *options, env=environment,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, said = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode in (0, 6), said
    assert b"klvrelay/" in out
    assert CANARY.encode() not in out + said
    assert b"command line" not in said


# ---- warnings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        ["decode", f"http://u:{CANARY}@127.0.0.1:1/x"],
        ["probe", f"rtsp://u:{CANARY}@127.0.0.1:1/x"],
        ["send", "none.ts", f"srt://127.0.0.1:1?passphrase={CANARY}"],
        ["run", "none.ts", "--mqtt", f"mqtt://u:{CANARY}@127.0.0.1:1", "--qos=1", "--prefix=#"],
        ["run", f"rtsp://u:{CANARY}@h/1", f"rtsp://u:{CANARY}@h/2", f"--mqtt=mqtt://u:{CANARY}@h", "--prefix=#"],
        ["watch", "--mqtt", f"mqtt://u:{CANARY}@127.0.0.1:1", "--prefix=#"],
    ],
)
def test_a_password_on_a_command_line_gives_a_warning(args: list[str], capfd: pytest.CaptureFixture[str]):
    """In one line, without the password: it still works."""
    assert cli.main(args) in (2, 3)
    said = capfd.readouterr().err
    assert said.count("every user of this machine can read the password in a URL") == 1
    assert CANARY not in said


@pytest.mark.parametrize(
    "text",
    [
        f'[[sink]]\nurl = "mqtts://u@h"\npassword = "{CANARY}"\n',
        f'[[sink]]\nurl = "mqtts://u:{CANARY}@h"\n',
        f'[[source]]\nurl = "rtsp://u:{CANARY}@h/x"\n',
        f'[[source]]\nurl = "rtsp://h/x"\nusername = "u"\npassword = "{CANARY}"\n',
        f'[[source]]\nurl = "srt://h:1"\npassphrase = "{CANARY}"\n',
        f'[[source]]\nurl = "srt://h:1?passphrase={CANARY}"\n',
        f'[[source]]\nurl = "https://h/x?token={CANARY}"\n',
    ],
)
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o600])
def test_settings_with_passwords_that_others_can_read_give_a_warning(text, mode, tmp_path, said):
    """Once, with the command to run; not where only the owner can read them."""
    path = private(tmp_path / "relay.toml", text)
    path.chmod(mode)

    load(path)

    warned = [line for line in said() if f"chmod 600 {path}" in line]
    assert len(warned) == (mode != 0o600)
    assert CANARY not in "".join(said())


def test_settings_without_passwords_may_be_read_by_all(tmp_path, said):
    """Those that only say where the passwords are."""
    private(tmp_path / "p")
    path = settings(tmp_path, f'url = "rtsp://u@h/x?transport=udp"\npassword_file = "{tmp_path}/p"\n')
    path.chmod(0o644)

    load(path)

    assert said() == []
