/* What values are called in sentences and formulas: z2, h1, x, W1, dz2. */
#ifndef CORE_DIAGNOSIS_SYMBOLS_H
#define CORE_DIAGNOSIS_SYMBOLS_H

#include "core/check/check.h"

enum { SYMBOL_MAX = 96, PHRASE_MAX = 640 };

/* A value in a formula: what the k-th layer with parameters makes is z<k>, what its activation makes of that h<k>.
 * Where a layer takes it as its input, and no activation lies between, it goes by h<k>, too. Data goes by its name, and
 * anything else by the layer's name, or as that layer's output. */
void symbol_of(const struct check *check, const struct value *value, bool as_input, char word[SYMBOL_MAX]);

/* The gradient there. */
void symbol_of_gradient(const struct check *check, const struct value *value, bool as_input, char word[SYMBOL_MAX]);

/* The gradient of what is graded, as the convention writes it: dW2, or fc1.weight.grad. */
void symbol_of_graded(const struct check *check, size_t p, char word[SYMBOL_MAX]);

/* What a value is called in a sentence: its name, or which layer's output it is. */
void symbol_in_words(const struct check *check, const struct value *value, char phrase[PHRASE_MAX]);

#endif
