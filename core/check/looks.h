/* What was handed in, as a second look at it works with it: which tensor it is, its numbers in the layout inside, and
 * what they may be off by. */
#ifndef CORE_CHECK_LOOKS_H
#define CORE_CHECK_LOOKS_H

#include "core/check/report.h"
#include "core/pass/magnitude.h"

/* What float32 gives of a tensor, of its largest element, where it is worth its name. */
#define FLOAT32_OF_LARGEST 1e-5

/* One tensor that was handed in. */
struct look {
    struct entry *entry;
    const struct value *value;
    bool gradient; /* that value's; else the value itself */
    struct view view;
    double *student, *allowed; /* layout inside; looks_import makes them */
    bool float32, whole;       /* all its numbers are float32's; whole ones, which say nothing of it alone */
    bool text;                 /* they are so as text (float32_text.h) */
};

struct looks {
    struct arena *arena;
    const struct check *check;
    const struct pass *pass; /* float64 on the CPU, after backward */
    double products;         /* what the products of two values come to at most, and 1 */
    struct magnitudes magnitudes;
    struct look *list;
    size_t count, graded;   /* those of what is graded come first */
    bool float32;           /* all gradients that say so are float32's */
    bool text;              /* some tensor is so as text */
    struct printed printed; /* what all gradients were printed with (rounded_find) */
    bool whole, zero;       /* all gradients are whole numbers, so that none says so; all of them are zeros */
    struct error *error;
};

/* Lists the report's tensors that match or mismatch. arena, check, pass and error are the caller's. CODE_OUT_OF_MEMORY.
 */
int looks_list(struct looks *l, struct report *report);

/* Their numbers in the layout inside, and room for what they may be off by. CODE_OUT_OF_MEMORY. */
int looks_import(struct looks *l);

/* The pass's numbers for it, of the value's size, and their largest magnitude. */
const double *looks_reference(const struct looks *l, const struct look *look);
double looks_largest(const struct looks *l, const struct look *look);

/* Sets the error and returns it. */
int looks_out_of_memory(struct looks *l);

#endif
