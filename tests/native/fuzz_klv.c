/* fuzz_klv.c - framing, checksums, times and columns keep to their input. From the repository, FOLDER holding KLV:
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Inative tests/native/fuzz_klv.c native/[a-z]*.c -lm -o fuzz_klv
 *   ./fuzz_klv -max_len=8192 -timeout=5 FOLDER */
#include "klv.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 4000, COLUMNS = 144 };

static void packets(const uint8_t *in, size_t n)
{
    struct klv_view view;
    uint64_t time_us;
    for (size_t at = 0; klv_next(in + at, n - at, LIMIT, at > 0, &view) == KLV_OK; at += view.at + view.size) {
        if (view.at > n - at || view.size > n - at - view.at || view.value > view.size || view.value < 17)
            abort();
        uint8_t *packet = memcpy(malloc(view.size), in + at + view.at, view.size); /* flush against what ASan guards */
        klv_time(packet, view.size, &time_us);
        if (!view.cut && klv_checksum(packet, view.size) != view.checksum)
            abort();
        free(packet);
    }
}

/* The rows of the whole, `rows` a call. */
static size_t columns(const uint8_t *in, size_t n, int all, size_t rows, double *last)
{
    uint16_t tags[COLUMNS];
    double *out = malloc(COLUMNS * rows * sizeof *out);
    size_t used = 0, row = 0, sum = 0;
    for (uint16_t i = 0; i < COLUMNS; i++)
        tags[i] = i;
    for (enum klv_status status = KLV_FULL; status == KLV_FULL; sum += row) {
        row = 0;
        status = klv_columns(in, n, LIMIT, all, tags, COLUMNS, out, rows, rows, &row, &used);
        for (size_t i = 0; row && i < COLUMNS; i++)
            last[i] = out[i * rows + row - 1];
    }
    free(out);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    double number, one[COLUMNS] = {0}, many[COLUMNS] = {0};
    klv_imapb(data, n < 8 ? n : 8, -900, 40000, &number);
    packets(data, n);
    for (int all = 0; all < 2; all++)
        if (columns(data, n, all, 1, one) != columns(data, n, all, 50, many) || memcmp(one, many, sizeof one) != 0)
            abort();
    return 0;
}
