/* The primitives of core/backend/backend.h in one arithmetic, said by REAL, NAME(x), DTYPE and SMALLEST. Included by
 * backend.cu alone. */

static int NAME(allocate)(struct arena *arena, size_t elements, void **memory)
{
    (void)arena;
    struct context *c;
    if (elements > SIZE_MAX / 2 / sizeof(REAL)) return CODE_OUT_OF_MEMORY;
    int code = context_get(&c);
    return code == CODE_OK ? context_allocate(c, elements * sizeof(REAL), memory) : code;
}

static void NAME(release)(void *memory)
{
    context_release(memory);
}

static int NAME(upload)(size_t n, const double *host, void *to)
{
    struct context *c;
    int code = context_get(&c);
    if (sizeof(REAL) == sizeof(double)) {
        if (code == CODE_OK) code = copy_in(c->queue, to, host, n * sizeof(REAL));
        return code == CODE_OK ? queue_wait(c->queue) : code;
    }
    const size_t portion = STAGING_BYTES / sizeof(REAL);
    for (size_t i = 0; code == CODE_OK && i < n; i += portion) {
        size_t m = n - i < portion ? n - i : portion;
        REAL *staging = static_cast<REAL *>(c->staging);
        for (size_t j = 0; j < m; j++)
            staging[j] = (REAL)host[i + j];
        code = copy_in(c->queue, static_cast<REAL *>(to) + i, staging, m * sizeof(REAL));
        if (code == CODE_OK) code = queue_wait(c->queue);
    }
    return code;
}

static int NAME(download)(size_t n, const void *from, double *host)
{
    struct context *c;
    int code = context_get(&c);
    if (sizeof(REAL) == sizeof(double)) {
        if (code == CODE_OK) code = copy_out(c->queue, host, from, n * sizeof(REAL));
        return code == CODE_OK ? queue_wait(c->queue) : code;
    }
    const size_t portion = STAGING_BYTES / sizeof(REAL);
    for (size_t i = 0; code == CODE_OK && i < n; i += portion) {
        size_t m = n - i < portion ? n - i : portion;
        const REAL *staging = static_cast<const REAL *>(c->staging);
        code = copy_out(c->queue, c->staging, static_cast<const REAL *>(from) + i, m * sizeof(REAL));
        if (code == CODE_OK) code = queue_wait(c->queue);
        for (size_t j = 0; code == CODE_OK && j < m; j++)
            host[i + j] = (double)staging[j];
    }
    return code;
}

static int NAME(gemm)(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha, const void *A,
                      const void *B, double beta, void *C)
{
    struct context *c;
    int code = context_get(&c);
    if (code != CODE_OK || m == 0 || n == 0) return code;
    return product(c->queue, transpose_a, transpose_b, m, n, k, (REAL)alpha, static_cast<const REAL *>(A),
                   static_cast<const REAL *>(B), (REAL)beta, static_cast<REAL *>(C));
}

/* ---- elementwise ---- */

static int NAME(map)(enum map f, double a, size_t n, const void *x, void *y)
{
    struct context *c;
    int code = f < MAP_COUNT ? context_get(&c) : CODE_DEVICE;
    if (code != CODE_OK || n == 0) return code;
    return launch(c->queue, blocks_for(n), BLOCK, 0, NAME(map_kernel), f, (REAL)a, n, static_cast<const REAL *>(x),
                  static_cast<REAL *>(y));
}

static int NAME(map_gradient)(enum map f, double a, size_t n, const void *x, const void *y, const void *dy, void *dx)
{
    struct context *c;
    int code = f < MAP_COUNT ? context_get(&c) : CODE_DEVICE;
    if (code != CODE_OK || n == 0) return code;
    return launch(c->queue, blocks_for(n), BLOCK, 0, NAME(map_gradient_kernel), f, (REAL)a, n,
                  static_cast<const REAL *>(x), static_cast<const REAL *>(y), static_cast<const REAL *>(dy),
                  static_cast<REAL *>(dx));
}

