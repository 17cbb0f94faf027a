"""Where the sources and the broker of a command line are, with the passwords that belong to them."""

from __future__ import annotations

import argparse
import logging

from klvrelay.credentials import SOURCE_PASSWORD, environment, is_secret, secret_file, with_password
from klvrelay.url import Url

LOG = logging.getLogger("klvrelay")


def source_url(args: argparse.Namespace, text: str) -> Url:
    """Where a source is, with the password that was said or set for it."""
    url = Url.parse(text)
    warn_of_password(url)
    path = getattr(args, "password_file", None)
    return with_password(url, environment(SOURCE_PASSWORD) if path is None else secret_file(path, "--password-file"))


def mqtt_url(args: argparse.Namespace) -> str | None:
    """The broker's URL as it was said."""
    url: str | None = args.mqtt
    if url is not None:
        warn_of_password(Url.parse(url))
    return url


def warn_of_password(url: Url) -> None:
    """Say it once where a command line shows a password to the whole machine."""
    if is_secret(url):
        LOG.warning(
            "a password in a URL on a command line can be read by everybody on this machine: keep it in a file or in"
            " the environment (see --help)"
        )
