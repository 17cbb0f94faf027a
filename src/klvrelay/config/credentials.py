"""Reads passwords and passphrases from files, systemd credentials and the environment, where other users cannot read
them.
"""

from __future__ import annotations

import os
import re
import stat

from klvrelay.config.url import PLACEHOLDER, Url
from klvrelay.errors import ConfigError
from klvrelay.text import Secret, is_utf8, printable

MQTT_PASSWORD = "KLVRELAY_MQTT_PASSWORD"
SOURCE_PASSWORD = "KLVRELAY_SOURCE_PASSWORD"
SRT_PASSPHRASE = "KLVRELAY_SRT_PASSPHRASE"
VARIABLES = (MQTT_PASSWORD, SOURCE_PASSWORD, SRT_PASSPHRASE)
_NAMED = r"KLVRELAY_[A-Z0-9_]{1,80}_(?:PASSWORD|PASSPHRASE|TOKEN|SECRET|APPRISE|URL)"
"""Environment variables that settings may name."""

WITH_LOGIN = ("rtsp", "rtsps", "http", "https")
"""Schemes of sources that take a user and a password."""
SECRET_MOST = 64 << 10
FOLDER = "CREDENTIALS_DIRECTORY"
"""The variable with the folder of a service's credentials, set by systemd (LoadCredential=)."""

_taken: dict[str, Secret] = {}


def secret_file(path: str, key: str) -> Secret:
    """The single line of a file or pipe that only its owner can read. Raises ConfigError, naming `key`.

    `path` may begin with ${CREDENTIALS_DIRECTORY}/, which systemd sets. Files there may be readable by their group.
    """
    from klvrelay.config.small_file import read_small  # here, since most runs do not need it

    path = _expanded(path, key)
    data, mode = read_small(path, key, SECRET_MOST)
    if readable_by_others(path, mode):
        raise ConfigError(f"{key}: other users can read it; run: chmod 600 {printable(path)}")
    try:
        text = data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigError(f"{key}: is not UTF-8 text") from None
    if not text:
        raise ConfigError(f"{key}: is empty")
    if any(sign in text for sign in "\r\n\0"):
        raise ConfigError(f"{key}: has more than one line; the file must contain the secret only")
    return Secret(text)


def readable_by_others(path: str, mode: int) -> bool:
    """May users other than the owner access a file? The access lists of systemd appear as group permissions."""
    folder = os.environ.get(FOLDER)
    of_systemd = folder and os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep)
    allowed = stat.S_IRWXU | (stat.S_IRGRP if of_systemd else 0)
    return bool(stat.S_IMODE(mode) & 0o777 & ~allowed)


def _expanded(path: str, key: str) -> str:
    """The path with ${CREDENTIALS_DIRECTORY} expanded."""
    begin = f"${{{FOLDER}}}/"
    if not path.startswith(begin):
        return path
    if not (folder := os.environ.get(FOLDER)):
        raise ConfigError(f"{key}: {FOLDER} is not set: start klvrelay from systemd with LoadCredential= in its unit")
    return os.path.join(folder, path.removeprefix(begin))


def environment(name: str) -> Secret | None:
    """The value of an environment variable, also after `take_environment`; None if it is unset or empty.

    Raises ConfigError if it is not UTF-8 text.
    """
    text = os.environ.get(name)
    secret = Secret(text) if text else _taken.get(name)
    if secret is not None and not is_utf8(secret.reveal()):
        raise ConfigError(f"{name}: is not UTF-8 text")
    return secret


def variables() -> dict[str, Secret]:
    """The variables of the environment that begin with KLVRELAY_ and are not empty, also after `take_environment`."""
    found = {name: Secret(text) for name, text in os.environ.items() if text and name.startswith("KLVRELAY_")}
    return _taken | found


def credential(name: str, key: str) -> Secret:
    """A credential of systemd (LoadCredential=NAME:FILE in the unit). Raises ConfigError, naming `key`."""
    if not re.fullmatch(r"[\w.@-]{1,200}", name, re.ASCII) or not name.strip("."):
        raise ConfigError(f"{key}: must be the name of a credential, as in LoadCredential=NAME:FILE of a systemd unit")
    return secret_file(f"${{{FOLDER}}}/{name}", key)


def named_variable(name: str, key: str) -> Secret:
    """The value of a variable named in settings. Raises ConfigError, naming `key`."""
    if not re.fullmatch(_NAMED, name):
        raise ConfigError(
            f"{key}: must be the name of a variable, KLVRELAY_..._PASSWORD, _PASSPHRASE, _TOKEN, _SECRET, _APPRISE or"
            " _URL"
        )
    if (secret := environment(name)) is None:
        raise ConfigError(f"{key}: {name} is unset or empty in the environment")
    return secret


def take_environment() -> None:
    """Remove secrets from the environment, so that no child process inherits them and /proc/PID/environ is clean."""
    names = [name for name in os.environ if name.startswith("KLVRELAY_")]
    for name in names:
        if name not in VARIABLES and not re.fullmatch(_NAMED, name):
            continue
        text = os.environ[name]
        if text:
            _taken[name] = Secret(text)
        _wipe(name.encode())
        del os.environ[name]


def _wipe(name: bytes) -> None:
    """Overwrite the value in the memory block that the kernel exposes; it may occur there more than once."""
    import ctypes  # here, since most runs do not need it

    block = ctypes.POINTER(ctypes.c_void_p).in_dll(ctypes.CDLL(None), "environ")
    place = 0
    while block and (entry := block[place]):
        text = ctypes.string_at(entry)
        if text.startswith(name + b"="):
            ctypes.memset(entry + len(name) + 1, 0, len(text) - len(name) - 1)
        place += 1


def with_password(url: Url, password: Secret | None) -> Url:
    """The URL with a password, in place of {password} in its path or query, or else for its user.

    A URL with a password, without a user or of another scheme stays unchanged. Raises ConfigError for a {password}
    without a password.
    """
    if url.has_placeholder:
        if password is None:
            raise ConfigError(
                f"{url}: contains {PLACEHOLDER}, but no password was given: name a file (--password-file, or"
                f" password_file in settings), or set {SOURCE_PASSWORD}"
            )
        return url.filled(password)
    if password is None or url.user is None or url.password is not None or url.scheme not in WITH_LOGIN:
        return url
    return url._replace(password=password)


def is_secret(url: Url) -> bool:
    """Does the URL contain a password, a passphrase, or a parameter named like one?"""
    return next(url.secrets(), None) is not None
