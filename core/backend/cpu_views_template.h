/* Those primitives of core/backend/backend.h that read and write parts of tensors, views and what indices name, in one
 * arithmetic; included by core/backend/cpu_template.h. */

/* ---- views ---- */

enum { NAME(TILE) = 16, NAME(SHORT) = 8 };

/* The innermost two of a view's loops, in squares. */
#define EACH_OF_BLOCK(...)                                                                                             \
    for (size_t i0 = 0; i0 < rows; i0 += NAME(TILE))                                                                   \
        for (size_t j0 = 0; j0 < columns; j0 += NAME(TILE))                                                            \
            for (size_t i = i0; i < rows && i < i0 + NAME(TILE); i++)                                                  \
                for (size_t j = j0; j < columns && j < j0 + NAME(TILE); j++) {                                         \
                    ptrdiff_t near = (ptrdiff_t)i * near_row + (ptrdiff_t)j;                                           \
                    ptrdiff_t far = (ptrdiff_t)i * far_row + (ptrdiff_t)j * far_step;                                  \
                    __VA_ARGS__;                                                                                       \
                }

/* What a primitive does for each of these blocks: its numbers, and `near` and `far` so far. */
#define EACH_BLOCK_OF(view, ...)                                                                                       \
    const struct loops loops = loops_of(view);                                                                         \
    const size_t rows = loops.dim[loops.rank - 2], columns = loops.dim[loops.rank - 1];                                \
    const ptrdiff_t near_row = loops.near[loops.rank - 2], far_row = loops.far[loops.rank - 2];                        \
    const ptrdiff_t far_step = loops.far[loops.rank - 1];                                                              \
    size_t index[VIEW_RANK_MAX + 1] = {0};                                                                             \
    ptrdiff_t near_at = 0, far_at = (ptrdiff_t)(view)->offset;                                                         \
    do                                                                                                                 \
        __VA_ARGS__ while (loops_next(&loops, index, &near_at, &far_at));

static void NAME(copy_run)(size_t n, const REAL *from, REAL *to)
{
    if (n >= NAME(SHORT)) {
        memcpy(to, from, n * sizeof(REAL));
        return;
    }
    for (size_t j = 0; j < n; j++)
        to[j] = from[j];
}

static int NAME(view_read)(const struct strided *view, const void *from, void *to)
{
    EACH_BLOCK_OF(view, {
        const REAL *x = (const REAL *)from + far_at;
        REAL *y = (REAL *)to + near_at;
        if (far_step == 1)
            for (size_t i = 0; i < rows; i++)
                NAME(copy_run)(columns, x + (ptrdiff_t)i * far_row, y + (ptrdiff_t)i * near_row);
        else if (far_step == 0)
            for (size_t i = 0; i < rows; i++) {
                REAL same = x[(ptrdiff_t)i * far_row];
                for (size_t j = 0; j < columns; j++)
                    y[(ptrdiff_t)i * near_row + (ptrdiff_t)j] = same;
            }
        else
            EACH_OF_BLOCK(y[near] = x[far])
    })
    return CODE_OK;
}

static int NAME(view_write)(const struct strided *view, const void *from, void *to)
{
    EACH_BLOCK_OF(view, {
        const REAL *x = (const REAL *)from + near_at;
        REAL *y = (REAL *)to + far_at;
        if (far_step == 1)
            for (size_t i = 0; i < rows; i++)
                NAME(copy_run)(columns, x + (ptrdiff_t)i * near_row, y + (ptrdiff_t)i * far_row);
        else
            EACH_OF_BLOCK(y[far] = x[near])
    })
    return CODE_OK;
}

static int NAME(view_fill)(const struct strided *view, double value, void *to)
{
    REAL fill = (REAL)value;
    EACH_BLOCK_OF(view, {
        REAL *y = (REAL *)to + far_at;
        (void)near_row;
        if (far_step == 1)
            for (size_t i = 0; i < rows; i++)
                for (size_t j = 0; j < columns; j++)
                    y[(ptrdiff_t)i * far_row + (ptrdiff_t)j] = fill;
        else
            EACH_OF_BLOCK((void)near; y[far] = fill)
    })
    return CODE_OK;
}

