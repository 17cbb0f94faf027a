"""URLs of the sources on a command line, completed with their passwords."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from klvrelay.config.credentials import SOURCE_PASSWORD, environment, is_secret, secret_file, with_password
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.log import logger
from klvrelay.text import Secret

if TYPE_CHECKING:
    import argparse


def source_url(args: argparse.Namespace, text: str) -> Url:
    """The URL of a verb's only source, with its password from --password-file or the environment."""
    password = password_option(args)
    (url,) = source_urls([text], password)
    check_used(password, [url])
    return url


def source_urls(texts: Iterable[str], from_file: Secret | None) -> list[Url]:
    """The URLs of sources, with the given password or that of the environment."""
    password = environment(SOURCE_PASSWORD) if from_file is None else from_file
    return [with_password(Url.parse(text), password) for text in texts]


def password_option(args: argparse.Namespace) -> Secret | None:
    """The password in --password-file. Call it once: a pipe can be read only once."""
    path = getattr(args, "password_file", None)
    return None if path is None else secret_file(path, "--password-file")


def check_used(from_file: Secret | None, urls: Iterable[Url]) -> None:
    """Raise ConfigError if --password-file was given but no source uses it."""
    if from_file is not None and not any(url.takes(from_file) for url in urls):
        raise ConfigError(
            "--password-file: no source uses it: write a user without a password in the URL (rtsp, rtsps, http, https),"
            " as in rtsp://user@host/path, or {password} where it belongs in the path or query"
        )


def warn_of_passwords(arguments: Iterable[str]) -> None:
    """Warn if the command line contains a password, which every user of the machine can read."""
    if any(_has_secret(text) for argument in arguments for text in (argument, argument.partition("=")[2])):
        logger().warning(
            "every user of this machine can read the password in a URL on the command line: put it in a file or in the"
            " environment (see --help)"
        )


def _has_secret(text: str) -> bool:
    try:
        return "://" in text and is_secret(Url.parse(text))
    except ConfigError:
        return False
