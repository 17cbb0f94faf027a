"""No output contains a secret: every verb, valid and mistyped URLs, peers that repeat what they received."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
import traceback
from pathlib import Path

import feed
import pytest
from brokers import until
from canaries import (
    ANSWERS,
    CORE,
    LOGIN,
    PASSWORD,
    STREAM_ID,
    TOKEN,
    USER,
    hits,
    in_folder,
    malformed,
    parrot,
    well_formed,
)
from hostile_broker import DISCONNECT, REASON, REFERENCE, HostileBroker, connack, packet, text
from rtsp_camera import Camera, fragments, rtp
from test_cli import COMMAND, ENVIRONMENT
from web_servers import playlist, segments, web_server

from klvrelay.cli import main as cli
from klvrelay.config.names import stream_name

NOBODY = "mqtt://127.0.0.1:1"
"""A broker's address without a broker."""

AS_SOURCE = {
    "decode": ("decode", "URL"),
    "decode csv": ("decode", "URL", "--format", "csv", "-q"),
    "frame times": ("decode", "URL", "--frame-times"),
    "probe": ("probe", "URL", "--seconds", "0.2"),
    "probe json": ("probe", "URL", "--seconds", "0.2", "--json"),
    "probe html": ("probe", "URL", "--seconds", "0.2", "--html", "report.html"),
    "record": ("record", "URL", "tapes"),
    "run": ("run", "URL", "--mqtt", NOBODY),
    "replay": ("replay", "URL", "--mqtt", NOBODY),
    "demo": ("demo", "URL", "--mqtt", NOBODY),
    "send": ("send", "URL", "udp://127.0.0.1:9"),
}
AS_TARGET = {"send to": ("send", "flight.ts", "URL", "--timeout", "0.2")}
AS_BROKER = {
    "run to": ("run", "flight.ts", "--mqtt", "URL"),
    "replay to": ("replay", "flight.ts", "--mqtt", "URL"),
    "watch": ("watch", "--mqtt", "URL"),
    "retained": ("retained", "--mqtt", "URL", "--clear", "--yes"),
    "demo to": ("demo", "flight.ts", "--mqtt", "URL"),
}
ASTRAY = {
    "decode two": ("decode", "flight.ts", "URL"),
    "record two": ("record", "flight.ts", "tapes", "URL"),
    "probe two": ("probe", "flight.ts", "URL"),
    "items": ("items", "URL"),
    "items set": ("items", "--set", "URL"),
    "sample": ("sample", "flight.ts", "URL"),
    "sample size": ("sample", "out.ts", "--size", "URL"),
    "sample codec": ("sample", "out.ts", "--codec", "URL"),
    "verb": ("URL",),
    "qos": ("run", "flight.ts", "--mqtt", NOBODY, "--qos", "URL"),
    "seconds": ("probe", "flight.ts", "--seconds", "URL"),
    "pid": ("decode", "flight.ts", "--pid", "URL"),
    "impair": ("send", "flight.ts", "udp://127.0.0.1:9", "--impair", "URL"),
    "shortened": ("watch", "--mqt=URL"),
    "unknown option": ("watch", "--brokr=URL"),
    "configuration": ("run", "-c", "URL"),
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A folder with a short recording; all files that a verb writes there are searched."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flight.ts").write_bytes(feed.recording(3).ts)
    return tmp_path


@contextlib.contextmanager
def stopped_after(seconds, ready):
    """Send SIGINT to this process after that time, once a loop waits for it: earlier, Python may drop it."""
    over = threading.Event()

    def stop():
        over.wait(seconds)
        while not over.wait(0.01):
            if ready() and getattr(signal.getsignal(signal.SIGINT), "__qualname__", "").startswith("on_loop."):
                os.kill(os.getpid(), signal.SIGINT)
                return

    thread = threading.Thread(target=stop, name="stop")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Search:
    """Runs command lines in this process and counts them; a secret in the output is a failure that names the case."""

    def __init__(self, capfd, folder):
        self.runs = 0
        self.found = []
        self._capfd = capfd
        self._folder = folder

    def run(self, case, *argv, seconds=1.0, ready=lambda: True):
        code = said = None
        try:
            with stopped_after(seconds, ready):
                code = cli.main([*argv])
        except (Exception, SystemExit, KeyboardInterrupt):  # noqa: BLE001 (whatever it is would be printed)
            said = traceback.format_exc()
        out, err = self._capfd.readouterr()
        self.runs += 1
        for where, what in (("stdout", out), ("stderr", err), ("exception", said or "")):
            if hits(what):
                self.found.append(f"{case}: {where}: {what[-300:]!r}")
        self.found += [f"{case}: {path}" for path in in_folder(self._folder)]
        return code

    def check(self, runs):
        assert self.runs == runs
        assert not self.found, "\n".join(self.found)

    def over(self, shapes, urls, **how):
        for verb, shape in shapes.items():
            for name, url in urls.items():
                self.run(f"{verb}, {name}", *(part.replace("URL", url) for part in shape), **how)


