/* What may account for one graded tensor alone, collected before the best of it is taken. */
#ifndef CORE_DIAGNOSIS_CANDIDATES_H
#define CORE_DIAGNOSIS_CANDIDATES_H

#include "core/diagnosis/search.h"

/* The variants of a factor on one tensor, and of one on l2's part of it: other kinds than the same factor on the loss.
 */
enum { OF_ONE_TENSOR = 1000, OF_L2 = 2000 };

/* So many numbers of a large tensor are looked at before all of them. */
enum { FEW = 64 };

/* A wrong rule for a tensor on top of which there is another mistake; NULL: there is none. */
struct under {
    const struct mistake *mistake;
    size_t variant;
    const struct node *node; /* as a candidate's */
    unsigned rarer;
};

/* What may account for one tensor alone. */
struct candidate {
    const struct mistake *mistake;
    size_t variant;
    struct match match;
    double factor;           /* NaN where there is none */
    unsigned rarer;          /* added to the mistake's rank */
    bool of_l2, but_l2;      /* it is on l2's part alone; on all but that */
    const struct node *node; /* where it was made, if that is not where the tensor belongs; */
    const struct edge *kept; /* made at all edges to the tensor but this one; NULL: at one place */
    struct under under;
};

enum { CANDIDATES_MAX = 64 };

struct candidates {
    struct search *s;
    const struct node *at;   /* where what is offered now is done; NULL: where the tensor belongs */
    const struct edge *kept; /* of what is offered now, made at all edges but this one; NULL: at one place */
    struct under under;      /* what is offered now is made on top of that */
    size_t p, count;
    struct candidate list[CANDIDATES_MAX];
};

/* None yet, for one tensor. */
void candidates_begin(struct candidates *c, struct search *s, size_t p);

/* One more, if it fits: with a factor, or NaN. By the numbers that it predicts; or by such as nothing was computed for,
 * which are evidence enough where they fit to the last digit. */
void candidates_offer(struct candidates *c, const struct mistake *mistake, size_t variant, struct match match,
                      double factor);
void candidates_offer_numbers(struct candidates *c, const struct mistake *mistake, size_t variant,
                              const double *predicted);
void candidates_offer_plain(struct candidates *c, const struct mistake *mistake, size_t variant, const double *numbers);

/* A wrong rule makes these numbers of a tensor, which do not fit; the right one would make what is predicted: another
 * mistake on top of it, where the budget has room for two; on top of another layout only a factor. Uses `room` and
 * `room_slope`. core/diagnosis/composed.c */
bool candidates_may_compose(const struct candidates *c, const struct mistake *mistake, size_t variant);
void candidates_compose(struct candidates *c, const struct mistake *mistake, size_t variant, unsigned rarer,
                        const double *numbers, const double *predicted);
void candidates_compose_multiple(struct candidates *c, const struct mistake *mistake, size_t variant,
                                 const double *numbers);

/* All numbers multiplied by one; all but l2's part of them. */
void candidates_offer_multiple(struct candidates *c, const double *predicted);
void candidates_offer_multiple_but_l2(struct candidates *c, const double *predicted);

/* The same numbers in other places; in one axis; one for each sample; with another part of l2's, or with one that
 * nobody asked for. */
void candidates_offer_layouts(struct candidates *c, const double *predicted);
void candidates_offer_flattened(struct candidates *c, const double *predicted);
void candidates_offer_stacked(struct candidates *c, const struct step_call *call, const double *predicted);
void candidates_offer_l2(struct candidates *c, const double *predicted);

/* The factor of the least squares fit to a prediction, looking at one number in `stride`; NaN where there is none. */
double candidates_fit(size_t n, size_t stride, const double *student, const double *predicted);

/* Takes the best of them as a choice; false where there is none. */
bool candidates_settle(struct candidates *c);

#endif
