#include "tests/core/conformance_cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct backend *trial_backend;

const struct op *trial_op(int i)
{
    static int layers;
    if (layers == 0)
        while (ops[layers] != NULL)
            layers++;
    return i < layers ? ops[i] : elementary_ops[i - layers];
}

static int count_ops(void)
{
    int count = 0;
    while (trial_op(count) != NULL)
        count++;
    return count;
}

int trial_loop(void)
{
    return count_ops() * conformance.count;
}

const struct op *trial_op_of_loop(int i)
{
    trial_backend = conformance.backends[i / count_ops()];
    return trial_op(i % count_ops());
}

/* ---- a call ---- */

/* All tensors of a call. */
struct tensors {
    struct guarded x[CASE_INPUTS_MAX], dx[CASE_INPUTS_MAX], saved[OP_SAVED_MAX], y, dy;
};

static void take_tensors(struct arena *arena, const struct trial *t, const struct backend *backend,
                         struct trial_how how, struct tensors *all)
{
    for (size_t k = 0; k < t->count; k++) {
        all->x[k] = guarded_new(arena, backend, t->n[k], t->x[k]);
        all->dx[k] = guarded_new(arena, backend, t->n[k], how.on_top ? t->x[k] : NULL);
    }
    for (size_t s = 0; s < OP_SAVED_MAX; s++)
        all->saved[s] = guarded_new(arena, backend, t->plan.saved[s], NULL);
    all->y = guarded_new(arena, backend, t->y_n, NULL);
    all->dy = guarded_new(arena, backend, t->y_n, t->dy);
}

/* Reads what was made, with its guards, and what must be as it was. */
static void read_tensors(const struct trial *t, struct tensors *all, struct outcome *out)
{
    double was[TRIAL_SAVED_MAX];
    for (size_t k = 0; k < t->count; k++) {
        guarded_read(&all->x[k], was);
        for (size_t i = 0; i < t->n[k]; i++)
            ck_assert_double_eq_tol(was[i], t->x[k][i], 1e-6 * (1 + fabs(t->x[k][i])));
        guarded_read(&all->dx[k], out->dx[k]);
        guarded_free(&all->x[k]);
        guarded_free(&all->dx[k]);
    }
    for (size_t s = 0; s < OP_SAVED_MAX; s++) {
        guarded_read(&all->saved[s], was);
        guarded_free(&all->saved[s]);
    }
    guarded_read(&all->dy, was);
    for (size_t i = 0; i < t->y_n; i++)
        ck_assert_double_eq_tol(was[i], t->dy[i], 1e-6 * (1 + fabs(t->dy[i])));
    guarded_read(&all->y, out->y);
    guarded_free(&all->y);
    guarded_free(&all->dy);
}

void trial_run(const struct trial *t, const struct backend *backend, struct trial_how how, struct outcome *out)
{
    struct arena arena;
    struct tensors all;
    arena_init(&arena, (size_t)1 << 26);
    take_tensors(&arena, t, backend, how, &all);
    const struct shape *in[CASE_INPUTS_MAX] = {0};
    const void *x[CASE_INPUTS_MAX] = {0};
    void *dx[CASE_INPUTS_MAX] = {0}, *saved[OP_SAVED_MAX] = {0};
    double add[CASE_INPUTS_MAX] = {0}, scalar = NAN;
    for (size_t k = 0; k < t->count; k++) {
        if (!t->has[k]) continue;
        in[k] = &t->in[k];
        x[k] = guarded_data(&all.x[k]);
        add[k] = how.on_top;
        if (t->differentiable[k] && !(how.unwanted >> k & 1)) dx[k] = guarded_data(&all.dx[k]);
    }
    for (size_t s = 0; s < OP_SAVED_MAX; s++)
        if (t->plan.saved[s] > 0) saved[s] = guarded_data(&all.saved[s]);
    bool loss = t->op->kind == OP_LOSS;
    const struct op_call call = {.op = t->op,
                                 .backend = backend,
                                 .attributes = t->attributes,
                                 .count = t->count,
                                 .in = in,
                                 .out = &t->plan.out,
                                 .x = x,
                                 .y = how.bare ? NULL : guarded_data(&all.y),
                                 .dy = how.bare ? NULL : guarded_data(&all.dy),
                                 .dx = dx,
                                 .add = add,
                                 .saved = saved,
                                 .scalar = loss ? &scalar : NULL};
    ck_assert_int_eq(t->op->forward(&call), CODE_OK);
    if (!how.forward_only) ck_assert_int_eq(t->op->backward(&call), CODE_OK);
    read_tensors(t, &all, out);
    arena_free(&arena);
    /* The scalar, and not y: that one is rounded to the backend's arithmetic. */
    if (loss && !how.bare) ck_assert_double_eq_tol(out->y[0], scalar, 1e-6 * (1 + fabs(scalar)));
    if (loss) out->y[0] = scalar;
    out->value = 0;
    for (size_t i = 0; i < t->y_n; i++)
        out->value += (how.bare ? 1 : t->dy[i]) * out->y[i];
}

