/* ul.h - the key of a KLV item: a universal label of 16 bytes (SMPTE ST 336, ST 298); inside the core only.
 *
 *   byte  0    1    2    3    4          5             6           7                   8 .. 15
 *        +----+----+----+----+----------+-------------+-----------+-------------------+-----------------+
 *        | 06 | 0e | 2b | 34 | category | registry or | structure | version of the    | what it is      |
 *        |    |    |    |    |          | kind of set |           | registry: ignored |                 |
 *        +----+----+----+----+----------+-------------+-----------+-------------------+-----------------+
 */
#ifndef UL_H
#define UL_H

#include <stdint.h>

enum { UL_SIZE = 16 };

static const uint8_t UL_PREFIX[4] = {0x06, 0x0e, 0x2b, 0x34};

#endif
