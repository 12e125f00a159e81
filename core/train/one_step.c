#include "core/train/one_step.h"

#include <math.h>
#include <string.h>

#include "core/backend/backend.h"

const char *const velocity_form_names[] = {"pytorch", "cs231n", NULL};

struct step_plan step_plan_of(const struct optimizer *optimizer, size_t step, enum velocity_form form)
{
    struct step_plan plan = {.optimizer = optimizer, .step = step, .form = form, .gradient = 1};
    optimizer->type->step(optimizer->attributes, step, &plan.update);
    return plan;
}

bool step_plan_has_velocity(const struct step_plan *plan)
{
    return plan->update.rule == UPDATE_sgd_momentum;
}

bool optimizer_counts_steps(const struct optimizer *optimizer)
{
    struct update second, third;
    optimizer->type->step(optimizer->attributes, 2, &second);
    optimizer->type->step(optimizer->attributes, 3, &third);
    return second.rate != third.rate || second.add != third.add || second.correction != third.correction;
}

static void begin_state(size_t n, const double *given, bool forgets, double begins, double *to)
{
    if (given != NULL && !forgets)
        memcpy(to, given, n * sizeof *to);
    else
        for (size_t i = 0; i < n; i++)
            to[i] = begins;
}

/* The gradient that a rule works with. */
static double decayed(const struct step_plan *plan, double g, double w)
{
    return plan->gradient * g + plan->update.weight_decay * w;
}

/* v = momentum * v - lr * g, w += v; Nesterov's w += -momentum * v_before + (1 + momentum) * v. A negative rate is that
 * of a step which goes up: w -= v. */
static void run_rate_inside(const struct step_plan *plan, const struct one_step *from, struct stepped *to)
{
    const struct update *u = &plan->update;
    double rate = fabs(u->rate), way = u->rate < 0 ? -1 : 1;
    for (size_t i = 0; i < from->n; i++) {
        double before = to->first[i];
        double v = u->keep * before - rate * u->add * decayed(plan, from->g[i], from->w[i]);
        double step = plan->old_velocity ? before : u->nesterov ? -u->keep * before + (1 + u->keep) * v : v;
        to->first[i] = v;
        to->w[i] += way * step;
    }
}

/* What the step is divided by. */
static double divide_by(const struct step_plan *plan, double second)
{
    const struct update *u = &plan->update;
    double correction = u->rule == UPDATE_adam ? u->correction : 1, corrected = second / (correction * correction);
    if (plan->divisor == DIVISOR_EPSILON_INSIDE) return sqrt(corrected + u->epsilon);
    return (plan->divisor == DIVISOR_WITHOUT_ROOT ? corrected : sqrt(corrected)) + u->epsilon;
}

/* The parameter anew, where it does not follow the state as it should; the state is made. */
static void go_another_way(const struct step_plan *plan, const struct one_step *from, const double *before,
                           struct stepped *to)
{
    const struct update *u = &plan->update;
    for (size_t i = 0; i < from->n; i++) {
        double w = u->rule == UPDATE_adam ? from->w[i] * u->shrink : from->w[i];
        double along = u->rule == UPDATE_adam ? to->first[i] : decayed(plan, from->g[i], w);
        if (plan->old_velocity)
            to->w[i] = w - u->rate * before[i];
        else
            to->w[i] = w - u->rate * along / divide_by(plan, to->second[i]);
    }
}

static void correct_moments(const struct step_plan *plan, size_t n, struct stepped *to)
{
    double t = (double)plan->step, keep = plan->update.keep, keep_square = plan->update.keep_square;
    for (size_t i = 0; i < n; i++) {
        to->first[i] /= 1 - pow(keep, t);
        to->second[i] /= 1 - pow(keep_square, t);
    }
}

static void give(enum outcome outcome, const struct one_step *from, struct stepped *to)
{
    for (size_t i = 0; outcome != OUTCOME_USUAL && i < from->n; i++) {
        double step = to->w[i] - from->w[i];
        to->w[i] = outcome == OUTCOME_UNCHANGED ? from->w[i] : outcome == OUTCOME_STEP ? step : -step;
    }
}

int step_plan_run(const struct step_plan *plan, const struct one_step *from, double *scratch, struct stepped *to)
{
    const struct update *u = &plan->update;
    size_t n = from->n;
    int code = CODE_OK;
    if (from->w == NULL || from->g == NULL) return CODE_OUT_OF_MEMORY; /* nobody found room for them */
    memcpy(to->w, from->w, n * sizeof *to->w);
    if (u->uses_first) begin_state(n, from->first, plan->forgets, 0, to->first);
    if (u->uses_second)
        begin_state(n, from->second, plan->forgets, optimizer_second_begins(plan->optimizer), to->second);
    if (step_plan_has_velocity(plan) && plan->form == VELOCITY_CS231N) {
        run_rate_inside(plan, from, to);
    } else {
        double *g = scratch, *before = scratch + n, *unused = scratch + 2 * n;
        for (size_t i = 0; i < n; i++)
            g[i] = plan->gradient * from->g[i];
        if (plan->old_velocity) memcpy(before, to->first, n * sizeof *before);
        memset(unused, 0, n * sizeof *unused);
        code = backend_cpu(DTYPE_FLOAT64)
                   ->update(u, n, g, to->w, u->uses_first ? to->first : unused, u->uses_second ? to->second : unused);
        if (plan->old_velocity || plan->divisor != DIVISOR_USUAL) go_another_way(plan, from, before, to);
        if (plan->stores_corrected) correct_moments(plan, n, to);
    }
    give(plan->outcome, from, to);
    return code;
}

/* The sizes of what a velocity's step is a sum of: what run_rate_inside and update_sgd_momentum add up. */
static double velocity_sizes(const struct step_plan *plan, double g, double before, double *added)
{
    const struct update *u = &plan->update;
    bool inside = plan->form == VELOCITY_CS231N;
    *added = fabs(u->add) * g * (inside ? fabs(u->rate) : 1);
    double kept = u->keep * fabs(before), v = kept + *added;
    if (inside) return u->nesterov ? kept + (1 + u->keep) * v : v;
    return fabs(u->rate) * (u->nesterov ? g + u->keep * v : v);
}

void step_plan_added(const struct step_plan *plan, const struct one_step *from, const struct stepped *made,
                     struct stepped *to)
{
    const struct update *u = &plan->update;
    double rate = fabs(u->rate);
    for (size_t i = 0; i < from->n; i++) {
        double g = fabs(plan->gradient * from->g[i]) + u->weight_decay * fabs(from->w[i]);
        double before = from->first != NULL ? fabs(from->first[i]) : 0;
        double divisor = u->uses_second ? divide_by(plan, made->second[i]) : 1;
        to->second[i] = (u->rule == UPDATE_adagrad ? 1 : u->add_square) * g * g;
        to->first[i] = (u->rule == UPDATE_rmsprop_momentum ? 1 / divisor : u->add) * g;
        if (step_plan_has_velocity(plan))
            to->w[i] = velocity_sizes(plan, g, before, &to->first[i]);
        else if (u->rule == UPDATE_rmsprop_momentum)
            to->w[i] = rate * (u->keep * before + to->first[i]);
        else
            to->w[i] = rate * (u->rule == UPDATE_adam ? u->keep * before + to->first[i] : g) / divisor;
    }
}
