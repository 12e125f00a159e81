#include "tests/fuzz/handin.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- one tensor ---- */

/* What one tensor is spoilt by is chosen among these; most of them stand for what students do. */
struct spoiling {
    struct dice *dice;
    const struct assignment *assignment;
    const struct reference *reference;
    size_t parameter;
    struct handed *handed;
};

static size_t size_of(const struct spoiling *s)
{
    const struct matrix *value = &s->assignment->parameters[s->parameter].value;
    return value->rows * value->columns;
}

static const struct parameter_made *spoilt(const struct spoiling *s)
{
    return &s->assignment->parameters[s->parameter];
}

static void reshape(struct handed *handed, size_t rank, const size_t *dim)
{
    handed->laid_out = false;
    handed->rank = rank;
    memcpy(handed->dim, dim, rank * sizeof *dim);
}

static void spoil_absent(struct spoiling *s)
{
    s->handed->absent = true;
    s->handed->verdict = "missing";
}

static void spoil_scaled(struct spoiling *s)
{
    double batch = (double)s->assignment->batch;
    const double factors[] = {2, 0.5, -1, batch, 1 / batch, 3, 1.0001, -2, 1e300, 1e-310, 0.1, 1.5};
    double factor = factors[dice_pick(s->dice, sizeof factors / sizeof *factors)];
    for (size_t i = 0; i < size_of(s); i++)
        s->handed->at[i] *= factor;
}

static void spoil_zeroed(struct spoiling *s)
{
    memset(s->handed->at, 0, size_of(s) * sizeof(double));
}

static void spoil_noise(struct spoiling *s)
{
    for (size_t i = 0; i < size_of(s); i++)
        s->handed->at[i] = dice_uniform(s->dice);
}

static void spoil_one_element(struct spoiling *s)
{
    s->handed->at[dice_number(s->dice, size_of(s))] += dice_uniform(s->dice);
}

/* Another parameter's gradient under this one's name. */
static void spoil_exchanged(struct spoiling *s)
{
    size_t other = dice_pick(s->dice, (unsigned)s->assignment->parameter_count);
    const struct matrix *from = &s->reference->gradients[other];
    memcpy(s->handed->at, from->at, from->rows * from->columns * sizeof(double));
    if (s->assignment->parameters[other].weight || s->assignment->parameters[other].feed)
        reshape(s->handed, 2, (size_t[]){from->rows, from->columns});
    else
        reshape(s->handed, 1, &from->columns);
}

static void spoil_parameter_itself(struct spoiling *s)
{
    memcpy(s->handed->at, spoilt(s)->value.at, size_of(s) * sizeof(double));
}

/* The weight's transpose; a bias as a column. */
static void spoil_transposed(struct spoiling *s)
{
    const struct matrix *g = &s->reference->gradients[s->parameter];
    bool inside = s->assignment->naming == NAMING_NUMPY; /* else the right layout is the transpose of that inside */
    for (size_t i = 0; i < g->rows; i++)
        for (size_t j = 0; j < g->columns; j++)
            s->handed->at[inside ? j * g->rows + i : i * g->columns + j] = g->at[i * g->columns + j];
    reshape(s->handed, 2, (size_t[]){inside ? g->columns : g->rows, inside ? g->rows : g->columns});
    if (spoilt(s)->weight && g->rows != g->columns) s->handed->verdict = "shape_mismatch";
}

/* The right elements in another order. */
static void spoil_order(struct spoiling *s)
{
    const struct matrix *g = &s->reference->gradients[s->parameter];
    for (size_t i = 0; i < g->rows; i++)
        for (size_t j = 0; j < g->columns; j++)
            s->handed->at[j * g->rows + i] = g->at[i * g->columns + j];
}

/* The gradient at the layer's output, as it is: a bias that was not summed over the samples. */
static void spoil_per_sample(struct spoiling *s)
{
    if (spoilt(s)->feed) {
        spoil_scaled(s);
        return;
    }
    size_t k = spoilt(s)->number - 1, rank = s->reference->one[k].rank, dim[HANDED_RANK_MAX];
    const struct matrix *dz = &s->reference->values[k][VALUE_DZ];
    bool columns = s->assignment->naming == NAMING_COLUMNS;
    for (size_t n = 0; n < dz->rows; n++)
        for (size_t j = 0; j < dz->columns; j++)
            s->handed->at[columns ? j * dz->rows + n : n * dz->columns + j] = dz->at[n * dz->columns + j];
    memcpy(dim + !columns, s->reference->one[k].dim, rank * sizeof *dim);
    dim[columns ? rank : 0] = dz->rows;
    reshape(s->handed, rank + 1, dim);
}

static void spoil_flat(struct spoiling *s)
{
    reshape(s->handed, 1, (size_t[]){size_of(s)});
    if (spoilt(s)->weight || spoilt(s)->feed) s->handed->verdict = "shape_mismatch";
}

static void spoil_deep(struct spoiling *s)
{
    reshape(s->handed, 4, (size_t[]){1, 1, size_of(s), 1});
    if (!spoilt(s)->feed) s->handed->verdict = "shape_mismatch"; /* samples may have three axes */
}

