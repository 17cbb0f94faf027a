"""Reads the secrets of a table: in the table itself, in a file, in a variable, or in a credential of systemd."""

from __future__ import annotations

from klvrelay.config.credentials import WITH_LOGIN, credential, is_secret, named_variable, secret_file
from klvrelay.config.entries import TableEntry
from klvrelay.config.faults import Faults
from klvrelay.config.setting import PLACES, Setting
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.text import Secret

_READERS = {"file": secret_file, "env": named_variable, "credential": credential}


def secret_of(entry: TableEntry, setting: Setting, faults: Faults) -> Secret | None:
    """The secret of a setting, wherever it is; None if there is none. Faults are added."""
    key, *others = [key for key in setting.keys if key in entry.values] or [""]
    if not key:
        return None
    if others:
        entry.add_fault(faults, others[0], f"{key} is given too; give only one")
    value, place = entry.values[key], entry.table.setting_of(key)[1]
    try:
        if not isinstance(value, str):
            raise ConfigError("must be text in quotes")
        return _READERS[place](value, "") if place else Secret(value)
    except ConfigError as fault:
        entry.add_fault(faults, key, str(fault))
        return None


def has_secret(entry: TableEntry) -> bool:
    """Does the file itself contain a secret of this entry?"""
    for key, value in entry.values.items():
        setting, place = entry.table.setting_of(key)
        if place or entry.origins[key].is_named:
            continue
        if setting.kind.is_secret or (key == "url" and any(map(_is_secret_url, _urls(value)))):
            return True
    return False


def _urls(value: object) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _is_secret_url(text: str) -> bool:
    try:
        return is_secret(Url.parse(text))
    except ConfigError:
        return True


def check_login(entry: TableEntry, url: Url, password: Secret | None, faults: Faults) -> None:
    """Add the faults of a user or a password that does not fit the URL."""
    passwords = ("password", *(f"password_{place}" for place in PLACES))
    key = entry.first_of(("username", *passwords))
    if key is None:
        return
    if url.scheme not in WITH_LOGIN:
        entry.add_fault(faults, key, f"applies to {', '.join(f'{scheme}://' for scheme in WITH_LOGIN)} only")
    if "username" in entry.values and url.user is not None:
        entry.add_fault(faults, "username", "the URL has a user too; give only one")
    key = entry.first_of(passwords) or ""
    if password is not None and url.password is not None:
        entry.add_fault(faults, key, "the URL has a password too; give only one")
    if password is not None and url.user is None and "username" not in entry.values and not url.has_placeholder:
        entry.add_fault(faults, key, "a password needs a username")
