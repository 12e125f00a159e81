/* The right numbers of a tensor in the wrong places. */
#include <math.h>
#include <string.h>

#include "core/diagnosis/candidates.h"
#include "core/diagnosis/hypothesis.h"

/* Whether a few numbers of a matrix [rows, columns], taken column by column, are what was handed in, or may be a
 * multiple of it: a large one is not turned for nothing. */
static bool may_be_turned(const struct candidates *c, size_t rows, size_t columns, const double *matrix,
                          const double *student, bool multiple)
{
    size_t n = rows * columns, stride = n / FEW + 1, count = 0;
    double few[FEW + 1] = {0}, theirs[FEW + 1] = {0}, left = 0, bound = c->s->observed[c->p].bound;
    if (c->s->matching.clip < HUGE_VAL) return true;
    for (size_t i = 0; i < n; i += stride, count++) {
        few[count] = matrix[i % rows * columns + i / rows];
        theirs[count] = student[i];
        if (!multiple && !(fabs(theirs[count] - few[count]) <= bound)) return false;
    }
    double factor = multiple ? candidates_fit(count, 1, theirs, few) : 1;
    for (size_t i = 0; i < count && !isnan(factor); i++)
        left += (theirs[i] - factor * few[i]) / bound * ((theirs[i] - factor * few[i]) / bound);
    /* The best factor leaves no more, in squares, than the right one, which leaves at most the bound everywhere. */
    return !multiple || !(left > (double)count);
}

/* A square weight's gradient, or one that was handed in in the transpose's shape. */
static void offer_transposed(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    const size_t *dim = search_value(s, c->p)->shape.dim;
    const struct observed *o = &s->observed[c->p];
    size_t n = dim[0] * dim[1];
    bool l2 = search_has_l2(s, c->p) && !o->transposed;
    bool multiple = candidates_may_compose(c, &mistake_transposed, 0);
    if (!l2 && !may_be_turned(c, dim[0], dim[1], predicted, o->values, multiple)) return;
    tensor_transpose(dim[0], dim[1], predicted, s->room);
    const double *reference = search_right(s, c->p);
    if (o->transposed) { /* beside the right numbers in that shape */
        tensor_transpose(dim[0], dim[1], reference, s->room_turned);
        reference = s->room_turned;
    }
    struct match match = match_numbers(&s->matching, o->tolerance, n, o->values, s->room, reference, o->bound);
    match.shape = o->transposed;
    candidates_offer(c, &mistake_transposed, 0, match, NAN);
    if (match.fit == FIT_NONE) candidates_compose_multiple(c, &mistake_transposed, 0, s->room);
    /* Of a square matrix the same numbers come from writing it out in the wrong order. */
    if (!o->transposed) candidates_offer(c, &mistake_wrong_memory_order, 0, match, NAN);
    if (!l2) return;
    /* Transposed before l2's part was added. */
    memcpy(s->room_slope, predicted, n * sizeof(double));
    search_add_l2(s, c->p, -1, s->room_slope);
    tensor_transpose(dim[0], dim[1], s->room_slope, s->room);
    search_add_l2(s, c->p, 1, s->room);
    candidates_offer_numbers(c, &mistake_transposed, 1, s->room);
}

/* In memory as it was handed in: what is right there, rows by columns, is read column by column, or written so. */
static void offer_memory_orders(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    const size_t *dim = search_value(s, c->p)->shape.dim;
    const struct observed *o = &s->observed[c->p];
    bool same_layout = o->values == o->raw;
    size_t rows = same_layout ? dim[0] : dim[1], columns = same_layout ? dim[1] : dim[0];
    bool multiple = candidates_may_compose(c, &mistake_wrong_memory_order, 0);
    const double *ours = predicted, *made = s->room_turned;
    if (!same_layout) {
        tensor_transpose(dim[0], dim[1], predicted, s->room);
        ours = s->room;
        made = s->room_slope;
    }
    for (size_t variant = 0; variant < 2; variant++) {
        size_t r = variant == 0 ? rows : columns, k = variant == 0 ? columns : rows;
        if (!may_be_turned(c, r, k, ours, o->raw, multiple)) continue;
        tensor_transpose(r, k, ours, s->room_turned);
        if (!same_layout) tensor_transpose(rows, columns, s->room_turned, s->room_slope);
        struct match match = search_match(s, c->p, made);
        candidates_offer(c, &mistake_wrong_memory_order, variant, match, NAN);
        if (match.fit == FIT_NONE) candidates_compose_multiple(c, &mistake_wrong_memory_order, variant, made);
    }
}

