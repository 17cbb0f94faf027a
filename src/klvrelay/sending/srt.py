"""srt://: the sending end of SRT, which `sources/srt_sender.py` has beside the receiving one; next door, `tcp.py`."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from klvrelay.errors import SinkDown, SourceDown
from klvrelay.names import Secret, Url
from klvrelay.sending.gone import ReceiverGone
from klvrelay.sources.srt_sender import SIZE, SrtSender


class SrtLine:
    """Messages of at most 1,316 bytes, which SRT sends again where they are lost."""

    lossy = False
    troubles = 0

    def __init__(self, url: Url, *, timeout: float, passphrase: Secret | None = None) -> None:
        self.url = url
        self.waits = not url.host or url.options.get("mode") in ("listener", "server")
        self._sender = SrtSender(url, timeout=timeout, passphrase=passphrase)

    async def __aenter__(self) -> Self:
        try:
            await self._sender.__aenter__()
        except SinkDown as fault:
            raise SourceDown(str(fault)) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._sender.__aexit__(kind, fault, trace)
        except SinkDown as gone:
            raise ReceiverGone(str(gone)) from None

    def frame(self, payload: bytes, seconds: float) -> bytes:
        return payload

    async def send(self, datagram: bytes) -> None:
        """Raises ReceiverGone where nobody takes it any more."""
        try:
            for at in range(0, len(datagram), SIZE):
                await self._sender.send(datagram[at : at + SIZE])
        except SinkDown as gone:
            raise ReceiverGone(str(gone)) from None
