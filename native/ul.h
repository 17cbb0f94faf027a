/* ul.h - the key of a KLV item: a universal label of 16 bytes (SMPTE ST 298, ST 336); inside the core only.
 *
 *   octet   1    2    3    4    5          6          7           8         9 .. 16
 *         +----+----+----+----+----------+----------+-----------+---------+-----------------+
 *         | 06 | 0e | 2b | 34 | category | registry | structure | version | item designator |
 *         +----+----+----+----+----------+----------+-----------+---------+-----------------+
 *   index   0    1    2    3    4          5          6           7         8 .. 15
 *
 *   06, 0e     an object identifier of 14 bytes
 *   2b, 34     ISO, SMPTE
 *   category   designator: 1 dictionary (single items), 2 groups (sets and packs), 3 wrappers, 4 labels
 *   registry   designator; its bits 2..0 in a group: 1 universal set, 2 global set, 3 local set,
 *              4 variable-length pack, 5 defined-length pack
 *   structure  designator: of the registry
 *   version    of the registry, in which the item was first defined: two keys that differ in it alone mean the same
 */
#ifndef UL_H
#define UL_H

#include <stdint.h>
#include <string.h>

enum { UL_SIZE = 16, UL_VERSION = 7 }; /* bytes; index of the version */

static const uint8_t UL_PREFIX[4] = {0x06, 0x0e, 0x2b, 0x34};

/* Do two keys mean the same, whatever the version of the registry? */
static inline int ul_is_same(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, UL_VERSION) == 0 &&
           memcmp(a + UL_VERSION + 1, b + UL_VERSION + 1, UL_SIZE - UL_VERSION - 1) == 0;
}

#endif
