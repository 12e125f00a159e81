#include "server/task/code_names.h"

#include <stddef.h>
#include <string.h>

#include "core/graph/gradient_names.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A name in the code that says so, and is put somewhere: "dX = ", "dX, dW = ", 'dX': ... */
bool code_names(const char *code, const char *name)
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
            size_t rank = gradient_name_rank(CONVENTION_NUMPY, word, name, true);
            if (rank < GRADIENT_NAMES_MAX - 1) return true;
        }
        at += n;
    }
    return false;
}
