/* fuzz_json.c - whatever a packet holds, what is written of it is JSON (RFC 8259) and keeps to its room. From the
 * repository:
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Inative tests/native/fuzz_json.c native/[a-z]*.c -lm -o fuzz_json
 *   ./fuzz_json -max_len=8192 -timeout=5 CORPUS_FOLDER
 */
#include "klv.h"

#include <stdlib.h>
#include <string.h>

static const char *number(const char *p)
{
    const char *digits = p += *p == '-';
    p += strspn(p, "0123456789");
    if (p == digits || (*digits == '0' && p - digits > 1))
        abort();
    if (*p == '.' && (digits = ++p, p += strspn(p, "0123456789"), p == digits))
        abort();
    if (*p == 'e' && (p += 1 + (p[1] == '-'), digits = p, p += strspn(p, "0123456789"), p == digits))
        abort();
    return p;
}

static const char *string(const char *p)
{
    for (p++; *p != '"'; p++)
        if ((uint8_t)*p < 0x20 || (*p == '\\' && !strchr("\"\\u", *++p)))
            abort();
    return p + 1;
}

static const char *value(const char *p)
{
    static const char *const WORDS[] = {"null", "true", "false"};
    for (size_t i = 0; i < 3; i++)
        if (strncmp(p, WORDS[i], strlen(WORDS[i])) == 0)
            return p + strlen(WORDS[i]);
    if (*p == '"')
        return string(p);
    if (*p != '{' && *p != '[')
        return number(p);
    const char end = *p == '{' ? '}' : ']';
    for (int first = 1; *++p != end || !first; first = 0) {
        if (end == '}' && (*p != '"' || *(p = string(p)) != ':'))
            abort();
        p = value(end == '}' ? p + 1 : p);
        if (*p == end)
            break;
        if (*p != ',')
            abort();
    }
    return p + 1;
}

static void write_json(const uint8_t *packet, size_t n, const struct klv_envelope *envelope)
{
    static char text[1 << 23];
    size_t size, again;
    uint64_t unknown = 0;
    if (klv_json(packet, n, envelope, text, sizeof text - 1, &size, &unknown) != KLV_OK)
        return;
    text[size] = 0;
    if (value(text) != text + size)
        abort();
    for (size_t room = size + 8 - n % 16; room <= size + 8; room += 4) { /* flush against what ASan guards */
        char *out = malloc(room);
        enum klv_status status = klv_json(packet, n, envelope, out, room, &again, &unknown);
        if (status == KLV_OK ? again != size || memcmp(out, text, size) != 0 : status != KLV_FULL)
            abort();
        free(out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct klv_envelope none = {0}, whole = {"{\"a\":1", 6, n, (int64_t)n << 40, (int64_t)n - 100, n & 1};
    write_json(data, n, &none);
    write_json(data, n, &whole);
    return 0;
}
