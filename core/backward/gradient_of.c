#include "core/backward/gradient_of.h"

#include <stdio.h>
#include <string.h>

static bool contains(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

bool holds_gradients(const char *name)
{
    return name == NULL || contains(name, "grad") || contains(name, "Grad") || contains(name, "nabla") ||
           contains(name, "deriv") || name[0] == 'd';
}

/* The i-th of a list that has one for each of W1, W2, ...: by the letter in its name, else by the shapes. */
static const struct known *find_in_family(const struct surroundings *s, const char *list, size_t i, size_t count)
{
    const struct network *network = s->check->problem.network;
    const struct known *found = NULL;
    char name[64];
    size_t length = strlen(list), hits = 0;
    if (!holds_gradients(list)) return NULL;
    for (size_t p = 0; p < network->parameter_count; p++) {
        const char *first = s->check->problem.names[p];
        size_t n = strlen(first);
        if (n < 2 || n > 32 || first[n - 1] != '1' || (first[n - 2] >= '0' && first[n - 2] <= '9')) continue;
        size_t family = 0;
        const struct known *at = NULL, *last = NULL;
        for (size_t k = 1; k <= count + 1; k++) {
            snprintf(name, sizeof name, "%.*s%zu", (int)(n - 1), first, k);
            last = known_find(s, name);
            if (last == NULL) break;
            family++;
            if (k == i + 1) at = last;
        }
        if (family != count || at == NULL || at->aim == GRADIENT_NONE) continue;
        char letter = first[n - 2] >= 'A' && first[n - 2] <= 'Z' ? (char)(first[n - 2] - 'A' + 'a') : first[n - 2];
        char end = list[length - 1] == 's' && length > 1 ? list[length - 2] : list[length - 1];
        if (end >= 'A' && end <= 'Z') end = (char)(end - 'A' + 'a');
        bool named =
            end == letter || (letter == 'w' && contains(list, "weight")) || (letter == 'b' && contains(list, "bias"));
        if (!named) continue;
        found = at;
        hits++;
    }
    return hits == 1 ? found : NULL;
}

static const struct known *find_keyed(const struct surroundings *s, const struct written_place *w)
{
    const struct thing *key = &w->keys[w->key_count - 1], *other = w->key_count > 1 ? &w->keys[w->key_count - 2] : NULL;
    const struct known *known = NULL;
    char name[160];
    if (key->kind == THING_TEXT) {
        bool own = holds_gradients(w->name);
        known = known_of_gradient(s, key->text, own);
        if (known == NULL && other != NULL && other->kind == THING_NUMBER) {
            snprintf(name, sizeof name, "%.100s%.0f", key->text, other->number);
            known = known_of_gradient(s, name, own);
        }
        return known;
    }
    if (key->kind != THING_NUMBER || w->name == NULL || key->number < 0 || key->number > 1e6) return NULL;
    const char *base = other != NULL && other->kind == THING_TEXT ? other->text : w->name;
    snprintf(name, sizeof name, "%.100s[%.0f]", base, key->number);
    known = known_of_gradient(s, name, false);
    if (known == NULL && w->count > 0) known = find_in_family(s, base, (size_t)key->number, w->count);
    if (known != NULL) return known;
    snprintf(name, sizeof name, "%.100s%.0f", base, key->number);
    return known_of_gradient(s, name, false);
}

enum aimed run_aim_of(const struct surroundings *s, const struct written_place *written, size_t *aim, const char **of)
{
    *aim = GRADIENT_NONE;
    *of = NULL;
    if (written->key_count == 0 && written->name == NULL) return AIMED_NOT;
    const struct known *known =
        written->key_count > 0 ? find_keyed(s, written) : known_of_gradient(s, written->name, false);
    if (known == NULL) return AIMED_NOT;
    *aim = known->aim;
    *of = known->name;
    return known->versions > 1 ? AIMED_ANY : AIMED_AT;
}

bool is_like_gradient(const char *name)
{
    static const char *const words[] = {"data",  "dataset", "dim",  "dims",    "dist",    "diff",  "diffs", "den",
                                        "denom", "div",     "dot",  "deg",     "dev",     "dec",   "decay", "depth",
                                        "dict",  "dtype",   "drop", "dropout", "default", "dense", "dummy", NULL};
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], name) == 0) return false;
    return (name[0] == 'd' && name[1] != '\0') || strcmp(name, "g") == 0 || strstr(name, "delta") != NULL ||
           strstr(name, "grad") != NULL || strstr(name, "nabla") != NULL;
}
