/* What might stand in a statement of a student's code in place of what stands there, or beside it: names and what they
 * have stood for, items, lengths of axes, variables of loops, numbers of the forward pass. */
#ifndef CORE_BACKWARD_OPERANDS_H
#define CORE_BACKWARD_OPERANDS_H

#include "core/backward/state.h"

enum { OPERAND_NAMES_MAX = 64, OPERAND_ITEMS_MAX = 16, OPERAND_NUMBERS_MAX = 8, OPERAND_TEXT_MAX = 60 };

/* A name of the code or of the forward pass, and what it has stood for. */
struct operand {
    const char *name;
    struct shape shape;
    bool number, gradient;
    double value;
};

struct operands {
    struct operand names[OPERAND_NAMES_MAX];
    size_t name_count;
    /* Of the statement and of those near it, the nearest first: cache['Z1'], hs[t - 1], self.x, and names of functions
     * of which nothing is known any more. No two are written alike. */
    const struct expression *items[OPERAND_ITEMS_MAX];
    size_t item_count;
    double sizes[OPERAND_NUMBERS_MAX]; /* lengths of axes */
    size_t size_count;
    const char *turns[OPERAND_NUMBERS_MAX]; /* variables of the loops around the statement */
    size_t turn_count;
    double constants[OPERAND_NUMBERS_MAX]; /* numbers that the forward pass is written with */
    size_t constant_count;
};

/* All there is for a statement of the code as it ran. It points into the run. */
void operands_find(const struct run *plain, const struct statement *s, struct operands *to);

#endif
