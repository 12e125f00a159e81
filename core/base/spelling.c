#include "core/base/spelling.h"

#include <string.h>

enum { NAME_MAX_LENGTH = 64 }; /* nothing that we know is longer */

static size_t min2(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t max2(size_t a, size_t b)
{
    return a > b ? a : b;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Optimal string alignment: the table of prefix distances, of which the last three rows are kept. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][NAME_MAX_LENGTH + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        above[j] = before[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            char x = lower(a[i - 1]), y = lower(b[j - 1]);
            size_t best = min2(above[j - 1] + (x != y), 1 + min2(above[j], row[j - 1]));
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2])) best = min2(best, before[j - 2] + 1);
            row[j] = best;
        }
        size_t *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[b_length];
}

const char *spelling_nearest(const char *name, const char *const *known, size_t count)
{
    size_t length = strnlen(name, NAME_MAX_LENGTH + 1);
    if (length > NAME_MAX_LENGTH) return NULL;
    const char *nearest = NULL;
    size_t best = max2(1, length / 3) + 1;
    for (size_t i = 0; i < count; i++) {
        size_t known_length = strlen(known[i]);
        if (known_length > NAME_MAX_LENGTH) continue;
        /* The difference in length alone is that many slips: most names need no more than this look. */
        size_t at_least = length > known_length ? length - known_length : known_length - length;
        if (at_least >= best) continue;
        size_t apart = distance(name, length, known[i], known_length);
        /* "x" for "y": one slip, but nothing of the name is left. */
        if (apart >= best || (apart > 0 && apart >= max2(length, known_length))) continue;
        best = apart;
        nearest = known[i];
    }
    return nearest;
}

bool spelling_is_one_of(const char *name, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}
