"""The sample recording, sent live by another process."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from conftest import ROOT


@asynccontextmanager
async def sending(url: str, *options: str) -> AsyncIterator[None]:
    """`klvrelay send` of a recording of 12 s, again and again."""
    words = ("-m", "klvrelay", "send", str(ROOT / "samples" / "orbit.ts"), url, "--loop", "--quiet", *options)
    process = await asyncio.create_subprocess_exec(sys.executable, *words)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()
