#include "core/backend/generic.h"

#include <stdint.h>

#include "core/base/error.h"

/* ---- copies in host memory ---- */

/* Those of one call, and whether they could be made. */
struct copies {
    const struct backend *backend, *host; /* the device's, and the CPU's in float64 */
    struct arena arena;
    int code;
};

static struct copies copies_begin(const struct backend *backend)
{
    struct copies c = {.backend = backend, .host = backend_cpu(DTYPE_FLOAT64), .code = CODE_OK};
    arena_init(&c.arena, SIZE_MAX);
    return c;
}

/* Room for n numbers; NULL where a call has failed. */
static double *copies_room(struct copies *c, size_t n)
{
    double *room = c->code == CODE_OK ? arena_doubles(&c->arena, n) : NULL;
    if (c->code == CODE_OK && room == NULL) c->code = CODE_OUT_OF_MEMORY;
    return room;
}

static double *copies_of(struct copies *c, size_t n, const void *from)
{
    double *copy = copies_room(c, n);
    if (copy != NULL) c->code = c->backend->download(n, from, copy);
    return copy;
}

/* What `code` says, and where it is well, n numbers to the device. */
static void copies_back(struct copies *c, int code, size_t n, const double *copy, void *to)
{
    c->code = code == CODE_OK ? c->backend->upload(n, copy, to) : code;
}

static int copies_end(struct copies *c)
{
    arena_free(&c->arena);
    return c->code;
}

static void *at(const struct backend *b, const void *memory, size_t elements)
{
    return (char *)memory + elements * b->element_size;
}

/* ---- views ---- */

int backend_view_read(const struct backend *b, const struct strided *view, const void *from, void *to)
{
    if (b->view_read != NULL) return b->view_read(view, from, to);
    struct copies c = copies_begin(b);
    struct strided there = *view;
    size_t first, span, n = view_elements(view);
    view_span(view, &first, &span);
    there.offset -= first;
    double *x = copies_of(&c, span, at(b, from, first)), *y = copies_room(&c, n);
    if (c.code == CODE_OK) copies_back(&c, c.host->view_read(&there, x, y), n, y, to);
    return copies_end(&c);
}

/* Into a view of `to` what `put` makes of it and of `from`, or of a value. */
static int put_in_view(const struct backend *b, const struct strided *view, const void *from, double value,
                       int (*put)(const struct strided *view, const void *from, void *to), void *to)
{
    struct copies c = copies_begin(b);
    struct strided there = *view;
    size_t first, span;
    view_span(view, &first, &span);
    there.offset -= first;
    double *x = put != NULL ? copies_of(&c, view_elements(view), from) : NULL;
    double *y = copies_of(&c, span, at(b, to, first));
    if (c.code == CODE_OK)
        copies_back(&c, put != NULL ? put(&there, x, y) : c.host->view_fill(&there, value, y), span, y,
                    at(b, to, first));
    return copies_end(&c);
}

int backend_view_write(const struct backend *b, const struct strided *view, const void *from, void *to)
{
    if (b->view_write != NULL) return b->view_write(view, from, to);
    return put_in_view(b, view, from, 0, backend_cpu(DTYPE_FLOAT64)->view_write, to);
}

int backend_view_add(const struct backend *b, const struct strided *view, const void *from, void *to)
{
    if (b->view_add != NULL) return b->view_add(view, from, to);
    return put_in_view(b, view, from, 0, backend_cpu(DTYPE_FLOAT64)->view_add, to);
}

int backend_view_fill(const struct backend *b, const struct strided *view, double value, void *to)
{
    if (b->view_fill != NULL) return b->view_fill(view, value, to);
    return put_in_view(b, view, NULL, value, NULL, to);
}

int backend_fill(const struct backend *b, size_t n, double value, void *to)
{
    enum { CHUNK = 512 };
    if (b->view_fill != NULL) return b->view_fill(&(struct strided){.rank = 1, .dim = {n}, .stride = {1}}, value, to);
    double values[CHUNK];
    int code = CODE_OK;
    for (size_t i = 0; i < CHUNK; i++)
        values[i] = value;
    for (size_t i = 0; code == CODE_OK && i < n; i += CHUNK)
        code = b->upload(n - i < CHUNK ? n - i : CHUNK, values, at(b, to, i));
    return code;
}

int backend_copy(const struct backend *b, size_t n, const void *from, void *to)
{
    return b->copy_rows(1, n, n, from, n, to);
}

/* ---- what indices name ---- */

/* Elements of a list of indices; of what is read or written; of the whole tensor. */
static size_t list_of(const struct indexed *ix)
{
    return ix->along ? ix->outer * ix->count * ix->inner : ix->count;
}

static size_t part_of(const struct indexed *ix)
{
    return ix->outer * ix->count * ix->inner;
}

static size_t whole_of(const struct indexed *ix)
{
    return ix->outer * indexed_length(ix) * ix->inner;
}

