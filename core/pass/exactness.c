#include "core/pass/exactness.h"

#include <math.h>

/* A power of two that everything is a multiple of: 0 is a multiple of this one, too. And one that nothing is. */
enum { UNIT_OF_ZERO = 1 << 20, NO_UNIT = -(1 << 20) };

bool exactness_new(struct arena *arena, size_t values, double eps, struct exactness *exactness)
{
    *exactness = (struct exactness){.eps = eps,
                                    .exact = arena_zeroed(arena, values, sizeof *exactness->exact),
                                    .of_elements = arena_zeroed(arena, values, sizeof *exactness->of_elements),
                                    .of_terms = arena_zeroed(arena, values, sizeof *exactness->of_terms)};
    return exactness->exact != NULL && exactness->of_elements != NULL && exactness->of_terms != NULL;
}

/* The exponent of the lowest bit that is set in any of n numbers. */
static int unit_of(size_t n, const double *values)
{
    int unit = UNIT_OF_ZERO;
    for (size_t i = 0; i < n; i++) {
        int exponent;
        double mantissa = frexp(values[i], &exponent);
        if (mantissa == 0 || !isfinite(mantissa)) continue;
        unsigned long long bits = (unsigned long long)ldexp(fabs(mantissa), 53);
        int lowest = exponent - 53 + __builtin_ctzll(bits);
        unit = lowest < unit ? lowest : unit;
    }
    return unit;
}

/* A sum of which every term is a multiple of 2**unit is exact in any order, while it takes no more bits than a number
 * has. */
bool exactness_of(const struct exactness *exactness, size_t value, double terms)
{
    int unit = exactness->of_terms[value];
    return exactness->exact[value] || (unit != NO_UNIT && ldexp(terms, -unit) < 2 / exactness->eps);
}

/* What the terms of a node's sums are multiples of. */
static int unit_of_terms(const struct exactness *exactness, const struct node *node)
{
    enum { INPUTS = 2 * OP_SLOTS_MAX };
    int units[INPUTS];
    if (node->input_count > INPUTS) return NO_UNIT;
    for (size_t k = 0; k < node->input_count; k++) {
        const struct value *value = node->inputs[k];
        if (value != NULL && !exactness->exact[value->index]) return NO_UNIT;
        units[k] = value != NULL ? exactness->of_elements[value->index] : UNIT_OF_ZERO;
    }
    return node->op->term_unit(node->input_count, units);
}

static bool sums_are_exact(const struct exactness *exactness, const struct value *value, const double *terms)
{
    for (size_t i = 0; i < value->size; i++)
        if (!exactness_of(exactness, value->index, terms[i])) return false;
    return true;
}

/* Whether an op hands on the elements of what is exact, or zeros, as ReLU does. */
static bool hands_on(const struct exactness *exactness, const struct pass *pass, const struct node *node)
{
    const struct value *from = node->inputs[0];
    const double *x = pass->values[from->index], *y = pass->values[node->output->index];
    bool same = node->input_count == 1 && from->size == node->output->size && exactness->exact[from->index];
    for (size_t i = 0; same && i < from->size; i++)
        same = y[i] == x[i] || y[i] == 0;
    return same;
}

void exactness_given(struct exactness *exactness, const struct pass *pass, const struct value *value)
{
    size_t v = value->index;
    exactness->exact[v] = true;
    exactness->of_terms[v] = NO_UNIT;
    exactness->of_elements[v] = unit_of(value->size, pass->values[v]);
}

void exactness_made(struct exactness *exactness, const struct pass *pass, const struct node *node, const double *terms)
{
    size_t v = node->output->index;
    bool sums = node->op->term_unit != NULL;
    exactness->of_terms[v] = sums ? unit_of_terms(exactness, node) : NO_UNIT;
    exactness->exact[v] = sums ? sums_are_exact(exactness, node->output, terms) : hands_on(exactness, pass, node);
    exactness->of_elements[v] = exactness->exact[v] ? unit_of(node->output->size, pass->values[v]) : 0;
}
