/* What the subscripts of an array mean: which of its elements, in which shape. */
#ifndef CORE_LANGUAGE_SELECTION_H
#define CORE_LANGUAGE_SELECTION_H

#include "core/language/arrays.h"

/* The subscripts of an array: a view of it by its integers, slices and new axes; and, of that view, axes next to each
 * other that integer arrays pick from, or a mask over some. */
struct selection {
    struct array_view view;
    size_t first, count;                        /* of the view's axes that arrays pick from; 0 where there are none */
    size_t axes[LANGUAGE_RANK_MAX], axis_count; /* all of these, while they may stand apart */
    struct array *picks[LANGUAGE_RANK_MAX];
    struct array *mask; /* over the view's axes from `first` on; NULL without */
};

/* Which of `count` an index means; negative ones count from the end. */
int selection_index(struct evaluation *e, const struct thing *thing, size_t count, size_t *index);

/* A slice of `count`: where it begins, how it goes on, and how many it has; Python's rules. */
int selection_slice(struct evaluation *e, const struct thing *slice, size_t count, size_t *start, ptrdiff_t *step,
                    size_t *taken);

/* What the subscripts mean. Picks are as they were given. */
int selection_find(struct evaluation *e, const struct array *array, const struct thing *subscripts, size_t count,
                   struct selection *s);

/* All that pick, broadcast to one shape; those whose numbers are known are checked. */
int selection_align(struct evaluation *e, struct selection *s);

/* Whether the mask has the shape of the axes that it covers; a fault where it has not. */
int selection_check_mask(struct evaluation *e, const struct selection *s);

/* The mask as one index into the axes that it covers, put into one: that is the only pick then. */
int selection_pick_mask(struct evaluation *e, struct selection *s);

/* The view's shape with the axes that the mask covers put into one. */
struct shape selection_fold(const struct selection *s);

#endif
