/* Where a mistake is: the layer, its activation and its parameters, what they are called, and the formulas there in the
 * request's convention. */
#ifndef CORE_DIAGNOSIS_SITE_H
#define CORE_DIAGNOSIS_SITE_H

#include "core/diagnosis/found.h"
#include "core/diagnosis/symbols.h"

struct site {
    const struct check *check;
    const struct found *found;
    const struct node *node;       /* of the mistake, or the last layer where it is at the loss */
    const struct node *activation; /* the activation that it is about, or node where there is none */
    const struct node *weighted;   /* the layer with parameters that it is about, or node where there is none */
};

/* Of a program, whose places are lines (line_words.h), there is nothing but the check and what was found. */
struct site site_of(const struct check *check, const struct found *found);

bool site_has_parameters(const struct node *node);

/* The parameter of that symbol which the layer uses; where it has none of that name, the one that the mistake is about,
 * or its first one. Its index among what is graded, or as many as there are where it has none. */
size_t site_parameter(const struct site *site, const char *symbol);

/* The name of a parameter of the layer that the mistake is about, or of that one's gradient: "W", "dgamma". False, and
 * an empty word, where the key is none. */
bool site_parameter_word(const struct site *site, const char *key, char word[PHRASE_MAX]);

/* A formula, or the name of a value: "weight", "dz", "send"; false where the key is none. */
bool site_formula(const struct site *site, const char *key, char text[PHRASE_MAX]);

#endif
