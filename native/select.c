/* select.c - selects the items of a packet that its JSON contains: by key, once for many packets. */
#include "primitives.h"

/* Is it the item of a key of n characters? Rows have it as `"key":`. */
static int is_item_called(const struct item *item, const char *key, size_t n)
{
    return item->key && item->key_size == n + 3 && memcmp(item->key + 1, key, n) == 0;
}

static int select_tags(uint64_t *tags, const struct set *set, const char *key, size_t n)
{
    int found = 0;
    for (unsigned tag = 0; tag < set->tags; tag++)
        if (is_item_called(&set->items[tag], key, n)) {
            tags[tag >> 6] |= (uint64_t)1 << (tag & 63);
            found++;
        }
    return found;
}

int klv_select(struct klv_selection *selection, const char *key, size_t n)
{
    static const char UNKNOWN[] = "unknown";
    int found = 0;
    if (n == sizeof UNKNOWN - 1 && memcmp(key, UNKNOWN, n) == 0) {
        selection->unknown = 1;
        return 1;
    }
    for (int set = 1; set < klv_set_count; set++)
        if (klv_sets[set].key[0]) /* of others there are no packets */
            found += select_tags(selection->tags[set], &klv_sets[set], key, n);
    for (int row = 0; row < klv_keyed_count; row++)
        if (is_item_called(&klv_keyed[row].item, key, n)) {
            selection->keyed[row >> 6] |= (uint64_t)1 << (row & 63);
            found++;
        }
    return found;
}
