/* What a student hands in: gradients that are right, wrong, half there, or none at all. */
#ifndef TESTS_FUZZ_HANDIN_H
#define TESTS_FUZZ_HANDIN_H

#include "tests/fuzz/reference.h"

enum { HANDED_RANK_MAX = RANK_MAX + 1 };

struct handed {
    bool absent;
    const char *token; /* written in place of numbers; NULL where there are some */
    bool laid_out;     /* the numbers are of the parameter's own shape; else of `dim` */
    size_t rank, dim[HANDED_RANK_MAX];
    double at[ELEMENTS_MAX];
    const char *verdict; /* that it must get; NULL where that depends on the numbers */
    bool graded;         /* it is in the report: data's gradient is where it is handed in, or worth something */
};

struct handin {
    struct handed tensors[TENSORS_MAX]; /* by parameter */
    const char *instead;                /* what is handed in in place of an object; NULL where there is one */
    unsigned alias;                     /* by which of its names a gradient is called */
    unsigned extra;                     /* names that nobody asked for */
    unsigned values;                    /* intermediates: 0 none, 1 the right ones, 2 some of them wrong */
    uint64_t seed;                      /* of which are wrong */
    bool reveal, silent;                /* silent: "diagnose": false */
    bool right;                         /* all of it */
};

/* Rolls what becomes of the right gradients. `other` is another reference, of the same sizes, that may be handed in
 * whole instead; NULL where there is none. */
void handin_roll(struct dice *dice, const struct assignment *assignment, const struct reference *reference,
                 const struct reference *other, struct handin *handin);

/* The members gradients, intermediates, reveal and diagnose of a request, into an open object. */
void handin_write(struct text *text, const struct assignment *assignment, const struct reference *reference,
                  const struct handin *handin);

#endif