static void copies_of_lists(struct copies *c, const struct indexed *ix, const void *const *index,
                            const void *lists[INDEXED_AXES_MAX])
{
    for (size_t axis = 0; axis < ix->axes; axis++)
        lists[axis] = copies_of(c, list_of(ix), index[axis]);
}

int backend_index_read(const struct backend *b, const struct indexed *ix, const void *const *index, const void *from,
                       void *to)
{
    if (b->index_read != NULL) return b->index_read(ix, index, from, to);
    struct copies c = copies_begin(b);
    const void *lists[INDEXED_AXES_MAX];
    copies_of_lists(&c, ix, index, lists);
    double *x = copies_of(&c, whole_of(ix), from), *y = copies_room(&c, part_of(ix));
    if (c.code == CODE_OK) copies_back(&c, c.host->index_read(ix, lists, x, y), part_of(ix), y, to);
    return copies_end(&c);
}

/* Into what is named of `to`, by the CPU's function for it. */
static int put_at_index(const struct backend *b, const struct indexed *ix, const void *const *index, const void *from,
                        int (*put)(const struct indexed *, const void *const *, const void *, void *), void *to)
{
    struct copies c = copies_begin(b);
    const void *lists[INDEXED_AXES_MAX];
    copies_of_lists(&c, ix, index, lists);
    double *x = copies_of(&c, part_of(ix), from), *y = copies_of(&c, whole_of(ix), to);
    if (c.code == CODE_OK) copies_back(&c, put(ix, lists, x, y), whole_of(ix), y, to);
    return copies_end(&c);
}

int backend_index_write(const struct backend *b, const struct indexed *ix, const void *const *index, const void *from,
                        void *to)
{
    if (b->index_write != NULL) return b->index_write(ix, index, from, to);
    return put_at_index(b, ix, index, from, backend_cpu(DTYPE_FLOAT64)->index_write, to);
}

int backend_index_add(const struct backend *b, const struct indexed *ix, const void *const *index, const void *from,
                      void *to)
{
    if (b->index_add != NULL) return b->index_add(ix, index, from, to);
    return put_at_index(b, ix, index, from, backend_cpu(DTYPE_FLOAT64)->index_add, to);
}

int backend_index_take(const struct backend *b, const struct indexed *ix, const void *const *index, void *from,
                       void *to)
{
    if (b->index_take != NULL) return b->index_take(ix, index, from, to);
    struct copies c = copies_begin(b);
    const void *lists[INDEXED_AXES_MAX];
    copies_of_lists(&c, ix, index, lists);
    double *x = copies_of(&c, whole_of(ix), from), *y = copies_room(&c, part_of(ix));
    if (c.code == CODE_OK) copies_back(&c, c.host->index_take(ix, lists, x, y), part_of(ix), y, to);
    if (c.code == CODE_OK) copies_back(&c, CODE_OK, whole_of(ix), x, from);
    return copies_end(&c);
}

int backend_first_no_index(const struct backend *b, size_t n, const void *from, size_t dim, size_t *host)
{
    if (b->first_no_index != NULL) return b->first_no_index(n, from, dim, host);
    struct copies c = copies_begin(b);
    double *x = copies_of(&c, n, from);
    if (c.code == CODE_OK) c.code = c.host->first_no_index(n, x, dim, host);
    return copies_end(&c);
}

/* ---- along an axis ---- */

int backend_fold(const struct backend *b, enum fold f, double a, const struct rows_of_fold *rows, const void *from,
                 void *to)
{
    if (b->fold != NULL) return b->fold(f, a, rows, from, to);
    struct copies c = copies_begin(b);
    size_t made = rows->outer * rows->inner, n = made * rows->n;
    double *x = copies_of(&c, n, from), *y = copies_room(&c, made);
    if (c.code == CODE_OK) copies_back(&c, c.host->fold(f, a, rows, x, y), made, y, to);
    return copies_end(&c);
}

int backend_fold_gradient(const struct backend *b, enum fold f, double a, const struct rows_of_fold *rows,
                          const void *from, const void *result, const void *upstream, void *to)
{
    if (b->fold_gradient != NULL) return b->fold_gradient(f, a, rows, from, result, upstream, to);
    struct copies c = copies_begin(b);
    size_t made = rows->outer * rows->inner, n = made * rows->n;
    double *x = copies_of(&c, n, from), *y = copies_of(&c, made, result), *dy = copies_of(&c, made, upstream),
           *dx = copies_room(&c, n);
    if (c.code == CODE_OK) copies_back(&c, c.host->fold_gradient(f, a, rows, x, y, dy, dx), n, dx, to);
    return copies_end(&c);
}

int backend_cumsum(const struct backend *b, bool backwards, const struct rows_of_fold *rows, const void *from, void *to)
{
    if (b->cumsum != NULL) return b->cumsum(backwards, rows, from, to);
    struct copies c = copies_begin(b);
    size_t n = rows->outer * rows->n * rows->inner;
    double *x = copies_of(&c, n, from), *y = copies_room(&c, n);
    if (c.code == CODE_OK) copies_back(&c, c.host->cumsum(backwards, rows, x, y), n, y, to);
    return copies_end(&c);
}
