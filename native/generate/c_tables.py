"""`native/tables.c` from the csv tables: one `struct item` per row, in the shape of table.h.

`c_rows.py` lays the rows out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction

from native.generate.c_rows import WIDTH, array, braced, members, octets, quoted_json, string, wrapped
from native.generate.places import place
from native.generate.schema_values import pack_name
from native.spec import facts

# Items whose nested set uses another's tags (ST 1607 segments and amends carry ST 0601 items).
SAME_TAGS = {"ST1607-segment": "ST0601", "ST1607-amend": "ST0601"}
# Before version 4 of VMTI these were linear over the same range (misb README, open points).
OLD_LINEAR_INT = {("VTarget", tag) for tag in (10, 11, 13, 14, 15, 16)}
OLD_LINEAR_UINT = {("ST0903", 11), ("ST0903", 12), ("VTarget", 12)}
SUMS = {"ST0601": "SUM_16", "ST0903": "SUM_16", "VTrack": "SUM_16", "ST0806": "SUM_CRC32"}  # the others: SUM_CRC16
# The type of array elements if the array does not define it (misb README, open points); default: integers.
CELLS = {("ST1601", 4): "C_UINT", ("ST1601", 5): "C_FLOAT", ("ST1601", 8): "C_FLOAT", ("ST1601", 9): "C_PIXEL_SDCC",
         ("ST1601", 10): "C_PLACE_SDCC", ("ST1206", 22): "C_FLOAT", ("ST1002", 20): "C_FLOAT"}  # fmt: skip
TIME = facts.TIME | {"ST0104": 2}
CODED_OIDS = {(121, "wavelength_id"), (138, "payload_type")}
UNKNOWN = '{.name = "unknown", .universal = U_WHOLE}'
HEAD = """\
/* tables.c - the items of the standards. Made by native/generate from the csv files of native/spec: do not edit.
 *
 * table.h says what a member is, and what it is where a row leaves it out: 0. In a key each byte but the eighth (octet
 * 8, the version of the registry) identifies the set or item.
 */
#include "table.h"

