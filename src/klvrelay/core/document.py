"""Records as CBOR and MessagePack: the same documents as their JSON."""

from __future__ import annotations

from typing import Any, Literal

from klvrelay.core._core import lib
from klvrelay.core.memory import Memory
from klvrelay.core.packet import EVERYTHING, Checksum, checksum_code, record_json, text_buffer
from klvrelay.errors import DecodeError

Form = Literal["cbor", "msgpack"]

_FORMS: dict[Form, int] = {"cbor": int(lib.KLV_CBOR), "msgpack": int(lib.KLV_MSGPACK)}
_EACH, _MORE = 3, 64
_document, _record_document = lib.klv_document, lib.klv_record_document
_memory = Memory(_EACH * text_buffer.size + _MORE)


def transcode(json: bytes, form: Form) -> bytes:
    """A JSON document of the core in another form. Raises DecodeError for other text."""
    memory = _memory
    size = len(json)
    if _EACH * size + _MORE > memory.size:
        memory.grow(2 * _EACH * size + _MORE)
    written = _document(json, size, _FORMS[form], memory.out, memory.size)
    if written <= 0:
        raise DecodeError("not a JSON document as klvrelay writes it")
    return memory.view[:written]  # type: ignore[no-any-return]


def record_document(
    form: Form,
    raw: bytes,
    head_: bytes,
    seq: int = 0,
    received_us: int | None = None,
    pts: int | None = None,
    damaged: bool = False,
    pid: int | None = None,
    program: int | None = None,
    checksum: Checksum | None = None,
    safe: bool = False,
    chosen: Any = EVERYTHING,
) -> bytes:
    """`record_json` in another form, without the JSON in between where that is small."""
    memory = _memory
    out, _, size, _ = text_buffer.text
    written = _record_document(
        _FORMS[form], raw, len(raw), head_, len(head_), seq, -1 if received_us is None else received_us,
        -1 if pts is None else pts, -1 if pid is None else pid, -1 if program is None else program, damaged,
        checksum_code(checksum), safe, chosen, out, size, memory.out, memory.size,
    )  # fmt: skip
    if written > 0:
        return memory.view[:written]  # type: ignore[no-any-return]
    json = record_json(raw, head_, seq, received_us, pts, damaged, pid, program, checksum, safe, chosen)
    return transcode(json, form)