/* Where some axes lie on each other: the sum over these is taken first. */
static void NAME(add_repeated)(const struct strided *view, const REAL *from, REAL *to)
{
    enum { STRIP = 64 };
    struct spread s = {.rank = view->rank};
    for (size_t axis = 0; axis < s.rank; axis++) {
        s.dim[axis] = view->dim[axis];
        s.stride[axis] = view->stride[axis] != 0;
    }
    size_t index[SPREAD_RANK_MAX] = {0}, offset = 0, last = s.rank - 1, n = s.stride[last] == 0 ? 1 : s.dim[last];
    do {
        ptrdiff_t at = (ptrdiff_t)view->offset;
        for (size_t axis = 0; axis < last; axis++)
            at += view->stride[axis] * (ptrdiff_t)index[axis];
        for (size_t j0 = 0; j0 < n; j0 += STRIP) {
            double sum[STRIP];
            size_t width = n - j0 < STRIP ? n - j0 : STRIP;
            NAME(sum_repetitions)(&s, width, from + offset + j0, sum);
            for (size_t j = 0; j < width; j++) {
                REAL *y = to + at + view->stride[last] * (ptrdiff_t)(j0 + j);
                *y = (REAL)((double)*y + sum[j]);
            }
        }
    } while (next_of_axes(&s, false, index, &offset));
}

static int NAME(view_add)(const struct strided *view, const void *from, void *to)
{
    const struct strided merged = view_merged(view);
    bool repeated = false;
    for (size_t axis = 0; axis < merged.rank; axis++)
        repeated = repeated || merged.stride[axis] == 0;
    if (repeated) {
        NAME(add_repeated)(&merged, from, to);
        return CODE_OK;
    }
    EACH_BLOCK_OF(&merged, {
        const REAL *x = (const REAL *)from + near_at;
        REAL *y = (REAL *)to + far_at;
        if (far_step == 1)
            for (size_t i = 0; i < rows; i++)
                for (size_t j = 0; j < columns; j++)
                    y[(ptrdiff_t)i * far_row + (ptrdiff_t)j] += x[(ptrdiff_t)i * near_row + (ptrdiff_t)j];
        else
            EACH_OF_BLOCK(y[far] += x[near])
    })
    return CODE_OK;
}

#undef EACH_BLOCK_OF
#undef EACH_OF_BLOCK

/* ---- what indices name ---- */

static int NAME(first_no_index)(size_t n, const void *from, size_t dim, size_t *host)
{
    const REAL *x = from;
    const double length = (double)dim;
    size_t i = 0;
    while (i < n && (double)x[i] >= -length && (double)x[i] < length && floor(x[i]) == x[i])
        i++;
    *host = i;
    return CODE_OK;
}

/* The place that number `at` of each list of indices names, along all indexed axes as one. */
static inline size_t NAME(place)(const struct indexed *ix, const void *const *index, size_t at)
{
    size_t place = 0;
    for (size_t axis = 0; axis < ix->axes; axis++) {
        ptrdiff_t i = (ptrdiff_t)((const REAL *)index[axis])[at];
        place = place * ix->dim[axis] + (size_t)(i < 0 ? i + (ptrdiff_t)ix->dim[axis] : i);
    }
    return place;
}

/* For each run of elements that lie together on both sides, or, with `along`, for each element: where it stands in the
 * whole tensor and in what is read or written, from the first to the last or the other way round. */
#define EACH_NAMED(back, ...)                                                                                          \
    const size_t length = indexed_length(ix), inner = ix->inner, run = ix->along ? 1 : inner;                          \
    const size_t per_row = ix->count * (ix->along ? inner : 1), all = ix->outer * per_row;                             \
    for (size_t turn = 0; turn < all; turn++) {                                                                        \
        const size_t e = (back) ? all - 1 - turn : turn, row = e / per_row;                                            \
        const size_t place = NAME(place)(ix, index, ix->along ? e : e - row * per_row);                                \
        const size_t whole = (row * length + place) * inner + (ix->along ? e % inner : 0), part = e * run;             \
        __VA_ARGS__;                                                                                                   \
    }

static int NAME(index_read)(const struct indexed *ix, const void *const *index, const void *from, void *to)
{
    EACH_NAMED(false, NAME(copy_run)(run, (const REAL *)from + whole, (REAL *)to + part))
    return CODE_OK;
}

static int NAME(index_write)(const struct indexed *ix, const void *const *index, const void *from, void *to)
{
    EACH_NAMED(false, NAME(copy_run)(run, (const REAL *)from + part, (REAL *)to + whole))
    return CODE_OK;
}

static int NAME(index_add)(const struct indexed *ix, const void *const *index, const void *from, void *to)
{
    EACH_NAMED(false, {
        REAL *y = (REAL *)to + whole;
        const REAL *x = (const REAL *)from + part;
        for (size_t j = 0; j < run; j++)
            y[j] += x[j];
    })
    return CODE_OK;
}

static int NAME(index_take)(const struct indexed *ix, const void *const *index, void *from, void *to)
{
    EACH_NAMED(true, {
        REAL *x = (REAL *)from + whole, *y = (REAL *)to + part;
        NAME(copy_run)(run, x, y);
        memset(x, 0, run * sizeof(REAL));
    })
    return CODE_OK;
}

#undef EACH_NAMED
