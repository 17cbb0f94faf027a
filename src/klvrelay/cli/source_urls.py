"""Where the sources of a command line are, with the passwords that belong to them."""

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
    """Where a verb's only source is, with the password that was said or set for it."""
    password = said_password(args)
    (url,) = source_urls([text], password)
    check_used(password, [url])
    return url


def source_urls(texts: Iterable[str], said: Secret | None) -> list[Url]:
    """Where sources are, with the password that was said for them, or set in the environment."""
    password = environment(SOURCE_PASSWORD) if said is None else said
    return [with_password(Url.parse(text), password) for text in texts]


def said_password(args: argparse.Namespace) -> Secret | None:
    """What --password-file holds: to be asked for once, since a pipe can be read once."""
    path = getattr(args, "password_file", None)
    return None if path is None else secret_file(path, "--password-file")


def check_used(said: Secret | None, urls: Iterable[Url]) -> None:
    """Raise ConfigError where --password-file was given, and no source takes the password in it."""
    if said is not None and not any(url.takes(said) for url in urls):
        raise ConfigError(
            "--password-file: no source takes it: write the user into the URL, as in rtsp://user@host/path, and no"
            " password (of rtsp, rtsps, http and https), or {password} where the URL has it in its path or query"
        )


def warn_of_passwords(arguments: Iterable[str]) -> None:
    """Say once that a command line shows a password to the whole machine."""
    if any(_has_secret(text) for argument in arguments for text in (argument, argument.partition("=")[2])):
        logger().warning(
            "a password in a URL on a command line can be read by everybody on this machine: keep it in a file or in"
            " the environment (see --help)"
        )


def _has_secret(text: str) -> bool:
    try:
        return "://" in text and is_secret(Url.parse(text))
    except ConfigError:
        return False