static void spoil_one_number(struct spoiling *s)
{
    reshape(s->handed, dice_pick(s->dice, 3), (size_t[]){1, 1});
    if (s->handed->rank == 0 && size_of(s) > 1) s->handed->verdict = "shape_mismatch";
}

static void spoil_not_finite(struct spoiling *s)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY};
    s->handed->at[dice_number(s->dice, size_of(s))] = odd[dice_pick(s->dice, 3)];
    s->handed->verdict = "not_finite";
}

static void spoil_rounded(struct spoiling *s)
{
    double step = pow(10, -1 - (double)dice_pick(s->dice, 6));
    for (size_t i = 0; i < size_of(s); i++)
        s->handed->at[i] = round(s->handed->at[i] / step) * step;
}

static void spoil_no_tensor(struct spoiling *s)
{
    static const char *const tokens[] = {
        "\"0.5\"", "[[1,2],[3]]", "{\"a\":1}", "true", "[\"1\",2]", "[[\"a\"]]", "[1,[2]]", "[{}]", "[[],[1]]",
    };
    s->handed->token = tokens[dice_pick(s->dice, sizeof tokens / sizeof *tokens)];
    s->handed->verdict = "not_a_tensor";
}

static void spoil_odd(struct spoiling *s)
{
    static const char *const tokens[] = {
        "null",
        "[]",
        "[null]",
        "[[]]",
        "NaN",
        "1e999",
        "[1e999]",
        "123456789012345678901",
        "[[null,1],[2,3]]",
        "0",
        "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
        "[0]",
        "[[0,0],[0,0]]",
        "[1e-999]",
        "-0.0",
    };
    s->handed->token = tokens[dice_pick(s->dice, sizeof tokens / sizeof *tokens)];
}

static void (*const spoilers[])(struct spoiling *) = {
    spoil_absent,    spoil_scaled,     spoil_zeroed,     spoil_transposed, spoil_per_sample,  spoil_noise,
    spoil_absent,    spoil_scaled,     spoil_exchanged,  spoil_order,      spoil_one_element, spoil_parameter_itself,
    spoil_absent,    spoil_one_number, spoil_not_finite, spoil_rounded,    spoil_flat,        spoil_deep,
    spoil_no_tensor, spoil_odd,
};
enum { SPOILERS = sizeof spoilers / sizeof *spoilers };

static void spoil(struct dice *dice, const struct assignment *assignment, const struct reference *reference, size_t p,
                  struct handed *handed)
{
    struct spoiling s = {
        .dice = dice, .assignment = assignment, .reference = reference, .parameter = p, .handed = handed};
    handed->verdict = NULL;
    spoilers[dice_pick(dice, SPOILERS)](&s);
}

/* ---- all of them ---- */

/* One factor, or one limit, on everything. */
static void change_all(struct dice *dice, const struct assignment *assignment, struct handin *handin)
{
    double batch = (double)assignment->batch;
    const double factors[] = {1 / batch, batch, 2, 0.5, -1, 0, 1.7};
    unsigned pick = dice_pick(dice, 10);
    for (size_t p = 0; p < assignment->parameter_count; p++) {
        struct handed *handed = &handin->tensors[p];
        const struct matrix *value = &assignment->parameters[p].value;
        handed->verdict = NULL;
        for (size_t i = 0; i < value->rows * value->columns; i++) {
            double *at = &handed->at[i];
            if (pick < 7)
                *at *= factors[pick];
            else if (pick == 7)
                *at = fmax(-0.1, fmin(0.1, *at));
            else if (pick == 8)
                *at = (double)(float)*at;
            else
                *at = round(*at * 1e4) / 1e4;
        }
    }
}

static void hand_in_all(const struct assignment *assignment, const struct reference *from, const char *verdict,
                        struct handin *handin)
{
    for (size_t p = 0; p < assignment->parameter_count; p++) {
        struct handed *handed = &handin->tensors[p];
        const struct matrix *g = &from->gradients[p];
        handed->absent = false;
        handed->token = NULL;
        handed->laid_out = true;
        handed->verdict = verdict;
        memset(handed->at, 0, sizeof handed->at);
        memcpy(handed->at, g->at, g->rows * g->columns * sizeof(double));
    }
}

/* Which of the tensors are spoilt: none, one, some, each by itself. */
static void spoil_some(struct dice *dice, const struct assignment *assignment, const struct reference *reference,
                       struct handin *handin)
{
    unsigned how = dice_pick(dice, 4);
    size_t only = how == 1 ? dice_pick(dice, (unsigned)assignment->parameter_count) : 0;
    for (size_t p = 0; how > 0 && p < assignment->parameter_count; p++)
        if (how == 1 ? p == only : dice_pick(dice, how == 2 ? 3 : 2) == 0)
            spoil(dice, assignment, reference, p, &handin->tensors[p]);
}

