/* miis.c - the MIIS core identifier (ST 1204). */
#include "walk.h"

/* The usage octet tells which identifiers follow. */
int write_miis(struct walk *w, const uint8_t *in, size_t n)
{
    static const struct { uint8_t bits; const char *key; } PART[] = {
        {0x60, ",\"sensor_id\":"}, {0x18, ",\"platform_id\":"}, {0x04, ",\"window_id\":"}, {0x02, ",\"minor_id\":"}};
    size_t at = 2;
    if (n < 2 || in[0] > 0x7f)
        return 0;
    put(w->out, "{\"version\":");
    put_uint(w->out, in[0]);
    put(w->out, ",\"usage\":");
    put_uint(w->out, in[1]);
    for (size_t i = 0; i < 4; i++) {
        if (!(in[1] & PART[i].bits))
            continue;
        if (n - at < 16)
            return 0;
        put(w->out, PART[i].key);
        put_uuid(w->out, in + at);
        at += 16;
    }
    put_char(w->out, '}');
    return at == n;
}
