#include "core/graph/names.h"

#include <string.h>

const char *const convention_names[] = {"numpy", "pytorch", "columns", NULL};

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

const char *convention_name(enum convention convention, const struct network *network, size_t parameter,
                            struct arena *arena)
{
    const struct parameter *p = &network->parameters[parameter];
    const char *layer = network->nodes[p->node].layer->name;
    char number[DIGITS_MAX];
    if (convention != CONVENTION_PYTORCH) return join(arena, p->role->symbol, digits(p->number, number), "");
    return join(arena, layer != NULL ? layer : digits(p->node, number), ".", p->role->member);
}

size_t convention_gradient_names(enum convention convention, const char *name, struct arena *arena,
                                 const char *names[GRADIENT_NAMES_MAX])
{
    size_t count = 0;
    if (convention == CONVENTION_PYTORCH) {
        names[count++] = join(arena, name, ".grad", "");
    } else {
        names[count++] = join(arena, "d", name, "");
        names[count++] = join(arena, "dL_d", name, "");
    }
    names[count++] = name;
    for (size_t i = 0; i < count; i++)
        if (names[i] == NULL) return 0;
    return count;
}

struct view convention_parameter(enum convention convention, const struct parameter *parameter)
{
    struct view view = {.shape = parameter->shape, .rows = 1, .columns = parameter->size};
    if (!parameter->role->weight) {
        view.bias = true;
        return view;
    }
    view.rows = parameter->shape.dim[0];
    view.columns = parameter->size / view.rows;
    if (convention != CONVENTION_NUMPY) {
        view.transposed = true;
        view.shape = shape_of(2, (size_t[]){view.columns, view.rows});
    }
    return view;
}

struct view convention_samples(enum convention convention, size_t batch, const struct shape *sample)
{
    struct view view = {.rows = batch, .columns = op_elements(sample)};
    view.transposed = convention == CONVENTION_COLUMNS;
    view.shape.rank = sample->rank + 1;
    size_t first = view.transposed ? 0 : 1;
    view.shape.dim[view.transposed ? sample->rank : 0] = batch;
    memcpy(view.shape.dim + first, sample->dim, sample->rank * sizeof sample->dim[0]);
    return view;
}

bool view_accepts(const struct view *view, enum convention convention, const struct shape *shape)
{
    if (shape_equal(&view->shape, shape)) return true;
    if (!view->bias || shape->rank != 2) return false;
    size_t n = view->columns;
    return (shape->dim[0] == 1 && shape->dim[1] == n) ||
           (convention == CONVENTION_COLUMNS && shape->dim[0] == n && shape->dim[1] == 1);
}

void view_import(const struct view *view, const double *from, double *to)
{
    if (view->transposed)
        tensor_transpose(view->columns, view->rows, from, to);
    else
        memcpy(to, from, view->rows * view->columns * sizeof *to);
}

void view_export(const struct view *view, const double *from, double *to)
{
    if (view->transposed)
        tensor_transpose(view->rows, view->columns, from, to);
    else
        memcpy(to, from, view->rows * view->columns * sizeof *to);
}
