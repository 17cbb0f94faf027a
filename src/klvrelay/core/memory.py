"""Memory for what the C core writes: one per thread and purpose, kept from call to call."""

from __future__ import annotations

import threading

from klvrelay.core._core import ffi

_NO_CLEAR = ffi.new_allocator(should_clear_after_alloc=False)


class Memory(threading.local):
    """`size` bytes at `out`, read through `view`; grows to the largest result seen."""

    def __init__(self, size: int = 32768) -> None:
        self.grow(size)

    def grow(self, size: int) -> None:
        """Replace it by a larger one; what it held is lost."""
        self.size = size
        self.out = _NO_CLEAR("uint8_t[]", size)
        self.view = ffi.buffer(self.out)