@pytest.fixture
def search(capfd, home):
    return Search(capfd, home)


def test_the_search_finds_a_canary(home, capfd):
    """The search detects a canary in plain text, base64, hex and files."""
    search = Search(capfd, home)
    (home / "report.html").write_text("".join(f"%{ord(c):02X}" for c in CORE))

    search.run("planted", "decode", f"no-such-{CORE}.ts")

    assert len(search.found) == 2
    assert "stderr" in search.found[0]
    assert "report.html" in search.found[1]
    assert hits("Basic YzRuNHJ5LTdoMy11NTNyOmM0bjRyeS03aDMtcDQ1NQ==")
    assert hits(f"x{LOGIN}".encode().hex())
    assert not hits("canary c4n4ry")


@pytest.mark.parametrize("scheme", ["rtsp", "https", "srt"])
@pytest.mark.parametrize("verb", AS_SOURCE)
def test_a_mistyped_source_is_not_repeated(verb, scheme, search):
    """Every verb that reads: 26 ways to mistype a URL."""
    search.over({verb: AS_SOURCE[verb]}, malformed(scheme))

    search.check(26)


@pytest.mark.parametrize("verb", [*AS_BROKER, *AS_TARGET])
def test_a_mistyped_broker_or_far_end_is_not_repeated(verb, search):
    """Every verb that writes to a broker or far end hides a mistyped URL."""
    search.over({verb: (AS_BROKER | AS_TARGET)[verb]}, malformed("udp" if verb in AS_TARGET else "mqtts"))

    search.check(26)


@pytest.mark.parametrize("case", ASTRAY)
def test_a_url_where_none_belongs_is_not_repeated(case, search):
    """A surplus argument, the value of another option, an unknown option."""
    search.over({case: ASTRAY[case]}, well_formed("rtsp", 1) | malformed("rtsp"))

    search.check(37)


@pytest.mark.parametrize("scheme", ["rtsp", "http", "https", "tcp"])
@pytest.mark.parametrize("verb", ["decode", "frame times", "probe json", "probe html", "record"])
def test_a_source_that_is_not_there_is_named_without_its_secrets(verb, scheme, search):
    """A closed port: the error names the source without its secrets."""
    search.over({verb: AS_SOURCE[verb]}, well_formed(scheme, 1), seconds=0.3)

    search.check(11)


@pytest.mark.parametrize("verb", AS_BROKER)
def test_a_broker_that_is_not_there_is_named_without_its_secrets(verb, search):
    """A closed port: the error names the broker without its secrets, until Ctrl-C where the verb retries."""
    search.over({verb: AS_BROKER[verb]}, well_formed("mqtt", 1), seconds=0.3)

    search.check(11)


@pytest.mark.parametrize("scheme", ["rtsp", "https", "srt", "mqtt"])
def test_no_stream_is_named_by_a_secret(scheme):
    """The default stream name, which appears in topics, folders and file names, has no secret."""
    for url in (*well_formed(scheme, 1).values(), SRT):
        assert not hits(stream_name(url))


SRT = f"srt://127.0.0.1:1?streamid={STREAM_ID}&passphrase={PASSWORD}&latency=20"


@pytest.mark.needs("libsrt")
@pytest.mark.parametrize("argv", [("decode", SRT), ("record", SRT, "tapes"), ("send", "flight.ts", SRT)])
def test_srt_shows_neither_stream_id_nor_passphrase(argv, search):
    """Neither do segment names."""
    search.run("srt", *argv, seconds=0.5)
    search.check(1)


