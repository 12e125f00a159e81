#include "server/report/nearest.h"

#include <string.h>

#include "core/graph/gradient_names.h"
#include "server/body/suggest.h"
#include "server/limits.h"

/* Names times names that are compared, at most: in a report with more, nobody reads so far. */
enum { COMPARED_MAX = 20000 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether two names differ in their number alone: W4 is no slip for W1, but another layer. */
static bool is_another_number(const char *a, const char *b)
{
    while (*a != '\0' && !is_digit(*a) && gradient_name_compare(a, 1, b, 1, true) == 0) {
        a++;
        b++;
    }
    if (!is_digit(*a) || !is_digit(*b)) return false;
    while (*a == '0')
        a++;
    while (*b == '0')
        b++;
    size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
    return n != m || memcmp(a, b, n) != 0;
}

/* The missing name that one is nearest to, in whatever way it says "the gradient of"; NULL where none is near. */
static const char *nearest(struct arena *arena, const struct check *check, const char *name, const char *const *missing,
                           size_t count, bool *whole)
{
    for (size_t rank = 0; rank < GRADIENT_NAMES_MAX; rank++) {
        const char *from;
        size_t length;
        if (!gradient_name_base(check->problem.convention, name, rank, true, &from, &length)) continue;
        const char *base = arena_text(arena, from, length);
        *whole = *whole && base != NULL;
        const char *found = base != NULL ? suggest_name(base, missing, count) : NULL;
        if (found != NULL && !is_another_number(base, found)) return found;
    }
    return NULL;
}

bool nearest_find(struct arena *arena, const struct check *check, struct report *report)
{
    size_t count = 0, compared = 0;
    const char **missing = arena_array(arena, report->entry_count, sizeof *missing);
    bool whole = missing != NULL;
    for (size_t i = 0; whole && i < report->entry_count; i++)
        if (report->entries[i].verdict == VERDICT_MISSING) missing[count++] = report->entries[i].name;
    for (size_t i = 0; whole && count > 0 && i < report->entry_count; i++) {
        struct entry *entry = &report->entries[i];
        if (entry->verdict != VERDICT_UNEXPECTED || strnlen(entry->name, LIMIT_NAME + 1) > LIMIT_NAME) continue;
        compared += count;
        if (compared > COMPARED_MAX) break;
        entry->nearest = nearest(arena, check, entry->name, missing, count, &whole);
    }
    return whole;
}