static double difference(struct trial *t, const struct backend *backend, double *element)
{
    const struct trial_how how = {.forward_only = true};
    struct outcome up, down;
    double here = *element;
    *element = here + TRIAL_STEP;
    trial_run(t, backend, how, &up);
    double above = *element;
    *element = here - TRIAL_STEP;
    trial_run(t, backend, how, &down);
    double below = *element;
    *element = here;
    return (up.value - down.value) / (above - below);
}

void trial_differences(struct trial *t, const struct backend *backend, struct outcome *out)
{
    for (size_t k = 0; k < t->count; k++)
        for (size_t i = 0; t->differentiable[k] && i < t->n[k]; i++)
            out->dx[k][i] = difference(t, backend, &t->x[k][i]);
}

double trial_error(size_t n, const double *got, const double *want)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double e = fabs(got[i] - want[i]) / (1 + fabs(want[i]));
        if (!(e <= worst)) worst = isnan(e) ? HUGE_VAL : e;
    }
    return worst;
}

/* ---- the numbers of a case, away from the op's kinks ---- */

bool trial_near_kink(const struct trial *t, size_t i)
{
    double clearance = TRIAL_CLEARANCE * TRIAL_STEP;
    const double *x = t->x[0];
    const enum kink kink = op_kink(t->op, t->attributes);
    if (kink == KINK_INPUT) return fabs(x[i] - t->op->kink_at) < clearance;
    if (kink == KINK_ERROR) return fabs(x[i] - t->x[LOSS_TARGET][i]) < clearance;
    if (kink == KINK_BOUNDS)
        return fabs(x[i] - t->attributes[0]) < clearance || fabs(x[i] - t->attributes[1]) < clearance;
    for (size_t j = 0; kink == KINK_EQUAL && j < t->n[1]; j++) /* whichever it meets */
        if (fabs(x[i] - t->x[1][j]) < clearance) return true;
    for (size_t j = 0; kink == KINK_TIES && j < i; j++)
        if (fabs(x[j] - x[i]) < clearance) return true;
    if (kink != KINK_MARGIN) return false;
    for (size_t j = i - i % t->in[0].dim[t->in[0].rank - 1]; j <= i; j++)
        if (fabs(fabs(x[j] - x[i]) - 1) < clearance) return true;
    return false;
}

/* One-hot rows. */
static void draw_classes(struct trial *t)
{
    size_t width = t->in[LOSS_TARGET].dim[t->in[LOSS_TARGET].rank - 1];
    double *to = t->x[LOSS_TARGET];
    memset(to, 0, t->n[LOSS_TARGET] * sizeof *to);
    for (size_t row = 0; row < t->n[LOSS_TARGET]; row += width)
        to[row + (size_t)uniform(0, (double)width)] = 1;
}

static double draw_number(const struct op_case *from, bool constant)
{
    double low = from->low, high = from->high;
    if (low == 0 && high == 0) {
        low = -2;
        high = 2;
    }
    if (constant) {
        low = from->constants_from;
        high = low == 0 && from->constants_below == 0 ? 2 : from->constants_below;
    }
    return constant || from->whole ? floor(uniform(low, high)) : uniform(low, high);
}

static void draw(struct trial *t, const struct op_case *from, bool one_hot)
{
    for (size_t k = t->count; k-- > 0;) /* the target before the prediction, which keeps away from it */
        for (size_t i = 0; i < t->n[k]; i++)
            do
                t->x[k][i] = draw_number(from, op_slot(t->op, k)->role == SLOT_CONSTANT && !from->constants_real);
            while (k == 0 && trial_near_kink(t, i));
    if (one_hot) draw_classes(t);
    for (size_t i = 0; i < t->y_n; i++)
        t->dy[i] = uniform(-1, 1);
}

