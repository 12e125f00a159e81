/* Arrays of a program, and what is done to them: by ops, at once where all numbers are known, else in the graph. */
#ifndef CORE_LANGUAGE_ARRAYS_H
#define CORE_LANGUAGE_ARRAYS_H

#include "core/language/state.h"

/* Elements of an array in other places: of each axis its length, how many elements one step is; and where the first
 * is. */
struct array_view {
    struct shape shape;
    ptrdiff_t stride[TENSOR_RANK_MAX];
    size_t offset;
};

/* An array of that shape whose numbers are known: *numbers is for the caller to fill in. */
int array_known(struct evaluation *e, const struct shape *shape, enum number_type type, struct array **array,
                double **numbers);

/* A value that the graph is given. `numbers` may be NULL. */
struct array *array_given(struct evaluation *e, struct value *value, enum number_type type, const double *numbers);

/* An op's output for these inputs. Where one of them was not known, a node of the graph, standing at e->spot. `numbers`
 * are copied: the op's (an elementary one's), or its attributes. */
int array_apply(struct evaluation *e, const struct op *op, const double *numbers, size_t number_count,
                struct array *const *inputs, size_t count, enum number_type type, struct array **array);

/* The same where one of the inputs has no elements: the output has none either, or is a sum or product of none.
 * CODE_PROGRAM_ERROR otherwise. (empty.c) */
int array_apply_empty(struct evaluation *e, const struct op *op, const double *numbers, size_t number_count,
                      struct array *const *inputs, size_t count, enum number_type type, struct array **array);

/* The same by the name of an elementary op. */
int array_op(struct evaluation *e, const char *op, const double *numbers, size_t number_count,
             struct array *const *inputs, size_t count, enum number_type type, struct array **array);

/* What a number, an array, or nested lists of these are as an array. CODE_PROGRAM_ERROR where something else is.
 * (from_things.c) */
int array_of(struct evaluation *e, const struct thing *thing, struct array **array);

/* One more write over what is there, or, with `adds`, added to it: *result is the array with it. What was written
 * before stays a list until somebody reads it. */
int array_write_view(struct evaluation *e, struct array *array, const struct array_view *view, bool adds,
                     struct array *what, struct array **result);

/* Puts together what was written into it, so that it has numbers or a value. */
int array_settle(struct evaluation *e, const struct array *array);

/* What a view of an array is that something was written into and that has not been put together: found among what was
 * written last, or in what lay under it; *result is NULL where it has to be put together first. (writes.c) */
int array_find_written(struct evaluation *e, const struct array *array, const struct array_view *view,
                       struct array **result);

/* Makes *part, which was read from a view of an array, one that is written into that, while somebody looks on: a view
 * of the array, or of what this is a view of. (sharing.c) */
int array_share_view(struct evaluation *e, struct array *array, const struct array_view *view, struct array **part);

/* Whether two views of one array have no element in common; false where that is not found out. (writes.c) */
bool array_views_are_apart(const struct array_view *a, const struct array_view *b);

/* Whether a gradient may come back to it: it depends on what is graded. */
int array_has_gradient(struct evaluation *e, const struct array *array, bool *has);

/* Its value in the graph, which is given its numbers where it had none. */
int array_value(struct evaluation *e, struct array *array, struct value **value);

/* The same elements in another shape of as many; along other axes (axis i of the result is axes[i]); a view (its shape,
 * strides and offset); repeated to a shape. */
int array_reshape(struct evaluation *e, struct array *array, const struct shape *shape, struct array **result);
int array_permute(struct evaluation *e, struct array *array, const size_t *axes, struct array **result);

/* Its axes the other way round; two of them exchanged; one taken out and put in where another is. */
int array_turn(struct evaluation *e, struct array *array, struct array **result);
int array_swap_axes(struct evaluation *e, struct array *array, size_t one, size_t other, struct array **result);
int array_move_axis(struct evaluation *e, struct array *array, size_t from, size_t to, struct array **result);

/* The same numbers, through which no gradient comes back. */
int array_detach(struct evaluation *e, struct array *array, struct array **result);

int array_read_view(struct evaluation *e, struct array *array, const struct array_view *view, struct array **result);
/* A view as an op's numbers: rank, dimensions, strides, offset. How many they are. */
enum { ARRAY_VIEW_NUMBERS = 2 + 2 * TENSOR_RANK_MAX };
size_t array_view_numbers(const struct array_view *view, double *numbers);
/* The view that an array is of itself. */
struct array_view array_whole(const struct shape *shape);
int array_broadcast(struct evaluation *e, struct array *array, const struct shape *shape, struct array **result);

/* The shape of two that are broadcast to each other; false where they cannot. */
bool array_common_shape(const struct shape *a, const struct shape *b, struct shape *common);

#endif
