/* fuzz_json.c - whatever a packet holds, what is written of it is JSON (RFC 8259) and keeps to its room. From the
 * repository, FOLDER holding packets or nothing:
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Inative tests/native/fuzz_json.c native/[a-z]*.c -lm -o fuzz_json
 *   ./fuzz_json -max_len=8192 -timeout=5 FOLDER */
#include "klv.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(promise) ((promise) ? (void)0 : abort())

static const char *digits(const char *p)
{
    return CHECK(strspn(p, "0123456789") > 0), p + strspn(p, "0123456789");
}

static const char *scalar(const char *p)
{
    if (!strncmp(p, "null", 4) || !strncmp(p, "true", 4) || !strncmp(p, "false", 5))
        return p + (*p == 'f' ? 5 : 4);
    if (*p == '"') {
        for (p++; *p != '"'; p++)
            CHECK((uint8_t)*p >= 0x20 && (*p != '\\' || strchr("\"\\u", *++p)));
        return p + 1;
    }
    p += *p == '-';
    CHECK(*p != '0' || p[1] < '0' || p[1] > '9');
    p = digits(p);
    p = *p == '.' ? digits(p + 1) : p;
    return *p == 'e' ? digits(p + 1 + (p[1] == '-')) : p;
}

static const char *value(const char *p)
{
    const char end = *p == '{' ? '}' : ']';
    if (*p != '{' && *p != '[')
        return scalar(p);
    for (int more = *++p != end; more; more = *p != end && (CHECK(*p == ','), p++, 1)) {
        CHECK(end == ']' || (*p == '"' && *(p = scalar(p)) == ':'));
        p = value(p + (end == '}'));
    }
    return p + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static char text[1 << 23];
    struct klv_envelope envelope = {n & 1 ? "{\"a\":1" : NULL, 6, n, (int64_t)n << 40, (int64_t)n - 100, n & 2};
    size_t size = 0, again = 0;
    uint64_t unknown = 0;
    if (klv_json(data, n, &envelope, text, sizeof text - 1, &size, &unknown) == KLV_OK) {
        text[size] = 0;
        CHECK(value(text) == text + size);
        char *out = malloc(size); /* flush against what ASan guards */
        enum klv_status status = klv_json(data, n, &envelope, out, size - n % 3, &again, &unknown);
        CHECK(status == KLV_FULL || (status == KLV_OK && again == size && memcmp(out, text, size) == 0));
        free(out);
    }
    return 0;
}
