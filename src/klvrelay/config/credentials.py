"""Passwords and passphrases from where no other user of the machine can read them: files, systemd credentials, the
environment.
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
_NAMED = r"KLVRELAY_[A-Z0-9_]{1,80}_(?:PASSWORD|PASSPHRASE|URL)"
"""Variables that settings may name."""

WITH_LOGIN = ("rtsp", "rtsps", "http", "https")
"""Schemes of sources that take a user and a password."""
SECRET_MOST = 64 << 10
FOLDER = "CREDENTIALS_DIRECTORY"
"""The variable in which systemd tells where a service's credentials are (LoadCredential=)."""

_taken: dict[str, Secret] = {}


def secret_file(path: str, key: str) -> Secret:
    """The one line of a file or a pipe that only its owner can read; raises ConfigError, naming `key`.

    `path` may begin with ${CREDENTIALS_DIRECTORY}/, which systemd sets. Its files may have a group that can read them.
    """
    from klvrelay.config.small_file import read_small  # here, since few have a use for it

    path = _expanded(path, key)
    data, mode = read_small(path, key, SECRET_MOST)
    if readable_by_others(path, mode):
        raise ConfigError(f"{key}: can be read by others; run: chmod 600 {printable(path)}")
    try:
        text = data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigError(f"{key}: is not UTF-8 text") from None
    if not text:
        raise ConfigError(f"{key}: is empty")
    if any(sign in text for sign in "\r\n\0"):
        raise ConfigError(f"{key}: has more than one line; give a file with nothing else in it")
    return Secret(text)


def readable_by_others(path: str, mode: int) -> bool:
    """May others than its owner read or change a file? The access lists of systemd show as rights of the group."""
    folder = os.environ.get(FOLDER)
    of_systemd = folder and os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep)
    allowed = stat.S_IRWXU | (stat.S_IRGRP if of_systemd else 0)
    return bool(stat.S_IMODE(mode) & 0o777 & ~allowed)


def _expanded(path: str, key: str) -> str:
    """The path with the folder of systemd's credentials put in."""
    begin = f"${{{FOLDER}}}/"
    if not path.startswith(begin):
        return path
    if not (folder := os.environ.get(FOLDER)):
        raise ConfigError(f"{key}: {FOLDER} is not set: start klvrelay by systemd, with LoadCredential= in its unit")
    return os.path.join(folder, path.removeprefix(begin))


def environment(name: str) -> Secret | None:
    """The value of one of VARIABLES, also after `take_environment`; None where it is not set, or empty.

    Raises ConfigError where it is not UTF-8 text.
    """
    text = os.environ.get(name)
    secret = Secret(text) if text else _taken.get(name)
    if secret is not None and not is_utf8(secret.reveal()):
        raise ConfigError(f"{name}: is not UTF-8 text")
    return secret


def named_variable(name: str, key: str) -> Secret:
    """The value of a variable that settings name; raises ConfigError, naming `key`."""
    if not re.fullmatch(_NAMED, name):
        raise ConfigError(f"{key}: give the name of a variable, KLVRELAY_..._PASSWORD, _PASSPHRASE or _URL")
    if (secret := environment(name)) is None:
        raise ConfigError(f"{key}: {name} is not set in the environment, or is empty")
    return secret


def take_environment() -> None:
    """Take our secrets out of the environment: no child gets them, and /proc/PID/environ shows them no more."""
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
    """Overwrite the value where the kernel put it when the process began; it may stand there more than once."""
    import ctypes  # here, since few have a use for it

    block = ctypes.POINTER(ctypes.c_void_p).in_dll(ctypes.CDLL(None), "environ")
    place = 0
    while block and (entry := block[place]):
        text = ctypes.string_at(entry)
        if text.startswith(name + b"="):
            ctypes.memset(entry + len(name) + 1, 0, len(text) - len(name) - 1)
        place += 1


def with_password(url: Url, password: Secret | None) -> Url:
    """The URL with a password: in place of {password} in its path or query; else where it has a user and none, and is
    of a kind that takes one. Raises ConfigError for a {password} without a password.
    """
    if url.has_placeholder:
        if password is None:
            raise ConfigError(
                f"{url}: {PLACEHOLDER} is in it, and no password was given: name a file (--password-file, or"
                f" password_file in settings), or set {SOURCE_PASSWORD}"
            )
        return url.filled(password)
    if password is None or url.user is None or url.password is not None or url.scheme not in WITH_LOGIN:
        return url
    return url._replace(password=password)


def is_secret(url: Url) -> bool:
    """Does the URL hold a password or a passphrase, or a parameter whose name says that it is such?"""
    return next(url.secrets(), None) is not None