static int NAME(loss_gradient)(enum elementwise_loss l, double a, double scale, size_t n, const void *P, const void *T,
                               void *dP)
{
    struct context *c;
    int code = l < LOSS_COUNT ? context_get(&c) : CODE_DEVICE;
    if (code != CODE_OK || n == 0) return code;
    return launch(c->queue, blocks_for(n), BLOCK, 0, NAME(loss_gradient_kernel), l, (REAL)a, (REAL)scale, n,
                  static_cast<const REAL *>(P), static_cast<const REAL *>(T), static_cast<REAL *>(dP));
}

static int NAME(update)(const struct update *u, size_t n, const void *g, void *w, void *first, void *second)
{
    struct context *c;
    int code = u->rule < UPDATE_COUNT ? context_get(&c) : CODE_DEVICE;
    if (code != CODE_OK || n == 0) return code;
    return launch(c->queue, blocks_for(n), BLOCK, 0, NAME(update_kernel), *u, n, static_cast<const REAL *>(g),
                  static_cast<REAL *>(w), static_cast<REAL *>(first), static_cast<REAL *>(second));
}

static int NAME(multiply)(size_t n, const void *x, const void *y, void *z)
{
    struct context *c;
    int code = context_get(&c);
    if (code != CODE_OK || n == 0) return code;
    return launch(c->queue, blocks_for(n), BLOCK, 0, NAME(multiply_kernel), n, static_cast<const REAL *>(x),
                  static_cast<const REAL *>(y), static_cast<REAL *>(z));
}

static int NAME(axpby)(size_t n, double alpha, const void *x, double beta, void *y)
{
    struct context *c;
    int code = context_get(&c);
    if (code != CODE_OK || n == 0) return code;
    return launch(c->queue, blocks_for(n), BLOCK, 0, NAME(axpby_kernel), n, (REAL)alpha, static_cast<const REAL *>(x),
                  (REAL)beta, static_cast<REAL *>(y));
}

/* ---- matrices and row vectors ---- */

static int NAME(add_row)(size_t rows, size_t columns, const void *v, void *X)
{
    struct context *c;
    int code = context_get(&c);
    if (code != CODE_OK || rows == 0 || columns == 0) return code;
    struct strips s = strips_of(rows, columns, 1 << 16);
    return launch(c->queue, s.strips * s.chunks, BLOCK, 0, NAME(add_row_kernel), rows, columns, s.strips, s.chunks,
                  static_cast<const REAL *>(v), static_cast<REAL *>(X));
}

static int NAME(multiply_row)(size_t rows, size_t columns, const void *v, const void *X, void *Y)
{
    struct context *c;
    int code = context_get(&c);
    if (code != CODE_OK || rows == 0 || columns == 0) return code;
    struct strips s = strips_of(rows, columns, 1 << 16);
    return launch(c->queue, s.strips * s.chunks, BLOCK, 0, NAME(multiply_row_kernel), rows, columns, s.strips, s.chunks,
                  static_cast<const REAL *>(v), static_cast<const REAL *>(X), static_cast<REAL *>(Y));
}

static int NAME(copy_rows)(size_t rows, size_t columns, size_t from_stride, const void *from, size_t to_stride,
                           void *to)
{
    /* What lies together on both sides is one vector, and is copied as such: on a strip of a single row all warps of
     * a block but one would have nothing to do. */
    if (rows == 1 || (from_stride == columns && to_stride == columns))
        return NAME(axpby)(rows * columns, 1, from, 0, to);
    struct context *c;
    int code = context_get(&c);
    if (code != CODE_OK || rows == 0 || columns == 0) return code;
    struct strips s = strips_of(rows, columns, 1 << 16);
    return launch(c->queue, s.strips * s.chunks, BLOCK, 0, NAME(copy_rows_kernel), rows, columns, s.strips, s.chunks,
                  from_stride, static_cast<const REAL *>(from), to_stride, static_cast<REAL *>(to));
}

