#include "server/body/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "core/base/spelling.h"

/* Other frameworks' words for what is known here by another name altogether, in lower case and without separators. */
static const struct {
    const char *word, *name;
} aliases[] = {
    {"dense", "linear"},
    {"fc", "linear"},
    {"fullyconnected", "linear"},
    {"swish", "silu"},
    {"mseloss", "mse"},
    {"meansquarederror", "mse"},
    {"crossentropyloss", "cross_entropy"},
    {"categoricalcrossentropy", "cross_entropy"},
    {"bceloss", "bce"},
    {"binarycrossentropy", "bce"},
    {"bcewithlogitsloss", "bce_with_logits"},
    {"nllloss", "nll"},
    {"l1loss", "l1"},
    {"mae", "l1"},
    {"meanabsoluteerror", "l1"},
    {"smoothl1loss", "smooth_l1"},
    {"huberloss", "huber"},
    {"svm", "hinge"},
    {"units", "out_features"},
};

/* Whether a name is that word, written MeanSquaredError or mean_squared_error. */
static bool is_word(const char *name, const char *word)
{
    for (; *name != '\0'; name++) {
        if (*name == '_' || *name == '-' || *name == ' ') continue;
        if (tolower((unsigned char)*name) != *word) return false;
        word++;
    }
    return *word == '\0';
}

/* The known name that a framework calls so; NULL where there is none. */
static const char *translated(const char *name, const char *const *known, size_t count)
{
    for (size_t a = 0; a < sizeof aliases / sizeof *aliases; a++) {
        if (!is_word(name, aliases[a].word)) continue;
        for (size_t i = 0; i < count; i++)
            if (strcmp(known[i], aliases[a].name) == 0) return known[i];
    }
    return NULL;
}

const char *suggest_name(const char *name, const char *const *known, size_t count)
{
    const char *word = translated(name, known, count);
    return word != NULL ? word : spelling_nearest(name, known, count);
}