@pytest.mark.parametrize("verb", ["decode", "frame times", "probe json", "probe html", "run"])
@pytest.mark.parametrize(("scheme", "answer"), [(scheme, name) for scheme in ANSWERS for name in ANSWERS[scheme]])
def test_no_server_gets_its_words_shown(verb, scheme, answer, search):
    """Reason phrases, fields, redirects, playlists and descriptions that repeat the login are not shown."""
    with parrot(ANSWERS[scheme][answer]) as server:
        url = f"{scheme}://{LOGIN}@127.0.0.1:{server.port}/live.ts?token={TOKEN}"
        argv = [part.replace("URL", url) for part in AS_SOURCE[verb]]
        search.run(answer, *argv, seconds=0.5, ready=lambda: server.logins)

    search.check(1)
    assert server.logins, "it was not sent the login, and had nothing to repeat"


@contextlib.contextmanager
def beside(broker):
    """A broker in a separate thread."""
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve():
        async with broker:
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="broker")
    thread.start()
    ready.wait(5)
    try:
        yield broker
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def _refuse(guest):
    reason = REASON + text(guest.connect) + REFERENCE + text(LOGIN)
    return connack(guest.level, reason if guest.level == 5 else b"", code=0x86 if guest.level == 5 else 4)


def _dismiss(guest):
    more = REASON + text(guest.connect[-40:].hex()) + REFERENCE + text(LOGIN)
    return connack(guest.level) + packet(DISCONNECT, bytes([0x9C, len(more)]) + more)


def _ramble(guest):
    return connack(guest.level, code=0x7F) + LOGIN.encode() + guest.connect


@pytest.mark.parametrize("answer", [_refuse, _dismiss, _ramble])
@pytest.mark.parametrize("verb", AS_BROKER)
def test_no_broker_gets_its_words_shown(verb, answer, search):
    """Reason strings, server references and stray bytes that repeat the CONNECT are not shown."""

    async def script(guest):
        await guest.send(answer(guest))
        await guest.behave()

    with beside(HostileBroker(script)) as broker:
        url = f"mqtt://{LOGIN}@127.0.0.1:{broker.port}"
        argv = [part.replace("URL", url) for part in AS_BROKER[verb]]
        search.run(answer.__name__, *argv, seconds=0.4, ready=lambda: broker.guests and broker.guests[0].taken)

    search.check(1)
    assert any(PASSWORD.encode() in guest.connect for guest in broker.guests)


CONFIGURATIONS = {
    "source": '[[source]]\nurl = "{url}"\n[[sink]]\nurl = "mqtt://h"\n',
    "broker": '[[source]]\nurl = "flight.ts"\n[[sink]]\nurl = "{url}"\n',
    "key": '[[source]]\nurl = "flight.ts"\n"{url}" = 1\n',
    "table": '["{url}"]\nx = 1\n',
    "type": '[[source]]\nurl = ["{url}"]\n',
    "stream": '[[source]]\nurl = "flight.ts"\nstream = "{url}"\n[[sink]]\nurl = "mqtt://127.0.0.1:1"\n',
    "file": '[[source]]\nurl = "srt://h:1"\npassphrase_file = "{url}"\n[[sink]]\nurl = "mqtt://h"\n',
    "ca_file": '[[source]]\nurl = "flight.ts"\n[[sink]]\nurl = "mqtts://127.0.0.1:1"\nca_file = "{url}"\n',
    "prefix": '[[source]]\nurl = "flight.ts"\n[[sink]]\nurl = "mqtt://127.0.0.1:1"\nprefix = "{url}"\n',
    "qos": '[[source]]\nurl = "flight.ts"\n[[sink]]\nurl = "mqtt://h"\nqos = "{url}"\n',
    "open": '[[source]]\nurl = "{url}\n',
}


@pytest.mark.parametrize("place", CONFIGURATIONS)
def test_a_configuration_is_not_quoted(place, search, home):
    """A mistyped URL in each place of a file, and broken TOML, are not quoted."""
    for name, url in malformed("rtsp").items():
        escaped = url.replace("\\", "\\\\").replace("\n", "\\n").replace("\x1b", "\\u001b")
        with tempfile(CONFIGURATIONS[place].replace("{url}", escaped)) as path:
            search.run(f"{place}, {name}", "run", "-c", path, seconds=0.3)

    search.check(26)


