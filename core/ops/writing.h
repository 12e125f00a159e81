/* What ops share that write their formulas themselves: op->write. */
#ifndef CORE_OPS_WRITING_H
#define CORE_OPS_WRITING_H

#include "core/backend/generic.h"
#include "core/ops/op.h"

enum { WRITING_NUMBER = 32 };

/* The shortest decimal that reads back as the same number; returns text, of WRITING_NUMBER bytes. */
const char *writing_number(double number, char *text);

/* The template; false where it is too long. */
bool writing_put(struct op_writing *writing, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "(3, 4)"; text has WRITING_MAX / 2 bytes. False where it is too long, as below. */
bool writing_shape(const struct shape *shape, char *text);

/* `what`, of one shape, in another of as many elements: "{x}[:, None]", "{x}.reshape((3, 4))"; itself where both are
 * the same. */
bool writing_reshape(struct op_writing *writing, const char *what, const struct shape *from, const struct shape *to);

/* So many slices, ":, :, ", in front of a subscript for the axis behind them; text has WRITING_MAX / 4 bytes. */
bool writing_slices(size_t axis, char *text);

/* What stands between the brackets where lists of indices, {i}, are for the axes from one on: ":, {i}". */
bool writing_index(size_t first, char *text);

/* Whether a view is its tensor, of that shape, with the axes in another order: axis i of it is axes[i]. And `what` with
 * its axes in that order, or, with back, from that order: "{x}.T". */
bool writing_order(const struct strided *view, const struct shape *of, size_t *axes);
bool writing_transposed(struct op_writing *writing, const char *what, size_t rank, const size_t *axes, bool back);

/* Whether a view repeats its tensor as NumPy does where shapes differ. */
bool writing_is_broadcast(const struct strided *view, const struct shape *of);

/* The subscripts by which a view is taken of a tensor, "[:, 1:3]", nothing where it is the whole; false where there are
 * none, as of windows. text has WRITING_MAX / 2 bytes. */
bool writing_place(const struct strided *view, const struct shape *of, char *text);

#endif
