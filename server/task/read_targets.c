#include "server/task/read_targets.h"

#include <stdio.h>
#include <string.h>

#include "server/limits.h"

/* Whether that is text, or arrays with text at the bottom. */
static bool holds_text(const json_t *value)
{
    while (json_is_array(value) && json_array_size(value) > 0)
        value = json_array_get(value, 0);
    return json_is_string(value);
}

static bool takes_classes(const struct op *loss)
{
    return loss->target == TARGET_CLASSES || loss->target == TARGET_CLASSES_OR_SOFT;
}

/* Whether that is one label per sample: [batch], or a column of them. */
static bool is_labels(const struct problem_set *set, const struct shape *y)
{
    size_t batch = set->batch;
    bool columns = set->problem.convention == CONVENTION_COLUMNS;
    const struct shape inside = shape_of(1, &batch);
    struct view view = convention_samples(CONVENTION_NUMPY, &inside);
    if (view_accepts(&view, set->problem.loose, y)) return true;
    return y->rank == 2 && y->dim[columns] == batch && y->dim[!columns] == 1;
}

/* Whether that is shaped as the output, or has one number per sample where the output has one. */
static bool is_like_output(const struct problem_set *set, const struct view *view, const struct shape *y)
{
    if (view_accepts(view, set->problem.loose, y)) return true;
    return y->rank == 1 && y->dim[0] == set->batch && view->size == set->batch;
}

/* Whether every number could be a class of so many. */
static bool could_be_classes(const struct tensor *y, size_t classes)
{
    for (size_t i = 0; i < y->size; i++)
        if (!(y->data[i] >= 0 && y->data[i] < (double)classes && y->data[i] == (double)(size_t)y->data[i]))
            return false;
    return true;
}

/* What to do where the one is given and the other is needed; "" where it is neither. */
static void advise(const struct problem_set *set, const struct tensor *y, bool classes, const struct view *like_output,
                   char *advice, size_t room)
{
    enum convention convention = set->problem.convention;
    size_t outputs = like_output->size / set->batch;
    advice[0] = '\0';
    if (classes && shape_equal(&y->shape, &like_output->shape))
        snprintf(advice, room, ": one-hot rows? give their indices, y.argmax(%s)",
                 convention == CONVENTION_PYTORCH   ? "dim=1"
                 : convention == CONVENTION_COLUMNS ? "axis=0"
                                                    : "axis=1");
    else if (!classes && !takes_classes(set->definition.loss.op) && outputs > 1 && is_labels(set, &y->shape) &&
             could_be_classes(y, outputs))
        snprintf(advice, room, ": class indices? give one-hot %s, np.eye(%zu)[y]%s",
                 convention == CONVENTION_COLUMNS ? "columns" : "rows", outputs,
                 convention == CONVENTION_COLUMNS ? ".T" : "");
}

static int shape_error(struct members *r, const struct problem_set *set, const struct tensor *y, bool classes,
                       const struct view *like_output)
{
    const struct op *loss = set->definition.loss.op;
    struct shape indices = shape_of(1, &set->batch);
    char got[SHAPE_TEXT_MAX], need[SHAPE_TEXT_MAX], advice[128];
    const char *kind = loss->target == TARGET_CLASSES_OR_SOFT ? " (probabilities), or one class index per sample"
                       : classes                              ? " (one class index per sample)"
                                                              : "";
    advise(set, y, classes, like_output, advice, sizeof advice);
    return error_set(r->error, CODE_SHAPE_MISMATCH, "data.%s has shape %s, the loss %s needs %s%s%s",
                     set->network.target->name, shape_text(&y->shape, got), loss->name,
                     shape_text(classes ? &indices : &like_output->shape, need), kind, advice);
}

static int read_numbers(struct members *r, const struct tensor *y, struct problem_set *set)
{
    const struct value *target = set->network.target;
    struct view view = convention_samples(set->problem.convention, &target->shape);
    bool like = is_like_output(set, &view, &y->shape), labels = is_labels(set, &y->shape);
    enum target kind = set->definition.loss.op->target;
    /* Of one class a row of probabilities is a column, and that it is: as labels both could only be 0. */
    bool classes = kind == TARGET_CLASSES ||
                   (kind == TARGET_CLASSES_OR_SOFT && (y->shape.rank == 1 ? labels || !like : labels && !like));
    if (!(classes ? labels : like)) return shape_error(r, set, y, classes, &view);
    double *numbers = set->problem.given[target->index] = arena_doubles(r->arena, target->size);
    if (numbers == NULL) return members_out_of_memory(r);
    if (classes) return network_classes(&set->network, y->data, numbers, r->error);
    view_import(&view, y->data, numbers);
    return CODE_OK;
}

int read_targets(struct members *r, const json_t *data, struct problem_set *set)
{
    const char *name = set->network.target->name;
    const struct op *loss = set->definition.loss.op;
    const struct tensor *y;
    if (holds_text(json_object_get(data, name))) {
        error_set(r->error, CODE_WRONG_TYPE, "data.%s holds strings: %s", name,
                  takes_classes(loss)
                      ? "give each class a number, 0 for the first one (np.unique(y, return_inverse=True)[1])"
                      : "it must be an array of numbers");
        return error_at(r->error, name);
    }
    if (members_tensor_or_number(r, data, name, &y) != CODE_OK) return r->error->code;
    if (y->shape.rank == 0 && set->batch > 1) return members_bare_number(r, name);
    return read_numbers(r, y, set) == CODE_OK ? CODE_OK : error_at(r->error, name);
}
