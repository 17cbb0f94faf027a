"""MQTT over TLS with a real mosquitto and the secured listener of the shipped configuration."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from brokers import SAMPLE, Mosquitto, until

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import ConfigError, SinkDown, SinkRefused
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.text import Secret

pytestmark = pytest.mark.needs("mosquitto", "mosquitto_passwd", "openssl")

CANARY = "c4n4ry-pa55"
WILL = Message("klvrelay/status", b"gone", retain=True)
HOST = "/CN=localhost", "subjectAltName=IP:127.0.0.1,DNS:localhost"
RELAY = "/CN=relay", "subjectAltName=DNS:relay"


def openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=20)


def authority(home: Path, name: str) -> None:
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    where = ("-keyout", home / f"{name}.key", "-out", home / f"{name}.pem")
    rights = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")  # required by Python 3.13
    openssl("req", "-x509", *curve, *where, "-subj", f"/CN={name}", "-days", "2", *rights)


AUTHORITY = """\
[ca]
default_ca = this
[this]
database = {home}/issued
new_certs_dir = {home}
rand_serial = yes
default_md = sha256
unique_subject = no
policy = any
[any]
commonName = supplied
"""


def certificate(home: Path, name: str, subject: str, names: str, *, expired: bool = False, by: str = "ca") -> None:
    """A key and a certificate signed by the authority `by`.

    `openssl ca` is the only command that accepts dates in OpenSSL 3.0 and in 3.5, which refuses `-days -1`.
    """
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    request, extra, settings = home / f"{name}.csr", home / f"{name}.ext", home / "ca.cnf"
    settings.write_text(AUTHORITY.format(home=home))
    (home / "issued").write_text("")
    extra.write_text(f"{names}\nauthorityKeyIdentifier=keyid\n")
    openssl("req", *curve, "-keyout", home / f"{name}.key", "-out", request, "-subj", subject)
    ca = ("-config", settings, "-cert", home / f"{by}.pem", "-keyfile", home / f"{by}.key", "-extfile", extra)
    dates = ("-startdate", "20200101000000Z", "-enddate", "20200102000000Z") if expired else ("-days", 2)
    openssl("ca", "-batch", "-notext", *ca, "-in", request, *dates, "-out", home / f"{name}.pem")


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of a broker and of a client: valid, expired, for another host, signed by an unknown CA."""
    if shutil.which("openssl") is None or shutil.which("mosquitto_passwd") is None:
        pytest.skip("not installed: openssl or mosquitto_passwd")
    home = tmp_path_factory.mktemp("papers")
    authority(home, "ca")
    authority(home, "stranger")
    certificate(home, "broker", *HOST)
    certificate(home, "expired", *HOST, expired=True)
    certificate(home, "elsewhere", "/CN=elsewhere.example", "subjectAltName=DNS:elsewhere.example")
    certificate(home, "client", *RELAY)
    certificate(home, "lapsed", *RELAY, expired=True)
    certificate(home, "foreign", *RELAY, by="stranger")
    subprocess.run(
        ["mosquitto_passwd", "-b", "-c", home / "passwords", "relay", CANARY], check=True, capture_output=True
    )
    (home / "acl").write_text("user relay\ntopic write klvrelay/#\n")
    return home


def secured(papers: Path, certified: str, by_certificate: bool = False) -> str:
    """The shipped configuration with all options switched on and without the open listener."""
    text = re.sub(r"(?m)^listener 1883.*\nallow_anonymous true\n", "", SAMPLE.read_text())
    text = re.sub(r"(?m)^#(?=[a-z_]+ )", "", text).replace("listener 8883", "listener 8883 127.0.0.1")
    unwanted = "persistence_location" if by_certificate else "persistence_location|cafile|require_c|use_id"
    text = re.sub(rf"(?m)^({unwanted}).*\n", "", text)
    text = text.replace("/etc/mosquitto/certs/broker", str(papers / certified))
    text = text.replace("/etc/mosquitto/certs", str(papers))
    return text.replace("/etc/mosquitto", str(papers)).replace("klvrelay.acl", "acl")