/* Elements of the smaller tensor, and how often each of them is repeated. */
static void NAME(count_spread)(const struct spread *s, size_t *elements, size_t *times)
{
    *elements = *times = 1;
    for (size_t axis = 0; axis < s->rank; axis++)
        *(s->stride[axis] > 0 ? elements : times) *= s->dim[axis];
}

static int NAME(spread)(const struct spread *s, const void *from, void *to)
{
    struct context *c;
    size_t elements, times;
    int code = context_get(&c);
    NAME(count_spread)(s, &elements, &times);
    if (code != CODE_OK || elements * times == 0) return code;
    return launch(c->queue, blocks_for(elements * times), BLOCK, 0, NAME(spread_kernel), elements * times, *s,
                  static_cast<const REAL *>(from), static_cast<REAL *>(to));
}

static int NAME(sum_spread)(const struct spread *s, const void *from, void *to)
{
    struct context *c;
    size_t elements, times;
    int code = context_get(&c);
    NAME(count_spread)(s, &elements, &times);
    if (code != CODE_OK || elements == 0) return code;
    return launch(c->queue, blocks_for(elements), BLOCK, 0, NAME(sum_spread_kernel), elements, times, *s,
                  static_cast<const REAL *>(from), static_cast<REAL *>(to));
}

static size_t NAME(elements_of)(const struct broadcast *s)
{
    size_t n = 1;
    for (size_t axis = 0; axis < s->rank; axis++)
        n *= s->dim[axis];
    return n;
}

static int NAME(binary)(enum binary f, const struct broadcast *s, const void *a, const void *b, void *y)
{
    struct context *c;
    int code = f < BINARY_COUNT ? context_get(&c) : CODE_DEVICE;
    const size_t n = NAME(elements_of)(s);
    if (code != CODE_OK || n == 0) return code;
    return launch(c->queue, blocks_for(n), BLOCK, 0, NAME(binary_kernel), f, n, *s, static_cast<const REAL *>(a),
                  static_cast<const REAL *>(b), static_cast<REAL *>(y));
}

static int NAME(binary_gradient)(enum binary f, bool second, const struct broadcast *s, const void *a, const void *b,
                                 const void *y, const void *dy, void *dx)
{
    struct context *c;
    int code = f < BINARY_ARITHMETIC ? context_get(&c) : CODE_DEVICE;
    size_t n = 1;
    for (size_t axis = 0; axis < s->rank; axis++)
        if (s->stride[second][axis] > 0) n *= s->dim[axis];
    if (code != CODE_OK || n == 0) return code;
    const size_t times = NAME(elements_of)(s) / n;
    const bool wide = times >= WIDE_SUM && n < ELEMENTWISE_BLOCKS_MAX;
    return launch(c->queue, wide ? (unsigned)n : blocks_for(n), BLOCK, REDUCE_SHARED,
                  wide ? NAME(binary_gradient_kernel) < true > : NAME(binary_gradient_kernel) < false >, f, second, n,
                  times, *s, static_cast<const REAL *>(a), static_cast<const REAL *>(b), static_cast<const REAL *>(y),
                  static_cast<const REAL *>(dy), static_cast<REAL *>(dx));
}

static int NAME(choose)(const struct broadcast *s, const void *mask, const void *a, const void *b, void *y)
{
    struct context *c;
    int code = context_get(&c);
    const size_t n = NAME(elements_of)(s);
    if (code != CODE_OK || n == 0) return code;
    return launch(c->queue, blocks_for(n), BLOCK, 0, NAME(choose_kernel), n, *s, static_cast<const REAL *>(mask),
                  static_cast<const REAL *>(a), static_cast<const REAL *>(b), static_cast<REAL *>(y));
}

