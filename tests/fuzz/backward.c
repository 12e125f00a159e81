#include "tests/fuzz/backward.h"

#include <math.h>
#include <string.h>

enum slip {
    SLIP_NO_DERIVATIVE = 1,       /* dz = dh */
    SLIP_OWN_DERIVATIVE = 2,      /* dz = dh * h * (1 - h), whatever the activation is */
    SLIP_INPUT_BEFORE = 4,        /* dW = z_prev.T @ dz */
    SLIP_BIAS_MEAN = 8,           /* db = dz.mean(0) */
    SLIP_RAW_SENT = 16,           /* dh_prev = dh @ W.T */
    SLIP_NOT_TRANSPOSED = 32,     /* dh_prev = dz @ W */
    SLIP_UPDATED = 64,            /* dh_prev = dz @ (W - 0.1 dW).T */
    SLIP_DERIVATIVE_AT_ONE = 128, /* dz = dh where it is not 0 */
};
enum { SLIPS = 8 };

struct backward {
    const struct assignment *assignment;
    struct reference *reference;
    unsigned slips;
    size_t layer; /* number of the only one that they are made at; past the end: at all */
    struct matrix g;
};

bool backward_fits(const struct assignment *assignment)
{
    return assignment->plain && assignment->scheme == NULL && assignment->numbered > 0;
}

static bool makes(const struct backward *b, size_t k, enum slip slip)
{
    return (b->slips & (unsigned)slip) != 0 && (b->layer == k || b->layer >= b->assignment->numbered);
}

static const struct parameter_made *find(const struct assignment *a, size_t k, bool weight, size_t *p)
{
    for (*p = 0; *p < a->parameter_count; (*p)++)
        if (!a->parameters[*p].feed && a->parameters[*p].number == k + 1 && a->parameters[*p].weight == weight)
            return &a->parameters[*p];
    return NULL;
}

/* Where the gradient of x belongs; NULL where nobody asks for it. */
static struct matrix *find_dx(const struct backward *b)
{
    for (size_t p = 0; p < b->assignment->parameter_count; p++)
        if (b->assignment->parameters[p].feed) return &b->reference->gradients[p];
    return NULL;
}

/* g, at the output of layer k's activation, becomes dz. What the activation multiplied by is read off the right pass.
 */
static void through_activation(struct backward *b, size_t k)
{
    const struct matrix *value = b->reference->values[k];
    for (size_t i = 0; i < b->g.rows * b->g.columns; i++) {
        double dh = value[VALUE_DH].at[i], h = value[VALUE_H].at[i], factor = dh != 0 ? value[VALUE_DZ].at[i] / dh : 0;
        if (makes(b, k, SLIP_NO_DERIVATIVE)) factor = 1;
        if (makes(b, k, SLIP_OWN_DERIVATIVE)) factor = h * (1 - h);
        if (makes(b, k, SLIP_DERIVATIVE_AT_ONE)) factor = factor != 0;
        b->g.at[i] *= factor;
    }
}

/* to[columns of x, columns of g] = x.T @ g + l2 * W */
static void weight_gradient(const struct backward *b, const struct matrix *x, const struct matrix *W, struct matrix *to)
{
    for (size_t i = 0; i < W->rows; i++)
        for (size_t j = 0; j < W->columns; j++) {
            double sum = b->assignment->l2 * W->at[i * W->columns + j];
            for (size_t n = 0; n < b->g.rows; n++)
                sum += x->at[n * W->rows + i] * b->g.at[n * W->columns + j];
            to->at[i * W->columns + j] = sum;
        }
}

static void bias_gradient(const struct backward *b, size_t k, struct matrix *to)
{
    for (size_t j = 0; j < b->g.columns; j++) {
        double sum = 0;
        for (size_t n = 0; n < b->g.rows; n++)
            sum += b->g.at[n * b->g.columns + j];
        to->at[j] = makes(b, k, SLIP_BIAS_MEAN) ? sum / (double)b->g.rows : sum;
    }
}

/* g = from @ W.T, or what is made of it. */
static void send(struct backward *b, size_t k, const struct matrix *from, const struct matrix *W,
                 const struct matrix *dW)
{
    bool plain = makes(b, k, SLIP_NOT_TRANSPOSED) && W->rows == W->columns;
    double rate = makes(b, k, SLIP_UPDATED) ? 0.1 : 0;
    struct matrix sent = {.rows = from->rows, .columns = W->rows};
    for (size_t n = 0; n < from->rows; n++)
        for (size_t i = 0; i < W->rows; i++) {
            double sum = 0;
            for (size_t j = 0; j < W->columns; j++) {
                size_t at = plain ? j * W->columns + i : i * W->columns + j;
                sum += from->at[n * W->columns + j] * (W->at[at] - rate * dW->at[at]);
            }
            sent.at[n * W->rows + i] = sum;
        }
    b->g = sent;
}

static void through_layer(struct backward *b, size_t k)
{
    const struct assignment *a = b->assignment;
    struct reference *reference = b->reference;
    size_t w, p;
    const struct parameter_made *weight = find(a, k, true, &w), *bias = find(a, k, false, &p);
    struct matrix before = b->g;
    through_activation(b, k);
    enum reference_value value = makes(b, k, SLIP_INPUT_BEFORE) ? VALUE_Z : VALUE_H;
    weight_gradient(b, k == 0 ? &a->feeds[0].value : &reference->values[k - 1][value], &weight->value,
                    &reference->gradients[w]);
    if (bias != NULL) bias_gradient(b, k, &reference->gradients[p]);
    const struct matrix dz = b->g;
    struct matrix *dx = k == 0 ? find_dx(b) : NULL;
    if (k > 0 || dx != NULL)
        send(b, k, makes(b, k, SLIP_RAW_SENT) ? &before : &dz, &weight->value, &reference->gradients[w]);
    if (dx != NULL) *dx = b->g;
}

void backward_roll(struct dice *dice, const struct assignment *assignment, struct reference *reference)
{
    struct backward b = {.assignment = assignment, .reference = reference};
    b.slips = 1u << dice_pick(dice, SLIPS);
    if (dice_rarely(dice, 3)) b.slips |= 1u << dice_pick(dice, SLIPS);
    if (dice_rarely(dice, 4)) b.slips |= 1u << dice_pick(dice, SLIPS);
    b.layer = dice_pick(dice, (unsigned)assignment->numbered + 1);
    b.g = reference->values[assignment->numbered - 1][VALUE_DH];
    for (size_t k = assignment->numbered; k-- > 0;)
        through_layer(&b, k);
}
