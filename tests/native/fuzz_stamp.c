/* fuzz_stamp.c - a frame's time is read inside its input, is in its ranges, and only behind an identifier. From the
 * repository, FOLDER holding frames or nothing:
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -DKLV_METER=uint64_t -Inative \
 *     tests/native/fuzz_stamp.c native/[a-z]*.c -lm -o fuzz
 *   ./fuzz -max_len=4096 -timeout=5 FOLDER */
#include "fuzz.h"
#include "klv.h"

#include <string.h>

static int found(const uint8_t *data, size_t n, int codec, struct klv_stamp *stamp)
{
    uint8_t *frame = malloc(n); /* flush against what ASan guards */
    if (n)
        memcpy(frame, data, n);
    int is = klv_stamp(frame, n, codec, stamp);
    free(frame);
    return is;
}

/* An identifier has no zeros, so no emulation prevention byte is ever inside it. */
static int holds_identifier(const uint8_t *data, size_t n)
{
    static const char *const ids[] = {"MISPmicrosectime",
                                      "\xa8\x68\x7d\xd4\xd7\x59\x37\x58\xa5\xce\xf0\x33\x8b\x65\x45\xf1",
                                      "\xcf\x84\x82\x78\xee\x23\x30\x6c\x92\x65\xe8\xfe\xf2\x2f\xb8\xb8"};
    for (size_t at = 0; n - at >= 16; at++)
        for (size_t i = 0; i < 3; i++)
            if (memcmp(data + at, ids[i], 16) == 0)
                return 1;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    for (int codec = 0; codec <= KLV_MPEG2 + 1; codec++) {
        struct klv_stamp stamp = {0, -2, -2, -2};
        if (!found(data, n, codec, &stamp)) {
            CHECK(stamp.time_us == 0 && stamp.nanoseconds == -2 && stamp.status == -2 && stamp.flags == -2);
            continue;
        }
        CHECK(codec >= KLV_H264 && codec <= KLV_MPEG2 && holds_identifier(data, n));
        CHECK(stamp.nanoseconds >= -1 && stamp.nanoseconds < 1000 && stamp.status >= 0 && stamp.status < 256);
        CHECK(!(stamp.flags & ~(KLV_NANOSECONDS | KLV_ODD_BODY)));
        CHECK(stamp.nanoseconds < 0 || stamp.time_us <= UINT64_MAX / 1000);
        CHECK(stamp.nanoseconds >= 0 || (stamp.time_us <= 100000000000000000u && !(stamp.flags & KLV_NANOSECONDS)));
    }
    return 0;
}
