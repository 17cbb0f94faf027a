"""Where the sources of a command line are, with the passwords that belong to them."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable

from klvrelay.credentials import SOURCE_PASSWORD, environment, is_secret, secret_file, with_password
from klvrelay.errors import ConfigError
from klvrelay.url import Url

LOG = logging.getLogger("klvrelay")


def source_url(args: argparse.Namespace, text: str) -> Url:
    """Where a source is, with the password that was said or set for it."""
    path = getattr(args, "password_file", None)
    password = environment(SOURCE_PASSWORD) if path is None else secret_file(path, "--password-file")
    return with_password(Url.parse(text), password)


def warn_of_passwords(arguments: Iterable[str]) -> None:
    """Say once that a command line shows a password to the whole machine."""
    if any(_has_secret(text) for argument in arguments for text in (argument, argument.partition("=")[2])):
        LOG.warning(
            "a password in a URL on a command line can be read by everybody on this machine: keep it in a file or in"
            " the environment (see --help)"
        )


def _has_secret(text: str) -> bool:
    try:
        return "://" in text and is_secret(Url.parse(text))
    except ConfigError:
        return False