@contextlib.asynccontextmanager
async def tls_broker(papers, tmp_path, port, certified="broker", **options):
    broker = Mosquitto(tmp_path, port, scheme="mqtts")
    broker.configure(secured(papers, certified, **options))
    await broker.start()
    try:
        yield broker
    finally:
        await broker.kill()


def to(broker, papers, **settings):
    known = {"username": "relay", "password": Secret(CANARY), "ca_file": str(papers / "ca.pem")}
    return MqttSettings.from_url(broker.url, **{**known, "timeout": 4.0, **settings})


async def fault_of(settings):
    with pytest.raises((SinkDown, SinkRefused)) as caught:
        await connect(settings, client_id="kr", will=WILL)
    assert CANARY not in repr(caught.value)
    return caught.value


async def test_the_secured_listener_of_the_sample_accepts_the_relay(papers, tmp_path, free_port):
    """Switched on unchanged, with its password file and access list, over TLS."""
    async with tls_broker(papers, tmp_path, free_port) as broker:
        connection = await connect(to(broker, papers), client_id="kr", will=WILL)
        await connection.publish([Message("klvrelay/uav1/telemetry", b"{}")] * 50)
        assert await connection.publish([Message("other", b"{}")]) == [0x87]
        await connection.close()
        wrong = await fault_of(to(broker, papers, password=Secret("wrong")))

    assert isinstance(wrong, SinkRefused)
    # One check whether the port is open is an empty connection: no error of the settings.
    errors = [line for line in broker.log().splitlines() if "Error" in line]
    assert [line for line in errors if not line.endswith("SSL routines::unexpected eof while reading")] == []


@pytest.mark.parametrize(
    ("certified", "ca", "says"),
    [
        ("broker", "stranger.pem", "it is signed by an unknown authority"),
        ("expired", "ca.pem", "it has expired: renew it"),
        ("elsewhere", "ca.pem", "it is for another host name"),
    ],
)
async def test_an_invalid_certificate_is_refused(papers, tmp_path, free_port, certified, ca, says):
    """Unknown CA, expired, another host's: no credential byte is sent, and the reason is reported."""
    async with tls_broker(papers, tmp_path, free_port, certified) as broker:
        fault = await fault_of(to(broker, papers, ca_file=str(papers / ca)))

    assert isinstance(fault, SinkRefused)
    assert re.search(says, str(fault)), str(fault)
    assert "relay" not in broker.log()


async def test_the_systems_authorities_do_not_include_a_private_ca(papers, tmp_path, free_port):
    """Without ca_file the system's store decides."""
    async with tls_broker(papers, tmp_path, free_port) as broker:
        fault = await fault_of(to(broker, papers, ca_file=None))

    assert isinstance(fault, SinkRefused)
    assert "not trusted" in str(fault)


async def test_a_client_certificate_is_accepted(papers, tmp_path, free_port):
    """With it the broker accepts the client, without it the error says what it requires."""
    pair = {"cert_file": str(papers / "client.pem"), "key_file": str(papers / "client.key")}
    nobody = {"username": None, "password": None}
    async with tls_broker(papers, tmp_path, free_port, by_certificate=True) as broker:
        connection = await connect(to(broker, papers, **pair, **nobody), client_id="kr", will=WILL)
        await connection.publish([Message("klvrelay/a", b"{}")])
        await connection.close()
        fault = await fault_of(to(broker, papers, **nobody))

    assert "cert_file" in str(fault)


@pytest.mark.parametrize(
    ("paper", "says"),
    [
        (None, "it requires a client certificate: set cert_file and key_file"),
        ("lapsed", "our client certificate has expired: renew cert_file"),
        ("foreign", "unknown authority of our client certificate|it rejects our client certificate"),
    ],
)
@pytest.mark.parametrize("client", ["native", "aiomqtt"])
async def test_a_refused_client_certificate_is_reported(papers, tmp_path, free_port, paper, says, client):
    """In TLS 1.3 the alert arrives after the handshake; the peer still counts as a broker."""
    files = {"cert_file": papers / f"{paper}.pem", "key_file": papers / f"{paper}.key"}
    pair = {} if paper is None else {name: str(path) for name, path in files.items()}
    async with tls_broker(papers, tmp_path, free_port, by_certificate=True) as broker:
        for _ in range(5):  # whichever end is faster
            fault = await fault_of(to(broker, papers, username=None, password=None, client=client, **pair))
            assert isinstance(fault, SinkRefused)
            assert re.search(says, str(fault)), str(fault)