static int NAME(sum_rows)(size_t rows, size_t columns, const void *X, void *v)
{
    struct context *c;
    int code = context_get(&c);
    for (size_t j = 0; code == CODE_OK && j < columns; j += COLUMNS_AT_ONCE) {
        size_t width = columns - j < COLUMNS_AT_ONCE ? columns - j : COLUMNS_AT_ONCE;
        struct strips s = strips_of(rows, width, STRIPS_MAX);
        double *partials = static_cast<double *>(c->scratch);
        code = launch(c->queue, s.strips * s.chunks, BLOCK, STRIP_SHARED, NAME(sum_rows_kernel), rows, width, columns,
                      s.strips, s.chunks, static_cast<const REAL *>(X) + j, partials);
        if (code == CODE_OK)
            code = launch(c->queue, blocks_for(width), BLOCK, 0, NAME(sum_rows_finish_kernel), width, s.chunks,
                          partials, static_cast<REAL *>(v) + j);
    }
    return code;
}

static int NAME(count_within)(size_t rows, size_t columns, const void *X, double low, double high, size_t *host)
{
    struct context *c;
    int code = context_get(&c);
    for (size_t j = 0; code == CODE_OK && rows > 0 && j < columns; j += COLUMNS_AT_ONCE) {
        size_t width = columns - j < COLUMNS_AT_ONCE ? columns - j : COLUMNS_AT_ONCE;
        struct strips s = strips_of(rows, width, STRIPS_MAX);
        unsigned long long *partials = static_cast<unsigned long long *>(c->scratch);
        code = launch(c->queue, s.strips * s.chunks, BLOCK, STRIP_SHARED, NAME(count_within_kernel), rows, width,
                      columns, s.strips, s.chunks, static_cast<const REAL *>(X) + j, (REAL)low, (REAL)high, partials);
        if (code == CODE_OK) code = copy_out(c->queue, c->staging, partials, s.chunks * width * sizeof *partials);
        if (code == CODE_OK) code = queue_wait(c->queue);
        if (code != CODE_OK) break;
        const unsigned long long *counted = static_cast<const unsigned long long *>(c->staging);
        for (unsigned k = 0; k < s.chunks; k++)
            for (size_t i = 0; i < width; i++)
                host[j + i] += (size_t)counted[k * width + i];
    }
    return code;
}

/* ---- reductions over all elements ---- */

/* The partial results of `count` blocks, at the start of the scratch memory, as one into host memory. */
template <typename OP, typename T> static int NAME(finish)(struct context *c, unsigned count, T nothing, T *host)
{
    T *partials = static_cast<T *>(c->scratch), *result = partials + PARTIALS_MAX;
    int code = launch(c->queue, 1, BLOCK, REDUCE_SHARED, finish_kernel<OP, T>, count, partials, nothing, result);
    return code == CODE_OK ? context_read(c, result, host, sizeof *host) : code;
}

static int NAME(dot)(size_t n, const void *x, const void *y, double *host)
{
    struct context *c;
    int code = context_get(&c);
    *host = 0;
    if (code != CODE_OK || n == 0) return code;
    unsigned blocks = blocks_to_reduce(n);
    double *partials = static_cast<double *>(c->scratch);
    code = launch(c->queue, blocks, BLOCK, REDUCE_SHARED, NAME(dot_kernel), n, static_cast<const REAL *>(x),
                  static_cast<const REAL *>(y), partials);
    return code == CODE_OK ? NAME(finish)<tree_sum>(c, blocks, 0.0, host) : code;
}

static int NAME(first_outside)(size_t n, const void *x, double low, double high, size_t *host)
{
    struct context *c;
    int code = context_get(&c);
    *host = n;
    if (code != CODE_OK || n == 0) return code;
    unsigned blocks = blocks_to_reduce(n);
    unsigned long long *partials = static_cast<unsigned long long *>(c->scratch), first = n;
    code = launch(c->queue, blocks, BLOCK, REDUCE_SHARED, NAME(first_outside_kernel), n, static_cast<const REAL *>(x),
                  low, high, partials);
    if (code == CODE_OK) code = NAME(finish)<tree_min>(c, blocks, first, &first);
    *host = (size_t)first;
    return code;
}