/* The right numbers in one axis: in the order of the rows, as they are handed in, or of the columns. */
void candidates_offer_flattened(struct candidates *c, const double *predicted)
{
    struct search *s = c->s;
    const struct observed *o = &s->observed[c->p];
    const size_t *dim = search_value(s, c->p)->shape.dim;
    size_t n = dim[0] * dim[1];
    bool outside_is_turned = o->turned;
    for (size_t variant = 0; variant < 2; variant++) {
        bool turned = (variant == 1) != outside_is_turned;
        memcpy(s->room, predicted, n * sizeof *s->room);
        if (turned) tensor_transpose(dim[0], dim[1], predicted, s->room);
        const double *reference = search_right(s, c->p);
        if (turned) {
            tensor_transpose(dim[0], dim[1], reference, s->room_turned);
            reference = s->room_turned;
        }
        struct match match = match_numbers(&s->matching, o->tolerance, n, o->values, s->room, reference, o->bound);
        match.shape = true;
        candidates_offer(c, &mistake_flattened, variant, match, NAN);
        if (match.fit == FIT_NONE) candidates_compose_multiple(c, &mistake_flattened, variant, s->room);
    }
}

/* Whether what was handed in for each sample is x[i].T @ dz[i], `times` that. */
static bool are_samples(const struct candidates *c, const struct step_call *call, double times)
{
    struct search *s = c->s;
    const struct observed *o = &s->observed[c->p];
    size_t n = call->in * call->out;
    for (size_t sample = 0; sample < call->rows; sample++) {
        const double *x = call->x + sample * call->in, *dz = call->dy + sample * call->out;
        view_import(o->stacked, o->raw + sample * n, s->room);
        for (size_t i = 0; i < n; i++)
            s->room_slope[i] = times * x[i / call->out] * dz[i % call->out];
        struct match match =
            match_numbers(&s->matching, o->tolerance, n, s->room, s->room_slope, s->room_slope, HUGE_VAL);
        if (match.fit == FIT_NONE) return false;
    }
    return true;
}

/* One for each sample: their sum is right, or their mean. */
void candidates_offer_stacked(struct candidates *c, const struct step_call *call, const double *predicted)
{
    struct search *s = c->s;
    const struct observed *o = &s->observed[c->p];
    size_t n = search_size(s, c->p), count;
    double batch = (double)s->network->batch;
    flow_into(&s->flow, search_value(s, c->p), &count);
    if (count > 1 || call->rows != s->network->batch || n != call->in * call->out || search_has_l2(s, c->p)) return;
    for (size_t variant = 0; variant < 2; variant++) {
        double times = variant == 0 ? 1 : batch;
        if (!are_samples(c, call, times)) continue;
        for (size_t i = 0; i < n; i++)
            s->room[i] = times * predicted[i];
        struct match match =
            match_numbers(&s->matching, o->tolerance, n, o->values, s->room, search_right(s, c->p), o->bound);
        match.shape = true;
        candidates_offer(c, &mistake_per_sample_gradient, variant, match, NAN);
    }
}

/* Of a matrix: the same numbers in other places. */
void candidates_offer_layouts(struct candidates *c, const double *predicted)
{
    const struct shape *shape = &search_value(c->s, c->p)->shape;
    if (shape->rank != 2) return;
    size_t rows = shape->dim[0], columns = shape->dim[1], n = rows * columns;
    if (c->s->observed[c->p].transposed || (rows == columns && n > 1))
        offer_transposed(c, predicted);
    else if (n != rows && n != columns) /* one row or column reads the same both ways */
        offer_memory_orders(c, predicted);
}