/* `key_size` counts the quotes and the colon of the key. */
#define KEY(name) .key = key_##name, .key_size = sizeof #name + 2
"""


def real(value: Fraction | int | None) -> str:
    return repr(float(value or 0))


def decimals(scale: Fraction) -> int:
    """The fewest that distinguish one step from the next: 10^-d < scale, so that text parses back to its raw code."""
    d = 0
    while Fraction(1, 10**d) > scale:
        d += 1
    return d if scale.denominator != 1 else 0


class Tables:
    """Collects the definitions, each once, in the order that C needs."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.codes = facts.codes()
        self.packs = facts.packs()
        self.made: dict[str, str] = {}

    def once(self, name: str, definition: str) -> str:
        if name not in self.made:
            self.made[name] = definition
            self.parts.append(definition)
        return name

    def key(self, key: str) -> str:
        text = string(f'"{key}":')
        line = f"static const char key_{key}[KEY_PADDED] = {text};"
        return self.once(f"key_{key}", line if len(line) <= WIDTH else line.replace(" = ", " =\n    "))

    def code_rows(self, name: str, codes: Sequence[facts.Code]) -> str:
        rows = [braced([f".code = {code.code}", *members(label=quoted_json(code.label))]) for code in codes]
        return self.once(name, array(f"static const struct code {name}[]", rows))

    def code_table(self, set_: str, tag: int, field: str) -> tuple[str, int]:
        rows = [c for c in self.codes if (c.set, c.tag, c.field, c.code_type) == (set_, tag, field, "value")]
        return (self.code_rows(f"codes_{set_.lower()}_{tag}_{field}", rows), len(rows)) if rows else ("", 0)

    def bit_table(self, set_: str, tag: int, element: str = "") -> tuple[str, int]:
        fields = facts.bit_fields(set_, tag, element)
        if not fields:
            return "", 0
        name = "_".join(part for part in ("bits", set_.lower(), str(tag), element) if part)
        rows = [self.bits(name, field) for field in fields]
        return self.once(name, array(f"static const struct bits {name}[]", rows)), len(rows)

    def bits(self, table: str, field: facts.BitField) -> str:
        key = self.key(field.key)
        codes = self.code_rows(f"codes_{table}_{field.key}", field.codes) if field.codes else ""
        rest = members(width=field.width, key=key, codes=codes, code_count=len(field.codes))
        return braced([f".shift = {field.shift}", *rest])

    def kind(self, item: facts.Item) -> tuple[str, str, str]:
        """(kind, set, pack) of an item, both names or ""."""
        head, _, rest = item.kind.partition(":")
        inner = SAME_TAGS.get(rest.removeprefix("local_set:"), rest.removeprefix("local_set:"))
        if head == "local_set":
            return ("K_SET", inner, "") if inner in facts.DECODED else ("K_BYTES", "", "")
        if head == "series":
            if rest.startswith("local_set:"):
                return "K_SERIES", inner, ""
            if rest in ("VTargetPack", "VTrackItemPack"):
                return "K_TARGETS", rest.removesuffix("Pack"), ""
            return ("K_SERIES_UINT", "", "") if rest == "uint" else ("K_SERIES_PACK", "", rest)
        if item.key in ("miis_core_identifier", "miis_id"):
            return "K_MIIS", "", ""
        if item.key == "sdcc_flp":
            return "K_SDCC", "", ""
        if head in ("dlp", "flp", "vlp"):
            pack = pack_name(item)
            elements = self.packs[pack]
            alone = len(elements) == 1 and elements[0].repeat
            return "K_PACK_LIST" if alone else "K_PACK", "", pack
        if item.key == "active_payloads":
            return "K_BIT_LIST", "", ""
        if (item.set, item.key) == ("RvtUserDefined", "user_data"):
            return "K_USER_DATA", "", ""
        return self.scalar(head, item.mapping), "", ""

    @staticmethod
    def scalar(kind: str, mapping: str) -> str:
        if mapping in ("linear_uint", "linear_int", "imapb"):
            return {"linear_uint": "K_LINEAR_UINT", "linear_int": "K_LINEAR_INT", "imapb": "K_IMAPB"}[mapping]
        return {
            "uint": "K_UINT", "int": "K_INT", "timestamp": "K_UINT", "utf8": "K_TEXT", "ascii": "K_TEXT",
            "utf16": "K_UTF16", "enum": "K_ENUM", "bitfield": "K_BITS", "bytes": "K_BYTES", "uuid": "K_UUID",
            "ber_oid": "K_UINT", "ber": "K_UINT", "float": "K_FLOAT", "date_time": "K_DATE_TIME", "mdap": "K_ARRAY",
        }[kind]  # fmt: skip

    def fields(self, key: str, kind: str, length: tuple[int, int], range_: tuple[Fraction | None, Fraction | None],
               *, flags: str, old: str, special: str, codes: tuple[str, int], cells: str,
               set_: str = "", pack: str = "", place: str = "") -> list[str]:  # fmt: skip
        """The members of a `struct item`, also used for an element of a pack."""
        self.key(key)
        low, high = range_
        scale = self.scale(kind, length[0], low, high)
        digits = decimals(scale) if scale else 0
        bits = kind == "K_BITS"
        rest = members(
            kind=kind, flags=flags, decimals=digits, old=old,
            range_power=math.ceil(math.log2(high - low)) if kind == "K_IMAPB" else 0,
            cells=cells, place=place, len_min=length[0], len_max=length[1], min=real(low), max=real(high),
            scale=real(scale), print=real(scale * 10**digits), special=quoted_json(special) if special else "",
            codes="" if bits else codes[0], bits=codes[0] if bits else "", code_count=codes[1],
            set=set_ and f"&set_{set_.lower()}", pack=pack and f"&pack_{pack.lower()}",
        )  # fmt: skip
        return [f"KEY({key})", *rest]

    @staticmethod
    def scale(kind: str, width: int, low: Fraction | None, high: Fraction | None) -> Fraction:
        """The value of one step of a linear map of `width` bytes; 0 = the kind has none."""
        if kind == "K_LINEAR_UINT":
            return (high - low) / (2 ** (8 * width) - 1)
        return high / (2 ** (8 * width - 1) - 1) if kind == "K_LINEAR_INT" else Fraction(0)

    def item(self, i: facts.Item) -> str:
        kind, set_, pack = self.kind(i)
        if pack:
            self.pack(pack)
        codes = ("", 0)
        if kind == "K_BITS":
            codes = self.bit_table(i.set, i.tag)
        elif kind == "K_ENUM":
            field = next((c.field for c in self.codes if (c.set, c.tag) == (i.set, i.tag)), "")
            codes = self.code_table(i.set, i.tag, field)
        said = {"F_ZERO": i.zero_len_legal, "F_REPEATS": i.repeats, "F_AMEND": i.kind.endswith("-amend"),
                "F_OID": i.mapping == "ber_oid", "F_TIME": (i.set, i.tag) == ("ST0104", 2)}  # fmt: skip
        flags = " | ".join(flag for flag, holds in said.items() if holds) or "0"
        where = (i.set, i.tag)
        old = "OLD_LINEAR_INT" if where in OLD_LINEAR_INT else "OLD_LINEAR_UINT" if where in OLD_LINEAR_UINT else ""
        return braced(self.fields(
            i.key, kind, (i.len_min, i.len_max), (i.min, i.max), flags=flags, old=old,
            special=next(iter(i.special.values()), ""), codes=codes, set_=set_, pack=pack,
            cells=CELLS.get(where, ""), place=place(i),
        ))  # fmt: skip

    def element(self, e: facts.Element, op: str, tag: int) -> str:
        width = int(e.length) if e.length.isdigit() else 0
        kind = self.scalar(e.kind, e.mapping if e.mapping in ("linear_uint", "linear_int", "imapb") else "")
        codes = ("", 0)
        if op == "P_OID" and facts.bit_fields(e.set, tag, e.name):
            kind, codes = "K_BITS", self.bit_table(e.set, tag, e.name)
        elif e.kind == "enum" or (tag, e.name) in CODED_OIDS:
            kind, codes = "K_ENUM", self.code_table(e.set, tag, e.name)
        item = self.fields(
            e.name, kind, (width, width), (e.min, e.max), flags="F_ZERO",
            old="OLD_LINEAR_UINT" if kind == "K_IMAPB" and e.set == "ST0903" else "",
            special="error" if "=error" in e.notes else "", codes=codes, cells=CELLS.get((e.set, tag), ""),
        )  # fmt: skip
        return braced(members(op=op, optional=int(e.optional), omitted=self.omitted(e, op),
                              value=facts.omitted(e) or 0, item=braced(item)))  # fmt: skip

    @staticmethod
    def omitted(e: facts.Element, op: str) -> str:
        if not e.default:
            return "O_NONE"
        return "O_VALUE" if e.default.isdecimal() else "O_GROUP" if op == "P_GROUP" else "O_TIME"

    def pack(self, name: str) -> None:
        """Fuses each length with the element that it measures, so that the core reads one op an element."""
        elements, ops = self.packs[name], []
        tag, skip = elements[0].tag, False
        for here, after in zip(elements, [*elements[1:], None], strict=True):
            if skip:
                skip = False
                continue
            if here.kind == "ber" and after is not None and after.length == here.name:
                ops.append(self.element(after, "P_LENGTH", tag))
                skip = True
            elif here.name == "record_length":
                ops.append(self.element(here, "P_RECORDS", tag))
            elif here.name.endswith("_length"):
                ops.append(self.element(here, "P_GROUP", tag))
            elif here.kind == "ber":
                ops.append(self.element(here, "P_BER", tag))
            elif here.kind == "ber_oid":
                ops.append(self.element(here, "P_OID", tag))
            else:
                op = {"half": "P_HALF"}.get(here.length, "P_FIX" if here.length.isdigit() else "P_REST")
                ops.append(self.element(here, op, tag))
        low = name.lower()
        elements = self.once(f"elements_{low}", array(f"static const struct element elements_{low}[]", ops))
        pack = braced(members(elements=elements, count=len(ops)))
        self.once(f"pack_{low}", f"static const struct pack pack_{low} = {pack};")

    def set_items(self, name: str) -> None:
        items = facts.items(name)
        rows = [f"[{i.tag}] = {self.item(i)}" for i in items]
        self.parts.append(array(f"static const struct item items_{name.lower()}[{items[-1].tag + 1}]", rows))

    def keyed(self) -> list[str]:
        """Items by universal key, in the order of the keys as they are compared: without octet 8."""
        rows = sorted((key[:7] + key[8:], item) for key, item in facts.keyed())
        tags = {key: item.tag if item.set in ("ST0104", "ST0601") else 0 for key, item in rows}
        return [braced(members(key=octets(key), tag=tags[key], item=self.item(item))) for key, item in rows]

    def text(self) -> str:
        keys = {key.set: key for key in facts.universal_keys()}
        for name in facts.DECODED:
            self.set_items(name)
        by_key = self.keyed()
        body = "\n".join([*self.parts, *by_key])
        inner = [name for name in facts.DECODED if re.search(rf"&set_{name.lower()}\b", body)]
        ahead = [f"static const struct set set_{name.lower()};" for name in inner]
        sets = [wrapped(f"static const struct set set_{name.lower()} = {self.set_row(name, keys)};", 4)
                for name in inner]  # fmt: skip
        known = [self.set_row(key.set, keys) for key in keys.values()]
        first = next(n for n, key in enumerate(keys.values()) if key.set == "ST0601")
        return "\n".join([
            HEAD, *ahead, "", *self.parts, "", *sets, "",
            array("const struct set klv_sets[]", [UNKNOWN, *known]),
            f"const int klv_set_count = {len(known) + 1};",
            f"const struct set *const klv_st0601 = &klv_sets[{first + 1}];", "",
            array("const struct keyed klv_keyed[]", by_key),
            f"const int klv_keyed_count = {len(by_key)};", "",
        ])  # fmt: skip

    def set_row(self, name: str, keys: dict[str, facts.UniversalKey]) -> str:
        key = keys[name].key if name in keys else bytes(16)
        kinds = {"local_set": "U_LOCAL", "universal_set": "U_SET"}
        universal = kinds.get(keys[name].type, "U_WHOLE") if name in keys else "U_LOCAL"
        sum_tag = facts.CHECKSUM.get(name, 0)
        sum_ = SUMS.get(name, "SUM_CRC16") if sum_tag else "SUM_NONE"
        items = facts.items(name) if name in facts.DECODED else []
        return braced(members(
            name=string(name), key=octets(key) if any(key) else "", universal=universal, sum=sum_, sum_tag=sum_tag,
            time_tag=TIME.get(name, 0), version_tag=facts.VERSION.get(name, 0), vmti_tag=4 * (name == "ST0903"),
            tags=items[-1].tag + 1 if items else 0, items=f"items_{name.lower()}" if items else "",
        ))  # fmt: skip
