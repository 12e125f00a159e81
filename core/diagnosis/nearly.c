#include "core/diagnosis/nearly.h"

#include <float.h>
#include <math.h>

#include "core/base/numbers.h"
#include "core/diagnosis/sweep.h"

/* Further off than that, of a tensor's largest number, nothing is called near: an epsilon may be as large as p. */
#define NEAR_WITH_EPSILON 0.9
#define NEAR_AS_DIFFERENCES 0.3

/* Steps and epsilons are powers of ten, from 0.1 down. */
enum { DECADES = 10 };

/* Two losses may have so many roundings each, which a difference divides by its step. */
#define ROUNDINGS 64.0

/* Decimal digits of evidence: no coincidence among a few dozen ways. */
#define DIGITS_NEEDED 8.0
#define DIGITS_PER_ELEMENT 12.0

/* Differences of more numbers than that take too long. */
enum { NUMBERS_MOST = 4096 };

struct nearly {
    struct search *search;
    struct sweep sweep;
    double digits, residual;
};

static bool is_near(const struct search *s, double near)
{
    bool any = false;
    for (size_t p = 0; p < search_count(s); p++) {
        const struct observed *o = &s->observed[p];
        const double *g = search_right(s, p);
        double largest = numbers_largest(search_size(s, p), g);
        any = any || o->failing;
        if (o->absent && !o->failing) continue;
        if (!search_is_plain(o)) return false;
        for (size_t i = 0; i < search_size(s, p); i++)
            if (!(fabs(o->values[i] - g[i]) <= near * largest + s->within.atol)) return false;
    }
    return any;
}

/* ---- differences ---- */

enum way { FORWARD, BACKWARD, CENTRAL, WAYS };

static double loss_at(struct nearly *n, double *element, double value)
{
    struct error unsaid = {0};
    *element = value;
    return pass_forward(&n->sweep.pass, &unsaid) == CODE_OK ? n->sweep.pass.loss : NAN;
}

/* The difference for an element; by how much it may be off by rounding into *noise. */
static double difference(struct nearly *n, double *element, enum way way, double step, double *noise)
{
    double here = *element;
    double up = loss_at(n, element, way == BACKWARD ? here : here + step);
    double down = loss_at(n, element, way == FORWARD ? here : here - step);
    *element = here;
    double width = way == CENTRAL ? 2 * step : step;
    *noise = ROUNDINGS * DBL_EPSILON * (fmax(fabs(up), fabs(down)) + fabs(here)) / width;
    return (up - down) / width;
}

/* Whether a number that was handed in is a difference; what that says is added up. */
static bool is_difference(struct nearly *n, size_t p, size_t i, enum way way, double step)
{
    const struct search *s = n->sweep.s;
    double noise, student = s->observed[p].values[i];
    double made = difference(n, sweep_value(&n->sweep, search_value(s, p)) + i, way, step, &noise);
    double off = fabs(student - made), was = fabs(student - search_right(s, p)[i]);
    if (!(off <= noise)) return false;
    if (was > noise) n->digits += fmin(log10(was / fmax(off, noise / ROUNDINGS)), DIGITS_PER_ELEMENT);
    n->residual = fmax(n->residual, off);
    return true;
}

/* Where the numbers are furthest off: there a difference shows first. */
static void furthest_off(const struct search *s, size_t *of, size_t *element)
{
    double most = -1;
    for (size_t p = 0; p < search_count(s); p++)
        for (size_t i = 0; s->observed[p].failing && i < search_size(s, p); i++) {
            double off = fabs(s->observed[p].values[i] - search_right(s, p)[i]);
            if (off <= most) continue;
            most = off;
            *of = p;
            *element = i;
        }
}

static bool are_differences(struct nearly *n, enum way way, double step)
{
    const struct search *s = n->sweep.s;
    size_t p = 0, element = 0;
    furthest_off(s, &p, &element);
    if (search_looks(n->search) || !is_difference(n, p, element, way, step)) return false;
    n->digits = n->residual = 0;
    for (p = 0; p < search_count(s); p++)
        for (size_t i = 0; !s->observed[p].absent && i < search_size(s, p); i++)
            if (search_looks(n->search) || !is_difference(n, p, i, way, step)) return false;
    return n->digits >= DIGITS_NEEDED;
}

/* Whether all numbers are float32's: differences that look like derivatives were not computed in that. */
static bool are_float32(const struct search *s, const struct report *report)
{
    for (size_t p = 0; p < search_count(s); p++)
        if (!s->observed[p].absent && !report->entries[p].of_float32) return false;
    return true;
}