static int NAME(loss)(enum elementwise_loss l, double a, size_t n, const void *P, const void *T, double *host)
{
    struct context *c;
    int code = l < LOSS_COUNT ? context_get(&c) : CODE_DEVICE;
    *host = 0;
    if (code != CODE_OK || n == 0) return code;
    unsigned blocks = blocks_to_reduce(n);
    double *partials = static_cast<double *>(c->scratch);
    code = launch(c->queue, blocks, BLOCK, REDUCE_SHARED, NAME(loss_kernel), l, (REAL)a, n,
                  static_cast<const REAL *>(P), static_cast<const REAL *>(T), partials);
    return code == CODE_OK ? NAME(finish)<tree_sum>(c, blocks, 0.0, host) : code;
}

/* ---- rows ---- */

static int NAME(softmax)(bool logarithm, size_t rows, size_t columns, const void *X, void *Y)
{
    struct context *c;
    int code = context_get(&c);
    if (code != CODE_OK || rows == 0 || columns == 0) return code;
    struct teams t = teams_of(rows, columns, ROW_BLOCKS_MAX);
    return launch(c->queue, t.blocks, BLOCK, REDUCE_SHARED,
                  t.wide ? NAME(softmax_kernel) < true > : NAME(softmax_kernel) < false >, logarithm, rows, columns,
                  t.width, static_cast<const REAL *>(X), static_cast<REAL *>(Y));
}

static int NAME(softmax_gradient)(bool logarithm, size_t rows, size_t columns, const void *Y, const void *dY, void *dX)
{
    struct context *c;
    int code = context_get(&c);
    if (code != CODE_OK || rows == 0 || columns == 0) return code;
    struct teams t = teams_of(rows, columns, ROW_BLOCKS_MAX);
    return launch(c->queue, t.blocks, BLOCK, REDUCE_SHARED,
                  t.wide ? NAME(softmax_gradient_kernel) < true > : NAME(softmax_gradient_kernel) < false >, logarithm,
                  rows, columns, t.width, static_cast<const REAL *>(Y), static_cast<const REAL *>(dY),
                  static_cast<REAL *>(dX));
}

static int NAME(normalize)(double eps, size_t rows, size_t columns, const void *X, void *Y, void *inverse)
{
    struct context *c;
    int code = context_get(&c);
    if (code != CODE_OK || rows == 0 || columns == 0) return code;
    struct teams t = teams_of(rows, columns, ROW_BLOCKS_MAX);
    return launch(c->queue, t.blocks, BLOCK, REDUCE_SHARED,
                  t.wide ? NAME(normalize_kernel) < true > : NAME(normalize_kernel) < false >, eps, rows, columns,
                  t.width, static_cast<const REAL *>(X), static_cast<REAL *>(Y), static_cast<REAL *>(inverse));
}

static int NAME(normalize_gradient)(size_t rows, size_t columns, const void *Y, const void *inverse, const void *dY,
                                    void *dX)
{
    struct context *c;
    int code = context_get(&c);
    if (code != CODE_OK || rows == 0 || columns == 0) return code;
    struct teams t = teams_of(rows, columns, ROW_BLOCKS_MAX);
    return launch(c->queue, t.blocks, BLOCK, REDUCE_SHARED,
                  t.wide ? NAME(normalize_gradient_kernel) < true > : NAME(normalize_gradient_kernel) < false >, rows,
                  columns, t.width, static_cast<const REAL *>(Y), static_cast<const REAL *>(inverse),
                  static_cast<const REAL *>(dY), static_cast<REAL *>(dX));
}

static int NAME(softmax_cross_entropy)(size_t rows, size_t columns, const void *P, const void *T, double *host)
{
    struct context *c;
    int code = context_get(&c);
    *host = 0;
    if (code != CODE_OK || rows == 0 || columns == 0) return code;
    struct teams t = teams_of(rows, columns, PARTIALS_MAX);
    double *partials = static_cast<double *>(c->scratch);
    code = launch(c->queue, t.blocks, BLOCK, REDUCE_SHARED,
                  t.wide ? NAME(softmax_cross_entropy_kernel) < true > : NAME(softmax_cross_entropy_kernel) < false >,
                  rows, columns, t.width, static_cast<const REAL *>(P), static_cast<const REAL *>(T), partials);
    return code == CODE_OK ? NAME(finish)<tree_sum>(c, t.blocks, 0.0, host) : code;
}