@contextlib.contextmanager
def tempfile(written):
    """A file readable by its owner only, outside the searched folder."""
    number = os.memfd_create("settings")
    try:
        with open(number, "w", closefd=False) as file:
            file.write(written)
        yield f"/proc/self/fd/{number}"
    finally:
        os.close(number)


def process_tree(pid):
    """The process and all its descendants."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def shown_of(pid):
    """What any user can see of a process, and what its owner can see of its environment."""
    for name in ("cmdline", "comm", "environ", "stat"):
        with contextlib.suppress(OSError):
            yield name, Path(f"/proc/{pid}/{name}").read_bytes()


SETTINGS = """\
[[source]]
url = "flight.ts"
loop = true
speed = 1.0
stream = "uav1"
[[source]]
url = "http://{login}@127.0.0.1:{http}/live.ts?token={token}"
[[source]]
url = "rtsp://{user}@127.0.0.1:{rtsp}/live?token={token}"
isolate = true
[[source]]
url = "http://127.0.0.1:{http}/other"
username = "{user}"
password_file = "source.secret"
[[sink]]
url = "mqtt://{user}@127.0.0.1:{broker}"
"""


async def test_a_relay_at_work_lets_nothing_out(oracle, tmp_path_factory, home):
    """Output, topics, payloads, properties and will; command line, environment and name of the relay and its children.
    """
    keys = tmp_path_factory.mktemp("keys")
    (keys / "source.secret").write_text(PASSWORD)
    (keys / "source.secret").chmod(0o600)
    (keys / "flight.ts").symlink_to(home / "flight.ts")
    seen, looks = [], 0
    with parrot(ANSWERS["http"]["refused"]) as http, parrot(ANSWERS["rtsp"]["description"]) as rtsp:
        ports = {"http": http.port, "rtsp": rtsp.port, "broker": oracle.port}
        (keys / "relay.toml").write_text(SETTINGS.format(login=LOGIN, user=USER, token=TOKEN, **ports))
        (keys / "relay.toml").chmod(0o600)
        names = ("MQTT_PASSWORD", "SOURCE_PASSWORD", "SRT_PASSPHRASE")
        secrets = {f"KLVRELAY_{name}": PASSWORD for name in names}
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "run", "-c", "relay.toml", cwd=keys, env={**ENVIRONMENT, **secrets},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        assert process.stdout is not None
        output = asyncio.create_task(process.stdout.read())
        try:
            await until(lambda: oracle.payloads("klvrelay/uav1/telemetry"), 20)
            await until(lambda: http.logins and rtsp.logins, 20)
            for _ in range(20):
                for pid in process_tree(process.pid):
                    looks += 1
                    seen += [f"{name} of {pid}" for name, data in shown_of(pid) if hits(data)]
                await asyncio.sleep(0.05)
            process.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(process.wait(), 10) == 0
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            said = await output

    assert looks >= 20
    assert not hits(said), said.decode()
    assert b"uav1" in said
    assert all(guest.username == USER for guest in oracle.guests)
    assert not [p for p in oracle.published if hits(f"{p.topic} {p.user} {p.properties}") or hits(p.payload)]
    assert not [guest.will for guest in oracle.guests if guest.will and hits(repr(guest.will))]
    assert not sorted(set(seen))


IN_PATH = f"user={USER}&password={PASSWORD}&channel=1.sdp"
IN_QUERY = f"live?user={USER};pwd={PASSWORD}"


@contextlib.asynccontextmanager
async def camera_read_by(*argv, path, folder, **environment):
    """A camera, and the command that reads it; its output is available once it ends."""
    async with Camera(rtp(fragments(feed.recording(30).klv, 1000), pause=0.01)) as camera:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, argv[0], f"rtsp://127.0.0.1:{camera.port}/{path}", *argv[1:], cwd=folder,
            env=ENVIRONMENT | environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            yield camera, process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


@pytest.mark.parametrize("path", [IN_PATH, IN_QUERY])
@pytest.mark.parametrize("verb", [["probe", "--json"], ["probe", "--html", "report.html"], ["decode"]])
async def test_a_camera_gets_parameters_that_no_output_shows(path, verb, home):
    """The camera receives them as in the URL; reports and messages omit them."""
    async with camera_read_by(*verb, path=path, folder=home) as (camera, process):
        said, _ = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode in (0, 6, 7), said
    assert camera.targets[0].endswith(f"/{path}")
    assert not hits(said), said
    assert not in_folder(home)


@pytest.mark.parametrize("way", ["environment", "file"])
async def test_a_camera_gets_a_password_in_its_path_that_no_command_line_shows(way, home, tmp_path_factory):
    """{password} is replaced from the environment or a file; there is no warning."""
    file = tmp_path_factory.mktemp("keys") / "camera.password"
    file.write_text(f"{PASSWORD}\n")
    file.chmod(0o600)
    option = ["--password-file", str(file)] if way == "file" else []
    variable = {"KLVRELAY_SOURCE_PASSWORD": PASSWORD} if way == "environment" else {}
    path = "user=viewer&password={password}&channel=1.sdp"
    argv = ("probe", "--json", *option)
    async with camera_read_by(*argv, path=path, folder=home, **variable) as (camera, process):
        said, _ = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode in (0, 6, 7), said
    assert camera.targets[0].endswith(f"/user=viewer&password={PASSWORD}&channel=1.sdp")
    assert not hits(said), said
    assert b"command line" not in said


async def test_no_topic_has_the_parameters_of_a_path(oracle, home):
    """Nor does a payload, a log line, or the command line of the process that reads the camera."""
    argv = ("run", "--mqtt", f"mqtt://127.0.0.1:{oracle.port}")
    async with camera_read_by(*argv, path=IN_PATH, folder=home) as (camera, process):
        name = f"127.0.0.1-{camera.port}-channel-1"
        await until(lambda: oracle.payloads(f"klvrelay/{name}/telemetry"), 20)
        shown = [what for pid in process_tree(process.pid)[1:] for _, what in shown_of(pid) if hits(what)]
        process.send_signal(signal.SIGINT)
        said, _ = await asyncio.wait_for(process.communicate(), 10)

    assert name.encode() in said
    assert not hits(said), said.decode()
    assert not shown
    assert not [p for p in oracle.published if hits(f"{p.topic} {p.user} {p.properties}") or hits(p.payload)]


async def test_a_playlist_under_a_secret_path_is_read_and_not_shown(home):
    """Its segments have the secret in their URLs, and one of them is missing."""
    folder = home / "web" / "live"
    folder.mkdir(parents=True)
    names = segments(feed.recording(60).ts, folder, 4)
    (folder / names[2]).unlink()
    playlist(folder / "a.m3u8", names)
    (home / "web" / f"token={TOKEN}").symlink_to(folder)  # the search covers the command's output, not this
    async with web_server(home / "web") as server:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "decode", server.url(f"token={TOKEN}/a.m3u8"), cwd=folder, env=ENVIRONMENT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(process.communicate(), 60)

    assert b"lost" in said
    assert b"sensor" in said or b"mission_id" in said
    assert not hits(said), said.decode()


async def test_secret_files_on_the_command_line_reach_only_the_far_ends(oracle, tmp_path_factory, home):
    """--password-file and --mqtt-password-file are used and not shown."""
    keys = tmp_path_factory.mktemp("keys")
    (keys / "secret").write_text(PASSWORD)
    (keys / "secret").chmod(0o600)
    with parrot(ANSWERS["http"]["broken"]) as http:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "run", f"http://{USER}@127.0.0.1:{http.port}/live",
            "--mqtt", f"mqtt://{USER}@127.0.0.1:{oracle.port}",
            "--password-file", keys / "secret", "--mqtt-password-file", keys / "secret",
            cwd=home, env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            await until(lambda: (oracle.published and http.logins) or process.returncode is not None, 20)
            assert process.returncode is None
            process.send_signal(signal.SIGINT)
        finally:
            if process.returncode is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 10)
            said, _ = await process.communicate()

    assert not hits(said), said.decode()
    assert not [p for p in oracle.published if hits(f"{p.topic} {p.user}") or hits(p.payload)]


def test_a_closed_port_is_closed():
    """No process listens at the closed port: the tests above rely on it."""
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", 1)) != 0
