"""Login by NKey: the client signs a nonce of the server. With a user JWT (a .creds file) or without."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, NamedTuple, Self

from klvrelay.config.small_file import read_small
from klvrelay.errors import ConfigError
from klvrelay.text import Secret

FILE_MOST = 64 << 10
"""Maximum bytes of a credentials file."""
_JWT = re.compile(r"-+BEGIN NATS USER JWT-+\s+(\S+)\s+-+END NATS USER JWT-+")
_CREDS = (
    "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
    "-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
)
_SEED = re.compile(r"\bSU[A-Z2-7]{56}\b")


class NkeyLogin(NamedTuple):
    """A seed, and the JWT that belongs to it, if any."""

    seed: Secret
    jwt: str | None

    @classmethod
    def read(cls, path: str) -> Self:
        """From a file. Raises ConfigError, which quotes nothing of it."""
        text = read_small(path, "credentials_file", FILE_MOST).data.decode("ascii", "replace")
        if (seed := _SEED.search(text)) is None:
            raise ConfigError("credentials_file: contains no NKey seed of a user (SU...)")
        if not _is_sound(seed[0]):
            raise ConfigError("credentials_file: the NKey seed is damaged: copy the file again")
        jwt = _JWT.search(text)
        return cls(Secret(seed[0]), jwt[1] if jwt else None)

    def options(self) -> dict[str, Any]:
        """Arguments of the library's `connect`."""
        from nats.aio.client import RawCredentials

        if self.jwt is None:
            return {"nkeys_seed_str": self.seed.reveal()}
        return {"user_credentials": RawCredentials(_CREDS.format(jwt=self.jwt, seed=self.seed.reveal()))}


def _is_sound(seed: str) -> bool:
    """Does the checksum fit: CRC-16 (XMODEM) in the last two bytes, the low one first?"""
    data = base64.b32decode(f"{seed}{'=' * (-len(seed) % 8)}")
    return binascii.crc_hqx(data[:-2], 0) == int.from_bytes(data[-2:], "little")