static int NAME(softmax_cross_entropy_gradient)(double scale, size_t rows, size_t columns, const void *P, const void *T,
                                                void *dP)
{
    struct context *c;
    int code = context_get(&c);
    if (code != CODE_OK || rows == 0 || columns == 0) return code;
    struct teams t = teams_of(rows, columns, ROW_BLOCKS_MAX);
    return launch(c->queue, t.blocks, BLOCK, REDUCE_SHARED,
                  t.wide ? NAME(softmax_cross_entropy_gradient_kernel) < true >
                         : NAME(softmax_cross_entropy_gradient_kernel) < false >,
                  scale, rows, columns, t.width, static_cast<const REAL *>(P), static_cast<const REAL *>(T),
                  static_cast<REAL *>(dP));
}

static int NAME(hinge)(size_t rows, size_t columns, const void *P, const void *T, double *host)
{
    struct context *c;
    int code = context_get(&c);
    *host = 0;
    if (code != CODE_OK || rows == 0 || columns == 0) return code;
    struct teams t = teams_of(rows, columns, PARTIALS_MAX);
    double *partials = static_cast<double *>(c->scratch);
    code = launch(c->queue, t.blocks, BLOCK, REDUCE_SHARED,
                  t.wide ? NAME(hinge_kernel) < true > : NAME(hinge_kernel) < false >, rows, columns, t.width,
                  static_cast<const REAL *>(P), static_cast<const REAL *>(T), partials);
    return code == CODE_OK ? NAME(finish)<tree_sum>(c, t.blocks, 0.0, host) : code;
}

static int NAME(hinge_gradient)(double scale, size_t rows, size_t columns, const void *P, const void *T, void *dP)
{
    struct context *c;
    int code = context_get(&c);
    if (code != CODE_OK || rows == 0 || columns == 0) return code;
    struct teams t = teams_of(rows, columns, ROW_BLOCKS_MAX);
    return launch(c->queue, t.blocks, BLOCK, REDUCE_SHARED,
                  t.wide ? NAME(hinge_gradient_kernel) < true > : NAME(hinge_gradient_kernel) < false >, scale, rows,
                  columns, t.width, static_cast<const REAL *>(P), static_cast<const REAL *>(T),
                  static_cast<REAL *>(dP));
}

static void NAME(fill_in)(struct backend *b)
{
    b->device = "cuda";
    b->dtype = DTYPE;
    b->element_size = sizeof(REAL);
    b->smallest = (double)SMALLEST;
    b->allocate = NAME(allocate);
    b->release = NAME(release);
    b->upload = NAME(upload);
    b->download = NAME(download);
    b->gemm = NAME(gemm);
    b->map = NAME(map);
    b->map_gradient = NAME(map_gradient);
    b->add_row = NAME(add_row);
    b->sum_rows = NAME(sum_rows);
    b->softmax = NAME(softmax);
    b->softmax_gradient = NAME(softmax_gradient);
    b->normalize = NAME(normalize);
    b->normalize_gradient = NAME(normalize_gradient);
    b->multiply = NAME(multiply);
    b->multiply_row = NAME(multiply_row);
    b->spread = NAME(spread);
    b->sum_spread = NAME(sum_spread);
    b->binary = NAME(binary);
    b->binary_gradient = NAME(binary_gradient);
    b->choose = NAME(choose);
    b->copy_rows = NAME(copy_rows);
    b->axpby = NAME(axpby);
    b->dot = NAME(dot);
    b->first_outside = NAME(first_outside);
    b->loss = NAME(loss);
    b->loss_gradient = NAME(loss_gradient);
    b->softmax_cross_entropy = NAME(softmax_cross_entropy);
    b->softmax_cross_entropy_gradient = NAME(softmax_cross_entropy_gradient);
    b->hinge = NAME(hinge);
    b->hinge_gradient = NAME(hinge_gradient);
    b->count_within = NAME(count_within);
    b->update = NAME(update);
}
