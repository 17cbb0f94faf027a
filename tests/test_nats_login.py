"""Logins at NATS: user, token, NKey and JWT."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import nkeys
import pytest
from cases import each_case
from far_ends import settings_of
from queue_trials import PASSWORD, StartNats, fault_of, sink_to
from records import record

from klvrelay.errors import ConfigError
from klvrelay.outcome import Outcome
from klvrelay.sinks.open import check_far_end
from klvrelay.text import Secret


async def test_a_wrong_login_is_named_and_not_shown(start_nats: StartNats):
    """Also a missing one, and a token."""
    server = await start_nats('authorization { token: "another" }')
    assert "refuses the login" in await fault_of(server.url)
    assert "refuses the login" in await fault_of(server.url, token=Secret(PASSWORD))
    assert "refuses the login" in await fault_of(server.url.replace("//", f"//relay:{PASSWORD}@"))
    async with sink_to(server.url, create=True, token=Secret("another")) as sink:
        assert await sink.deliver([record(0)]) == Outcome(delivered=1)


async def test_a_login_by_nkey(start_nats: StartNats, tmp_path: Path):
    """The seed is in a file; the server has the public key."""
    seed, public = user_keys()
    server = await start_nats(f"authorization {{ users [ {{ nkey: {public} }} ] }}")
    path = tmp_path / "relay.nk"
    path.write_text(f"{seed}\n")
    async with sink_to(server.url, create=True, credentials_file=str(path)) as sink:
        assert await sink.deliver([record(0)]) == Outcome(delivered=1)
    path.write_text(f"{user_keys()[0]}\n")
    assert "refuses the login" in await fault_of(server.url, credentials_file=str(path))


async def test_a_login_by_jwt(start_nats: StartNats, tmp_path: Path):
    """A .creds file: a JWT that the account has signed, and the seed of the user."""
    operator, account, system, user = (keys_of(kind) for kind in "OAAU")
    owners = (account, True), (system, False)
    jwts = [(name_of(keys), jwt_of(operator, keys, "account", has_storage=has_storage)) for keys, has_storage in owners]
    resolved = "\n".join(f"{name}: {jwt}" for name, jwt in jwts)
    server = await start_nats(
        f"operator: {jwt_of(operator, operator, 'operator')}\nresolver: MEMORY\nsystem_account: {name_of(system)}\n"
        f"resolver_preload {{\n{resolved}\n}}\n"
    )
    path = tmp_path / "relay.creds"
    path.write_text(
        f"-----BEGIN NATS USER JWT-----\n{jwt_of(account, user, 'user')}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
    )
    async with sink_to(server.url, create=True, credentials_file=str(path)) as sink:
        assert await sink.deliver([record(0)]) == Outcome(delivered=1)


def keys_of(kind: str) -> Any:
    """NKeys of an operator (O), account (A) or user (U)."""
    prefix = {"O": nkeys.PREFIX_BYTE_OPERATOR, "A": nkeys.PREFIX_BYTE_ACCOUNT, "U": nkeys.PREFIX_BYTE_USER}[kind]
    raw = bytearray(nkeys.encode_seed(os.urandom(32), prefix))
    return nkeys.from_seed(raw)


def name_of(keys: Any) -> str:
    return keys.public_key.decode()


def user_keys() -> tuple[str, str]:
    """Seed and public key of a user."""
    keys = keys_of("U")
    return keys.seed.decode(), name_of(keys)


def jwt_of(issuer: Any, subject: Any, kind: str, *, has_storage: bool = True) -> str:
    """A JWT of NATS, version 2: without limits, with JetStream."""
    limits = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": True, "conn": -1,
              "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}  # fmt: skip
    own: dict[str, Any] = {"type": kind, "version": 2}
    if kind == "account":
        own["limits"] = limits if has_storage else {name: limits[name] for name in list(limits)[:8]}
    if kind == "user":
        own |= {"subs": -1, "data": -1, "payload": -1, "pub": {}, "sub": {}}
    claims = {"jti": "x", "iat": 1, "iss": name_of(issuer), "name": kind, "sub": name_of(subject), "nats": own}
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    text = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
    return f"{text}.{_encoded(issuer.sign(text.encode()))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@each_case("text, says", [
    ("", "contains no NKey seed of a user"), (f"SU{'A' * 56}", "the NKey seed is damaged"),
    (PASSWORD, "contains no NKey seed of a user"),
])  # fmt: skip
def test_a_file_without_credentials_is_named(text: str, says: str, tmp_path: Path):
    """Before anything connects, and without a part of it."""
    path = tmp_path / "relay.creds"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"credentials_file: {says}") as fault:
        check_far_end(settings_of("nats://h", credentials_file=str(path)))
    assert not text or text not in str(fault.value)


@each_case("url, module, extra", [
    ("nats://h", "nats", "nats"), ("nats://h", "nkeys", "nats"), ("redis://h", "redis", "redis"),
    ("redis://h", "hiredis", "redis"),
])  # fmt: skip
def test_a_missing_library_is_named_with_its_extra(
    url: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
):
    """Before anything connects."""
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=re.escape(f"pip install 'klvrelay[{extra}]'")):
        check_far_end(settings_of(url))
