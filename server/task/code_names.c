#include "server/task/code_names.h"

#include <stdlib.h>
#include <string.h>

#include "core/graph/gradient_names.h"

enum { WORD_ROOM = 128 };

/* A name, and where its mark is. */
struct entry {
    const char *name;
    size_t length;
    bool *named;
};

struct table {
    struct entry *exact, *folded; /* each in its order */
    size_t count;
};

static int compare_exact(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return gradient_name_compare(x->name, x->length, y->name, y->length, false);
}

static int compare_folded(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return gradient_name_compare(x->name, x->length, y->name, y->length, true);
}

/* Marks all that the word is a gradient of, as it stands or with `fold` in any case; whether there is any. */
static bool mark(const struct table *t, const char *word, size_t length, bool fold)
{
    const struct entry *list = fold ? t->folded : t->exact;
    int (*compare)(const void *, const void *) = fold ? compare_folded : compare_exact;
    bool any = false;
    /* Its own name, the last way to say it, means the parameter or value itself. */
    for (size_t rank = 0; rank < GRADIENT_NAMES_MAX - 1; rank++) {
        struct entry base = {.name = NULL};
        if (!gradient_name_base(CONVENTION_NUMPY, word, rank, fold, &base.name, &base.length)) continue;
        bool of_x = base.name < word || base.name >= word + length; /* dA0 is x's, and not X's */
        if (fold && of_x) continue;
        const struct entry *found = bsearch(&base, list, t->count, sizeof *list, compare);
        if (found == NULL) continue;
        any = true;
        if (*found->named) continue; /* those that are alike are marked together */
        while (found > list && compare(found - 1, &base) == 0)
            found--;
        for (; found < list + t->count && compare(found, &base) == 0; found++)
            *found->named = true;
    }
    return any;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool code_names(struct arena *arena, const char *code, const char *const *names, size_t count, bool *named)
{
    struct table t = {.exact = arena_array(arena, count, sizeof *t.exact),
                      .folded = arena_array(arena, count, sizeof *t.folded),
                      .count = count};
    char word[WORD_ROOM];
    memset(named, 0, count * sizeof *named);
    if (t.exact == NULL || t.folded == NULL) return false;
    if (code == NULL || count == 0) return true;
    for (size_t i = 0; i < count; i++)
        t.exact[i] = t.folded[i] = (struct entry){.name = names[i], .length = strlen(names[i]), .named = &named[i]};
    qsort(t.exact, count, sizeof *t.exact, compare_exact);
    qsort(t.folded, count, sizeof *t.folded, compare_folded);
    for (const char *at = code; *at != '\0';) {
        size_t n = 0;
        while (is_letter(at[n]))
            n++;
        if (n > 0 && n < sizeof word) {
            memcpy(word, at, n);
            word[n] = '\0';
            if (!mark(&t, word, n, false)) mark(&t, word, n, true);
        }
        at += n > 0 ? n : 1;
    }
    return true;
}
