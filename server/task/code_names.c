#include "server/task/code_names.h"

#include <string.h>

#include "core/graph/gradient_names.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Of what a word is the gradient in the first place: its name itself, as rank GRADIENT_NAMES_MAX - 1, is not meant. */
static bool is_gradient(const char *word, const char *name, bool fold)
{
    return gradient_name_rank(CONVENTION_NUMPY, word, name, fold) < GRADIENT_NAMES_MAX - 1;
}

static bool is_of_another(const char *word, const char *const *others, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_gradient(word, others[i], false)) return true;
    return false;
}

bool code_names(const char *code, const char *name, const char *const *others, size_t count)
{
    enum { NAME_ROOM = 128 };
    char word[NAME_ROOM];
    for (const char *at = code; at != NULL && *at != '\0';) {
        size_t n = 0;
        while (is_letter(at[n]))
            n++;
        if (n == 0) {
            at++;
            continue;
        }
        if (n < sizeof word) {
            memcpy(word, at, n);
            word[n] = '\0';
            if (is_gradient(word, name, true) &&
                (is_gradient(word, name, false) || !is_of_another(word, others, count)))
                return true;
        }
        at += n;
    }
    return false;
}