static void set_attributes(struct trial *t, const struct op_case *from, enum reduction reduction)
{
    const struct attribute *list = t->op->attributes;
    ck_assert_uint_le(from->number_count, TRIAL_NUMBERS_MAX);
    for (size_t i = 0; i < from->number_count; i++)
        t->attributes[i] = from->numbers[i];
    for (size_t a = 0; attribute_stands(&list[a]); a++)
        t->attributes[a] = list[a].fallback;
    for (size_t s = 0; s < CASE_SETTINGS_MAX && from->set[s].attribute != NULL; s++) {
        size_t a = 0;
        while (attribute_stands(&list[a]) &&
               (list[a].name == NULL || strcmp(list[a].name, from->set[s].attribute) != 0))
            a++;
        ck_assert_msg(list[a].name != NULL, "%s has no %s", t->op->name, from->set[s].attribute);
        bool again = false;
        for (size_t before = 0; before < s; before++)
            again = again || strcmp(from->set[before].attribute, from->set[s].attribute) == 0;
        t->attributes[a + again] = from->set[s].value;
        if (list[a].kind == ATTRIBUTE_SIZES && !again) t->attributes[a + 1] = from->set[s].value;
    }
    if (t->op->kind != OP_LOSS) return;
    t->attributes[LOSS_REDUCTION] = reduction;
    t->attributes[LOSS_SCALE] = 0.37;
}

static void describe(struct trial *t, size_t number)
{
    char shape[SHAPE_TEXT_MAX];
    snprintf(t->text, sizeof t->text, "%s, case %zu, first input %.60s, first attribute %g, reduction %g", t->op->name,
             number, shape_text(&t->in[0], shape), t->attributes[0], t->attributes[LOSS_REDUCTION]);
}

static void prepare(struct trial *t, const struct op *op, size_t number, enum reduction reduction, bool one_hot)
{
    const struct op_case *from = &op->cases[number];
    *t = (struct trial){.op = op, .count = from->count};
    set_attributes(t, from, reduction);
    const struct shape *in[CASE_INPUTS_MAX] = {0};
    for (size_t k = 0; k < t->count; k++) {
        enum slot_role role = op_slot(op, k)->role;
        t->in[k] = role == SLOT_TARGET ? from->in[0] : from->in[k];
        t->differentiable[k] = op_differentiates(op, k);
        if (role != SLOT_PARAMETER || t->in[k].rank > 0) in[k] = &t->in[k];
    }
    const struct op_shape shape = {.op = op, .attributes = t->attributes, .count = t->count, .in = in};
    struct error error = {0};
    ck_assert_msg(op->plan(&shape, &t->plan, &error) == CODE_OK, "%s, case %zu: %s", op->name, number, error.detail);
    for (size_t k = 0; k < t->count; k++) {
        bool parameter = op_slot(op, k)->role == SLOT_PARAMETER;
        t->has[k] = !parameter || t->plan.has[k];
        if (!t->has[k]) continue;
        if (parameter) t->in[k] = t->plan.parameters[k];
        t->n[k] = op_elements(&t->in[k]);
        ck_assert_uint_le(t->n[k], TRIAL_TENSOR_MAX);
    }
    for (size_t s = 0; s < OP_SAVED_MAX; s++)
        ck_assert_uint_le(t->plan.saved[s], TRIAL_SAVED_MAX);
    t->y_n = op_elements(&t->plan.out);
    ck_assert_uint_le(t->y_n, TRIAL_TENSOR_MAX);
    draw(t, from, one_hot);
    describe(t, number);
}

void trial_round(struct trial *t)
{
    for (size_t k = 0; k < t->count; k++)
        for (size_t i = 0; i < t->n[k]; i++)
            t->x[k][i] = (double)(float)t->x[k][i];
    for (size_t i = 0; i < t->y_n; i++)
        t->dy[i] = (double)(float)t->dy[i];
}

size_t trial_each(const struct op *op, void (*body)(struct trial *))
{
    static _Thread_local struct trial t;
    size_t done = 0;
    bool loss = op->kind == OP_LOSS, soft = op->target != TARGET_CLASSES,
         classes = op->target == TARGET_CLASSES || op->target == TARGET_CLASSES_OR_SOFT;
    ck_assert_msg(op->cases != NULL && op->cases[0].count > 0, "%s has no cases", op->name);
    conformance_seed();
    for (size_t c = 0; op->cases[c].count > 0; c++)
        for (int r = 0; r == 0 || (loss && reduction_names[r] != NULL); r++)
            for (int one_hot = !soft; one_hot <= classes; one_hot++, done++) {
                prepare(&t, op, c, (enum reduction)r, one_hot);
                body(&t);
            }
    return done;
}
