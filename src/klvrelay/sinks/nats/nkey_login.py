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
        found = cls(Secret(seed[0]), jwt[1] if jwt else None)
        found._keys()
        return found

    def _keys(self) -> Any:
        try:
            import nkeys
        except ImportError:
            raise ConfigError(
                "credentials_file: needs the Python package nkeys: pip install 'klvrelay[nats]'"
            ) from None
        return nkeys.from_seed(bytearray(self.seed.reveal(), "ascii"))

    def members(self, nonce: str) -> dict[str, str]:
        """What CONNECT contains for a nonce."""
        keys = self._keys()
        signature = base64.urlsafe_b64encode(keys.sign(nonce.encode())).rstrip(b"=").decode()
        own = {"nkey": keys.public_key.decode()} if self.jwt is None else {"jwt": self.jwt}
        return own | {"sig": signature}


def _is_sound(seed: str) -> bool:
    """Does the checksum fit: CRC-16 (XMODEM) in the last two bytes, the low one first?"""
    data = base64.b32decode(f"{seed}{'=' * (-len(seed) % 8)}")
    return binascii.crc_hqx(data[:-2], 0) == int.from_bytes(data[-2:], "little")
