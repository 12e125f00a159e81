/* The primitives on tensors that are repeated to one shape, element by element, in one arithmetic: REAL and NAME(x) say
 * which. Included by core/backend/cpu.c alone.
 *
 * A formula is a loop along the last axis: over two vectors, or over one and a number. What the other axes ask for is
 * done once for each of these loops. */

typedef void NAME(run)(size_t n, const REAL *a, bool a_repeated, const REAL *b, bool b_repeated, REAL *y);
typedef void NAME(gradient_run)(size_t n, const REAL *a, bool a_repeated, const REAL *b, bool b_repeated, const REAL *y,
                                const REAL *dy, REAL *dx);

#define RUN(name)                                                                                                      \
    static void NAME(name##_run)(size_t n, const REAL *a, bool a_repeated, const REAL *b, bool b_repeated, REAL *y)    \
    {                                                                                                                  \
        const REAL one_a = *a, one_b = *b;                                                                             \
        if (a_repeated)                                                                                                \
            for (size_t i = 0; i < n; i++)                                                                             \
                y[i] = NAME(name)(one_a, b_repeated ? one_b : b[i]);                                                   \
        else if (b_repeated)                                                                                           \
            for (size_t i = 0; i < n; i++)                                                                             \
                y[i] = NAME(name)(a[i], one_b);                                                                        \
        else                                                                                                           \
            for (size_t i = 0; i < n; i++)                                                                             \
                y[i] = NAME(name)(a[i], b[i]);                                                                         \
    }
FORMULAS_OF_BINARIES(RUN)
#undef RUN

#define RUN(name, to)                                                                                                  \
    static void NAME(name##_##to##_run)(size_t n, const REAL *a, bool a_repeated, const REAL *b, bool b_repeated,      \
                                        const REAL *y, const REAL *dy, REAL *dx)                                       \
    {                                                                                                                  \
        const REAL one_a = *a, one_b = *b;                                                                             \
        if (a_repeated)                                                                                                \
            for (size_t i = 0; i < n; i++)                                                                             \
                dx[i] = NAME(name##_##to)(one_a, b_repeated ? one_b : b[i], y[i], dy[i]);                              \
        else if (b_repeated)                                                                                           \
            for (size_t i = 0; i < n; i++)                                                                             \
                dx[i] = NAME(name##_##to)(a[i], one_b, y[i], dy[i]);                                                   \
        else                                                                                                           \
            for (size_t i = 0; i < n; i++)                                                                             \
                dx[i] = NAME(name##_##to)(a[i], b[i], y[i], dy[i]);                                                    \
    }
#define RUNS(name) RUN(name, first) RUN(name, second)
FORMULAS_OF_ARITHMETIC(RUNS)
#undef RUN
#undef RUNS

static int NAME(binary)(enum binary f, const struct broadcast *s, const void *first, const void *second, void *to)
{
#define RUN(name) [BINARY_##name] = NAME(name##_run),
    static NAME(run) *const runs[] = {FORMULAS_OF_BINARIES(RUN)};
#undef RUN
    if (f >= BINARY_COUNT) return CODE_DEVICE;
    const REAL *a = first, *b = second;
    REAL *y = to;
    size_t index[SPREAD_RANK_MAX] = {0}, at[OFFSETS] = {0}, last = s->rank - 1;
    const bool a_repeated = s->stride[0][last] == 0, b_repeated = s->stride[1][last] == 0;
    do
        runs[f](s->dim[last], a + at[0], a_repeated, b + at[1], b_repeated, y + at[OUTPUT]);
    while (next_of_broadcast(s, AXES_ALL, 0, index, at));
    return CODE_OK;
}

/* ---- the gradient ---- */

struct NAME(gradient) {
    const struct broadcast *s;
    size_t tensor; /* whose gradient it is */
    NAME(gradient_run) * run;
    const REAL *a, *b, *y, *dy;
    size_t at[OFFSETS];
};

/* n elements of it at the output's shape, from `begin` on along the last axis. */
static void NAME(gradient_part)(const struct NAME(gradient) * g, size_t begin, size_t n, REAL *dx)
{
    const size_t *step_a = &g->s->stride[0][g->s->rank - 1], *step_b = &g->s->stride[1][g->s->rank - 1];
    size_t at = g->at[OUTPUT] + begin;
    g->run(n, g->a + g->at[0] + begin * *step_a, *step_a == 0, g->b + g->at[1] + begin * *step_b, *step_b == 0,
           g->y + at, g->dy + at, dx);
}

/* Adds to `sum` the elements from `begin` on along the last axis, over all axes before it along which the tensor is
 * repeated; LANES at a time, the sum starting again with each. */
static void NAME(sum_gradient)(struct NAME(gradient) * g, size_t begin, size_t n, double *sum)
{
    REAL part[LANES];
    size_t index[SPREAD_RANK_MAX] = {0};
    do
        for (size_t j = 0; j < n; j += LANES) {
            size_t width = n - j < LANES ? n - j : LANES;
            NAME(gradient_part)(g, begin + j, width, part);
            for (size_t i = 0; i < width; i++)
                sum[i] += (double)part[i];
        }
    while (next_of_broadcast(g->s, AXES_REPEATED, g->tensor, index, g->at));
}

/* Into dx, which holds the tensor as it is, run by run. Along a last axis that is repeated, sums of every LANES-th
 * element are added up at the end: one sum alone would wait for each addition. */
static void NAME(gradient_home)(struct NAME(gradient) * g, REAL *dx)
{
    double sum[LANES];
    size_t index[SPREAD_RANK_MAX] = {0}, n = g->s->dim[g->s->rank - 1];
    bool repeated = g->s->stride[g->tensor][g->s->rank - 1] == 0;
    do
        for (size_t j = 0; j < (repeated ? 1 : n); j += LANES) {
            size_t width = n - j < LANES ? n - j : LANES;
            for (size_t i = 0; i < width; i++)
                sum[i] = 0;
            NAME(sum_gradient)(g, j, repeated ? n : width, sum);
            for (size_t i = 1; repeated && i < width; i++)
                sum[0] += sum[i];
            for (size_t i = 0; i < (repeated ? 1 : width); i++)
                *dx++ = (REAL)sum[i];
        }
    while (next_of_broadcast(g->s, AXES_OWN, g->tensor, index, g->at));
}

static int NAME(binary_gradient)(enum binary f, bool second, const struct broadcast *s, const void *a, const void *b,
                                 const void *y, const void *dy, void *to)
{
#define RUNS(name) [BINARY_##name] = {NAME(name##_first_run), NAME(name##_second_run)},
    static NAME(gradient_run) *const runs[][2] = {FORMULAS_OF_ARITHMETIC(RUNS)};
#undef RUNS
    if (f >= BINARY_ARITHMETIC) return CODE_DEVICE;
    struct NAME(gradient) g = {.s = s, .tensor = second, .run = runs[f][second], .a = a, .b = b, .y = y, .dy = dy};
    REAL *dx = to;
    size_t index[SPREAD_RANK_MAX] = {0};
    bool repeated = false;
    for (size_t axis = 0; axis < s->rank; axis++)
        repeated = repeated || s->stride[g.tensor][axis] == 0;
    if (repeated)
        NAME(gradient_home)(&g, dx);
    else
        do
            NAME(gradient_part)(&g, 0, s->dim[s->rank - 1], dx + g.at[OUTPUT]);
        while (next_of_broadcast(s, AXES_ALL, 0, index, g.at));
    return CODE_OK;
}

/* ---- a choice ---- */

/* Along the last axis, the steps being constants where it is called. */
static inline __attribute__((always_inline)) void NAME(choose_run)(size_t n, const REAL *c, size_t c_step,
                                                                   const REAL *a, size_t a_step, const REAL *b,
                                                                   size_t b_step, REAL *y)
{
    const REAL one_c = *c, one_a = *a, one_b = *b;
    for (size_t i = 0; i < n; i++)
        y[i] = (c_step == 0 ? one_c : c[i]) != 0 ? (a_step == 0 ? one_a : a[i]) : (b_step == 0 ? one_b : b[i]);
}

static int NAME(choose)(const struct broadcast *s, const void *mask, const void *first, const void *second, void *to)
{
    const REAL *c = mask, *a = first, *b = second;
    REAL *y = to;
    size_t index[SPREAD_RANK_MAX] = {0}, at[OFFSETS] = {0}, last = s->rank - 1, n = s->dim[last];
    const size_t steps = s->stride[0][last] * 4 + s->stride[1][last] * 2 + s->stride[2][last];
    do
        switch (steps) {
#define STEPS(c_step, a_step, b_step)                                                                                  \
    case (c_step)*4 + (a_step)*2 + (b_step):                                                                           \
        NAME(choose_run)(n, c + at[0], c_step, a + at[1], a_step, b + at[2], b_step, y + at[OUTPUT]);                  \
        break;
            STEPS(0, 0, 0)
            STEPS(0, 0, 1)
            STEPS(0, 1, 0)
            STEPS(0, 1, 1)
            STEPS(1, 0, 0)
            STEPS(1, 0, 1)
            STEPS(1, 1, 0)
            STEPS(1, 1, 1)
#undef STEPS
        default:
            return CODE_DEVICE;
        }
    while (next_of_broadcast(s, AXES_ALL, 0, index, at));
    return CODE_OK;
}