static void roll_rest(struct dice *dice, struct handin *handin)
{
    static const char *const instead[] = {"null", "[1,2]", "\"none\"", "0", "[[1],2]", "[{}]", "NaN", "false"};
    handin->alias = dice_pick(dice, 4);
    handin->extra = dice_pick(dice, 8);
    handin->values = dice_pick(dice, 4) % 3;
    handin->reveal = dice_rarely(dice, 4);
    handin->silent = dice_rarely(dice, 16);
    handin->instead = dice_rarely(dice, 48) ? instead[dice_pick(dice, 8)] : NULL;
    dice_seed(dice);
    handin->seed = dice->state;
}

void handin_roll(struct dice *dice, const struct assignment *assignment, const struct reference *reference,
                 const struct reference *other, struct handin *handin)
{
    hand_in_all(assignment, other != NULL ? other : reference, other != NULL ? NULL : "match", handin);
    if (dice_rarely(dice, 3)) change_all(dice, assignment, handin);
    if (assignment->parameter_count > 0) spoil_some(dice, assignment, reference, handin);
    roll_rest(dice, handin);
    if (reference->not_finite && handin->values == 1) handin->values = 2; /* the right ones are not known */
    handin->right = true;
    for (size_t p = 0; p < assignment->parameter_count; p++) {
        struct handed *handed = &handin->tensors[p];
        if (handin->instead != NULL) handed->verdict = "missing";
        bool there = handin->instead == NULL && !handed->absent;
        handed->graded = !assignment->parameters[p].feed || there || assignment->worth > 0;
        bool match = handed->verdict != NULL && strcmp(handed->verdict, "match") == 0;
        handin->right = handin->right && (match || !handed->graded);
    }
}

/* ---- as JSON ---- */

/* A gradient's name, and whether the parameter's own is free for something else. */
static bool alias_of(const struct assignment *assignment, size_t p, unsigned alias, char *to)
{
    static const struct {
        const char *front, *behind;
    } ways[] = {{"", ""},      {"d", ""},     {"dL_d", ""}, {"", ".grad"},
                {"grad_", ""}, {"", "_grad"}, {"dLd", ""},  {"nabla_", ""}};
    const char *name = assignment->parameters[p].name;
    const char *front = ways[alias % 8].front, *behind = ways[alias % 8].behind;
    snprintf(to, NAME_MAX_HERE, "%s%.240s%s", front, name, behind);
    return front[0] != '\0' || behind[0] != '\0';
}

static void write_handed(struct text *text, const struct assignment *assignment, size_t p, const struct handed *handed)
{
    if (handed->token != NULL)
        text_add(text, handed->token);
    else if (handed->laid_out)
        assignment_write_parameter(text, assignment, &assignment->parameters[p], handed->at);
    else
        write_nested(text, handed->rank, handed->dim, handed->at);
}

static void write_extra(struct text *text, unsigned extra)
{
    static const char *const names[] = {"W99", "", "\xF0\x9F\x98\x80", "dW", "weight.grad.grad"};
    if (extra == 0 || extra > 5) return;
    write_key(text, names[extra - 1]);
    text_add(text, extra % 2 == 0 ? "[1,2]" : "\"x\"");
}

static void write_gradients(struct text *text, const struct assignment *assignment, const struct handin *handin)
{
    char name[NAME_MAX_HERE];
    write_key(text, "gradients");
    if (handin->instead != NULL) {
        text_add(text, handin->instead);
        return;
    }
    text_add(text, "{");
    for (size_t p = 0; p < assignment->parameter_count; p++) {
        const struct handed *handed = &handin->tensors[p];
        bool free = alias_of(assignment, p, handin->alias + (unsigned)p, name);
        if (handed->absent) continue;
        write_key(text, name);
        write_handed(text, assignment, p, handed);
        if (!free || handin->extra != 6) continue;
        write_key(text, assignment->parameters[p].name); /* a second copy, which nobody looks at */
        text_add(text, "[[7]]");
    }
    write_extra(text, handin->extra);
    text_add(text, "}");
}

static void write_values(struct text *text, const struct assignment *assignment, const struct reference *reference,
                         const struct handin *handin)
{
    struct dice dice = {.state = handin->seed};
    char name[NAME_MAX_HERE];
    write_key(text, "intermediates");
    text_add(text, "{");
    for (size_t k = 0; k < assignment->numbered; k++)
        for (size_t value = 0; value < VALUES; value++) {
            if (dice_number(&dice, 3) == 0) continue;
            struct matrix given = reference->values[k][value];
            if (handin->values == 2 && dice_number(&dice, 3) == 0) given.at[0] += 1;
            snprintf(name, sizeof name, "%s%zu", value_names[value], k + 1);
            write_key(text, name);
            assignment_write_samples(text, assignment, &reference->one[k], given.at);
        }
    if (handin->values == 2) {
        write_key(text, "z0");
        text_add(text, "[1],\"y_hat\":3,\"dy_hat\":null");
    }
    text_add(text, "}");
}

void handin_write(struct text *text, const struct assignment *assignment, const struct reference *reference,
                  const struct handin *handin)
{
    write_gradients(text, assignment, handin);
    if (handin->values > 0) write_values(text, assignment, reference, handin);
    if (handin->reveal) text_add(text, ",\"reveal\":true");
    if (handin->silent) text_add(text, ",\"diagnose\":false");
}
