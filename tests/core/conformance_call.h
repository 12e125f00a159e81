/* A call of one primitive: its operands before and after, and the check of a backend against them. */
#ifndef TESTS_CORE_CONFORMANCE_CALL_H
#define TESTS_CORE_CONFORMANCE_CALL_H

#include "tests/core/conformance.h"

enum { OPERANDS_MAX = 5 };

struct operand {
    size_t n;
    double *value; /* before; numbers of the backend's arithmetic */
    double *want;  /* after; the same as before where it is an input */
};

struct call {
    const struct backend *b;
    int (*run)(struct call *call);
    struct operand operands[OPERANDS_MAX];
    size_t count;
    size_t rows, columns, n;
    size_t from_stride, to_stride;
    int which; /* map, loss, whether logarithm, ... */
    double a, scale, low, high;
    const struct update *update;
    const struct broadcast *broadcast;
    const void *layout; /* of core/backend/layouts.h */
    /* what run sees and sets */
    void *p[OPERANDS_MAX];
    double sum;
    size_t offset, *counts;
    /* what is right */
    double floor; /* an error relative to |want| + floor */
    const char *name;
};

/* A new call of n elements or of a matrix. */
struct call call_of(const struct backend *b, const char *name, int (*run)(struct call *), size_t rows, size_t columns);

/* Adds an operand of n numbers of [low, high]; an output where that is empty. */
struct operand *add_operand(struct call *c, size_t n, double low, double high);

/* A few numbers of the kind that naive code gets wrong, at the start, the end and in between. */
void sprinkle(struct operand *o);

/* As the backend's arithmetic holds it. */
double rounded(const struct backend *b, double x);

/* Fails where a number is not the right one, within the call's tolerance. */
void check_same(const struct call *c, double got, double want, const char *what, size_t at);

/* Runs it twice, the second time in another order where the device can: the right numbers, the same bits, and nothing
 * written elsewhere. Frees the operands. */
void conform(struct call *c);

/* ---- sizes ---- */

/* Rows and columns, the longest row of which is taken in two pieces by some, and more rows than a grid may be high. */
enum { SHAPES = 17, SMALL = 4099 };
extern const size_t shapes[SHAPES][2];

/* False for large sizes where small ones alone are tried: under tools with which a kernel takes a thousand times as
 * long. */
bool is_tried(size_t elements);
void set_small_only(void);
void unset_small_only(void);

/* The tests of conformance_rows.c, conformance_broadcast.c and conformance_layouts.c, which conformance_primitives.c
 * puts beside its own. */
void conformance_add_rows(TCase *tcase);
void conformance_add_broadcasts(TCase *tcase);
void conformance_add_layouts(TCase *tcase);

#endif
