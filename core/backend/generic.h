/* The optional primitives of core/backend/backend.h for every backend: its own, or, where it has none, the CPU's in
 * float64 on what is downloaded, of which the result is uploaded. */
#ifndef CORE_BACKEND_GENERIC_H
#define CORE_BACKEND_GENERIC_H

#include "core/backend/backend.h"

int backend_view_read(const struct backend *b, const struct strided *view, const void *from, void *to);
int backend_view_write(const struct backend *b, const struct strided *view, const void *from, void *to);
int backend_view_add(const struct backend *b, const struct strided *view, const void *from, void *to);
int backend_view_fill(const struct backend *b, const struct strided *view, double value, void *to);

/* n elements set to a value, whatever stood there: with axpby a NaN would stay one. */
int backend_fill(const struct backend *b, size_t n, double value, void *to);

int backend_copy(const struct backend *b, size_t n, const void *from, void *to);

int backend_index_read(const struct backend *b, const struct indexed *indexed, const void *const *index,
                       const void *from, void *to);
int backend_index_write(const struct backend *b, const struct indexed *indexed, const void *const *index,
                        const void *from, void *to);
int backend_index_add(const struct backend *b, const struct indexed *indexed, const void *const *index,
                      const void *from, void *to);
int backend_index_take(const struct backend *b, const struct indexed *indexed, const void *const *index, void *from,
                       void *to);
int backend_first_no_index(const struct backend *b, size_t n, const void *x, size_t dim, size_t *host);

int backend_fold(const struct backend *b, enum fold f, double a, const struct rows_of_fold *rows, const void *x,
                 void *y);
int backend_fold_gradient(const struct backend *b, enum fold f, double a, const struct rows_of_fold *rows,
                          const void *x, const void *y, const void *dy, void *dx);
int backend_cumsum(const struct backend *b, bool backwards, const struct rows_of_fold *rows, const void *x, void *y);

#endif
