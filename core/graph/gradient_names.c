#include "core/graph/gradient_names.h"

#include <string.h>

/* What stands before and behind the name. The order is that in which they are taken where there are several. */
static const struct way {
    const char *before, *behind;
    bool of_x; /* A0, which is x */
} ways[] = {
    {"d", "", false},      {"dL_d", "", false}, {"", ".grad", false}, {"grad_", "", false},
    {"", "_grad", false},  {"dLd", "", false},  {"dJd", "", false},   {"dJ_d", "", false},
    {"nabla_", "", false}, {"dA0", "", true},   {"dL_dA0", "", true}, {"", "", false},
};

_Static_assert(sizeof ways / sizeof *ways == GRADIENT_NAMES_MAX, "as many as the header says");

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int gradient_name_compare(const char *a, size_t a_length, const char *b, size_t b_length, bool fold)
{
    size_t n = a_length < b_length ? a_length : b_length;
    int order = fold ? 0 : memcmp(a, b, n);
    for (size_t i = 0; fold && order == 0 && i < n; i++)
        order = (unsigned char)lower(a[i]) - (unsigned char)lower(b[i]);
    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

bool gradient_name_base(enum convention convention, const char *written, size_t rank, bool fold, const char **from,
                        size_t *length)
{
    const struct way *way = &ways[rank];
    if (!fold && way->before[0] != '\0' && way->before[0] != written[0]) return false; /* which is nearly always so */
    size_t n = strlen(written), before = strlen(way->before), behind = strlen(way->behind);
    if (way->of_x) {
        if (convention == CONVENTION_PYTORCH || n != before) return false;
        *from = "x";
        *length = 1;
        return gradient_name_compare(written, n, way->before, before, fold) == 0;
    }
    if (n <= before + behind) return false;
    if (gradient_name_compare(written, before, way->before, before, fold) != 0) return false;
    if (gradient_name_compare(written + n - behind, behind, way->behind, behind, fold) != 0) return false;
    *from = written + before;
    *length = n - before - behind;
    return true;
}

/* Whether the name's first letter is there at all, or what may stand for x: of most names that settles it. */
static bool may_hold(const char *written, const char *name, bool fold)
{
    char first = name[0];
    if (strchr(written, first) != NULL || (first == 'x' && strchr(written, '0') != NULL)) return true;
    for (; fold && *written != '\0'; written++)
        if (lower(*written) == lower(first)) return true;
    return false;
}

size_t gradient_name_rank(enum convention convention, const char *written, const char *name, bool fold)
{
    size_t n = strlen(name), length;
    const char *from;
    if (!may_hold(written, name, fold)) return GRADIENT_NAMES_MAX;
    for (size_t rank = 0; rank < GRADIENT_NAMES_MAX; rank++)
        if (gradient_name_base(convention, written, rank, fold, &from, &length) &&
            gradient_name_compare(from, length, name, n, fold && !ways[rank].of_x) == 0)
            return rank;
    return GRADIENT_NAMES_MAX;
}

/* By hand, as in names.c: every printf of the process is slow. */
static char *join(struct arena *arena, const char *a, const char *b, const char *c)
{
    size_t an = strlen(a), bn = strlen(b), cn = strlen(c);
    char *text = arena_alloc(arena, an + bn + cn + 1);
    if (text == NULL) return NULL;
    memcpy(text, a, an);
    memcpy(text + an, b, bn);
    memcpy(text + an + bn, c, cn + 1);
    return text;
}

size_t gradient_names(enum convention convention, const char *name, struct arena *arena,
                      const char *names[GRADIENT_NAMES_MAX])
{
    size_t count = 0;
    bool first = convention != CONVENTION_PYTORCH && strcmp(name, "x") == 0;
    for (size_t rank = 0; rank < GRADIENT_NAMES_MAX; rank++) {
        const struct way *way = &ways[rank];
        bool itself = rank == GRADIENT_NAMES_MAX - 1;
        if (way->of_x && !first) continue;
        names[count] = way->of_x ? way->before : itself ? name : join(arena, way->before, name, way->behind);
        if (names[count++] == NULL) return 0;
    }
    return count;
}

bool gradient_name_is_prediction(const char *name, const char *target)
{
    static const char *const targets[] = {"y", "Y", "t", "target", "targets", NULL};
    static const char *const endings[] = {"_hat", "_pred", "_out", "hat", "pred", NULL};
    enum { OF_ANY = 3 }; /* "that" is no prediction of t */
    size_t t = 0, i = 0, n = strlen(target);
    while (targets[t] != NULL && strcmp(targets[t], target) != 0)
        t++;
    if (targets[t] == NULL || strncmp(name, target, n) != 0) return false;
    while (endings[i] != NULL && strcmp(endings[i], name + n) != 0)
        i++;
    bool any = i < OF_ANY || target[0] == 'y' || target[0] == 'Y';
    return any && endings[i] != NULL;
}
