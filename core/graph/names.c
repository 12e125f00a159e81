#include "core/graph/names.h"

#include <string.h>

const char *const convention_names[] = {"numpy", "pytorch", "columns", "numpy_out_in", NULL};

/* Three strings in a row, from the arena; NULL when memory is short. (By hand: with OpenBLAS comes
 * libquadmath, whose hook makes every printf of the process several times slower, and this runs for every
 * parameter of every check.) */
static char *join(struct arena *arena, const char *a, const char *b, const char *c)
{
    size_t an = strlen(a), bn = strlen(b), cn = strlen(c);
    char *text = arena_alloc(arena, an + bn + cn + 1);
    if (text == NULL) return NULL;
    memcpy(text, a, an);
    memcpy(text + an, b, bn);
    memcpy(text + an + bn, c, cn + 1);
    return text;
}

enum { DIGITS_MAX = 24 };

/* The digits of a number, at the end of a buffer of DIGITS_MAX. */
static const char *digits(size_t number, char *buffer)
{
    char *at = &buffer[DIGITS_MAX - 1];
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return at;
}

const char *convention_name(enum convention convention, const struct network *network, size_t graded,
                            struct arena *arena)
{
    const struct graded *g = &network->graded[graded];
    if (g->slot == NULL) return g->value->name;
    const char *layer = network->definition->layers[g->layer].name;
    char number[DIGITS_MAX];
    if (convention != CONVENTION_PYTORCH) return join(arena, g->slot->symbol, digits(g->number, number), "");
    return join(arena, layer != NULL ? layer : digits(g->layer, number), ".", g->slot->member);
}

/* ---- views ---- */

static struct view view_of(const struct shape *inside, const unsigned char *axes)
{
    struct view view;
    view.inside = inside;
    view.same = true;
    view.size = op_elements(inside);
    view.vector = false;
    view.shape.rank = inside->rank;
    for (size_t i = 0; i < inside->rank && i < TENSOR_RANK_MAX; i++) {
        view.axes[i] = axes != NULL ? axes[i] : (unsigned char)i;
        view.shape.dim[i] = inside->dim[view.axes[i]];
        view.same = view.same && view.axes[i] == i;
    }
    return view;
}

static enum layout layout_of(enum convention convention)
{
    static const enum layout layouts[] = {[CONVENTION_NUMPY] = LAYOUT_NUMPY,
                                          [CONVENTION_PYTORCH] = LAYOUT_PYTORCH,
                                          [CONVENTION_COLUMNS] = LAYOUT_COLUMNS,
                                          /* x @ W.T + b, samples in rows: PyTorch's under NumPy's names */
                                          [CONVENTION_NUMPY_OUT_IN] = LAYOUT_PYTORCH};
    return layouts[convention];
}

struct view convention_graded(enum convention convention, const struct graded *graded)
{
    if (graded->slot == NULL) return convention_samples(convention, &graded->value->shape);
    const unsigned char *axes = graded->slot->axes[layout_of(convention)];
    bool moved = graded->value->shape.rank > 1 && (axes[0] != 0 || axes[1] != 0);
    struct view view = view_of(&graded->value->shape, moved ? axes : NULL);
    view.vector = view.shape.rank == 1;
    return view;
}

struct view convention_samples(enum convention convention, const struct shape *whole)
{
    unsigned char axes[TENSOR_RANK_MAX] = {0};
    for (size_t i = 0; i < whole->rank && i < TENSOR_RANK_MAX; i++)
        axes[i] = (unsigned char)(i + 1 < whole->rank ? i + 1 : 0);
    return view_of(whole, convention == CONVENTION_COLUMNS ? axes : NULL);
}

/* Whether two shapes differ in axes of length 1 alone. */
static bool equal_but_ones(const struct shape *a, const struct shape *b)
{
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a->rank && a->dim[i] == 1)
            i++;
        while (k < b->rank && b->dim[k] == 1)
            k++;
        if (i == a->rank || k == b->rank) return i == a->rank && k == b->rank;
        if (a->dim[i++] != b->dim[k++]) return false;
    }
}

bool view_accepts(const struct view *view, bool loose, const struct shape *shape)
{
    if (shape_equal(&view->shape, shape)) return true;
    if (shape->rank == 0) return view->size == 1;
    if (loose) return equal_but_ones(&view->shape, shape);
    if (!view->vector || shape->rank != 2) return false;
    return (shape->dim[0] == 1 && shape->dim[1] == view->size) || (shape->dim[0] == view->size && shape->dim[1] == 1);
}

void view_import(const struct view *view, const double *from, double *to)
{
    if (view->same)
        memcpy(to, from, view->size * sizeof *to);
    else
        tensor_permute(view->inside, view->axes, true, from, to);
}

void view_export(const struct view *view, const double *from, double *to)
{
    if (view->same)
        memcpy(to, from, view->size * sizeof *to);
    else
        tensor_permute(view->inside, view->axes, false, from, to);
}

size_t view_offset(const struct view *view, size_t inside)
{
    size_t index[TENSOR_RANK_MAX], offset = 0;
    if (view->same) return inside;
    shape_index(view->inside, inside, index);
    for (size_t i = 0; i < view->shape.rank; i++)
        offset = offset * view->shape.dim[i] + index[view->axes[i]];
    return offset;
}