@pytest.mark.parametrize("form", [["-aes256"], ["-aes256", "-traditional"]], ids=["PKCS 8", "traditional"])
async def test_an_encrypted_key_is_named(papers, tmp_path, form):
    """With what to do, before anything is sent."""
    key = tmp_path / "locked.key"
    openssl("pkey", "-in", papers / "client.key", *form, "-passout", "pass:x", "-out", key)
    settings = MqttSettings(host="127.0.0.1", port=9, tls=True, cert_file=str(papers / "client.pem"), key_file=str(key))
    with pytest.raises(ConfigError, match=r"the key is encrypted.*openssl pkey -in KEY -out NEW"):
        await connect(settings, client_id="kr")


async def test_a_key_of_another_certificate_is_named(papers):
    """Not called a file that is no PEM."""
    files = {"cert_file": str(papers / "client.pem"), "key_file": str(papers / "broker.key")}
    with pytest.raises(ConfigError, match="the key does not belong to the certificate"):
        await connect(MqttSettings(host="127.0.0.1", port=9, tls=True, **files), client_id="kr")


async def test_tls_to_a_plain_port_and_plain_to_a_tls_port_say_which_to_use(papers, tmp_path, free_port, oracle):
    """The most common mistake gets its solution."""
    async with tls_broker(papers, tmp_path, free_port) as broker:
        plain = await fault_of(MqttSettings.from_url(f"mqtt://127.0.0.1:{broker.port}", timeout=4.0))
    encrypted = await fault_of(MqttSettings.from_url(f"mqtts://127.0.0.1:{oracle.port}", timeout=1.0))

    assert "mqtts://" in str(plain)
    assert "mqtt://" in str(encrypted)


async def test_an_unanswered_handshake_can_be_cancelled_at_once(papers, silent_port):
    """The library does the handshake in a thread: cancelling must neither wait for it nor leave it running."""
    port, arrived = silent_port
    settings = MqttSettings.from_url(f"mqtts://127.0.0.1:{port}", timeout=60.0)
    attempt = asyncio.create_task(connect(settings, client_id="kr", will=WILL), name="attempt")
    await until(lambda: arrived)
    attempt.cancel()
    async with asyncio.timeout(1):
        await asyncio.wait({attempt})

    assert attempt.cancelled()


async def test_an_unanswered_handshake_ends_in_time(silent_port):
    """A TLS port that never answers."""
    port, _ = silent_port
    async with asyncio.timeout(3):
        fault = await fault_of(MqttSettings.from_url(f"mqtts://127.0.0.1:{port}", timeout=0.6))

    assert isinstance(fault, SinkDown)


@pytest.fixture
async def silent_port():
    """A port that accepts, reads and stays silent, and the list of its connections."""
    arrived: list[bytes] = []

    async def serve(reader, writer):
        arrived.append(await reader.read(10))
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        yield listener.sockets[0].getsockname()[1], arrived


@pytest.mark.parametrize("key", ["ca_file", "cert_file", "key_file"])
async def test_a_certificate_file_that_can_not_be_used_is_named(papers, tmp_path, key):
    """Missing, or no PEM: a settings error before anything is sent."""
    files = {"cert_file": str(papers / "client.pem"), "key_file": str(papers / "client.key")}
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    for path, says in ((tmp_path / "missing.pem", "no such file"), (junk, "contains no valid PEM")):
        settings = MqttSettings(host="127.0.0.1", port=9, tls=True, **{**files, key: str(path)})
        with pytest.raises(ConfigError, match=f"{key}.*{says}"):
            await connect(settings, client_id="kr")