static bool find_differences(struct nearly *n, const struct report *report, struct whole *finished)
{
    size_t numbers = 0;
    for (size_t p = 0; p < search_count(n->sweep.s); p++)
        numbers += search_size(n->sweep.s, p);
    if (numbers > NUMBERS_MOST || are_float32(n->sweep.s, report)) return false;
    for (int way = 0; way < WAYS; way++)
        for (int decade = 1; decade <= DECADES; decade++) {
            double step = pow(10, -decade);
            if (!are_differences(n, (enum way)way, step)) continue;
            *finished = (struct whole){.mistake = &mistake_numerical_gradient,
                                       .variant = (size_t)way,
                                       .factor = step,
                                       .residual = n->residual,
                                       .all = true};
            return true;
        }
    return false;
}

/* ---- an epsilon in the logarithm ---- */

/* dL/dp of -t * log(p + eps), and of -(1 - t) * log(1 - p + eps) where both sides count, at the loss's prediction: p or
 * the logits that it is made of. False where the loss has no logarithm. */
static bool send_with_epsilon(const struct nearly *n, double eps)
{
    static const double none[OP_ATTRIBUTES_MAX];
    const struct node *loss = n->sweep.s->network->loss;
    const struct value *prediction = loss->inputs[LOSS_PREDICTION];
    const double *t = sweep_value(&n->sweep, loss->inputs[LOSS_TARGET]);
    if (loss->op->goes_with == NULL) return false;
    struct op_call call = *pass_call(&n->sweep.pass, loss);
    bool logits = loss_takes_logits(loss->op, loss->attributes), both = loss->op->target == TARGET_LIKE_OUTPUT;
    double factor = loss_factor(loss->op, loss->attributes, &prediction->shape);
    double *p = logits ? n->sweep.turned : sweep_value(&n->sweep, prediction);
    double *g = logits ? n->sweep.room : sweep_gradient(&n->sweep, prediction);
    call.op = loss->op->goes_with;
    call.attributes = none;
    call.count = 1;
    call.out = call.in[LOSS_PREDICTION];
    call.scalar = NULL;
    call.y = p;
    if (logits && call.op->forward(&call) != CODE_OK) return false;
    for (size_t i = 0; i < prediction->size; i++)
        g[i] = factor * (-t[i] / (p[i] + eps) + (both ? (1 - t[i]) / (1 - p[i] + eps) : 0));
    call.dy = g;
    call.dx = (void *const[]){sweep_gradient(&n->sweep, prediction)};
    call.add = n->sweep.overwrite;
    return !logits || call.op->backward(&call) == CODE_OK;
}

static bool has_epsilon(struct nearly *n, double eps)
{
    const struct search *s = n->sweep.s;
    const struct graph *graph = &s->network->graph;
    n->digits = n->residual = 0;
    sweep_clear(&n->sweep);
    if (!send_with_epsilon(n, eps)) return false;
    for (size_t i = graph->node_count; i-- > 0;)
        if (graph->nodes[i] != s->network->loss && sweep_counts(&n->sweep, graph->nodes[i]))
            sweep_send(&n->sweep, graph->nodes[i]);
    for (size_t p = 0; p < search_count(s); p++) {
        double *made = sweep_gradient(&n->sweep, search_value(s, p));
        if (s->observed[p].absent) continue;
        if (made == NULL) return false;
        search_add_l2(s, p, 1, made);
        struct match match = search_match(s, p, made);
        if (match.fit != FIT_EXACT) return false;
        n->digits += s->observed[p].failing ? match.digits : 0;
        n->residual = fmax(n->residual, match.residual);
    }
    return n->digits >= DIGITS_NEEDED;
}

static bool find_epsilon(struct nearly *n, struct whole *finished)
{
    for (int decade = 1; decade <= DECADES && !search_looks(n->search); decade++) {
        double eps = pow(10, -decade);
        if (!has_epsilon(n, eps)) continue;
        *finished =
            (struct whole){.mistake = &mistake_epsilon_in_log, .factor = eps, .residual = n->residual, .all = true};
        return true;
    }
    return false;
}

bool nearly_find(struct search *s, const struct check *check, const struct report *report, struct whole *finished)
{
    struct nearly n = {.search = s};
    if (!(sweep_elements(s->network) > 0) || !is_near(s, NEAR_WITH_EPSILON)) return true;
    if (!sweep_new(s, &check->problem, &n.sweep)) return false;
    if (!find_epsilon(&n, finished) && !s->stopped && is_near(s, NEAR_AS_DIFFERENCES))
        find_differences(&n, report, finished);
    return true;
}
