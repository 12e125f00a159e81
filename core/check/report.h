/* What is to be checked, and what comes of it. */
#ifndef CORE_CHECK_REPORT_H
#define CORE_CHECK_REPORT_H

#include "core/check/claims.h"
#include "core/check/compare.h"
#include "core/check/printed.h"
#include "core/pass/differences.h"

/* Unexpected names that a report lists. */
enum { CHECK_UNEXPECTED_MAX = 1000 };

/* The longest side of a matrix whose wrong elements are marked, and the elements that are marked in one report. */
enum { CHECK_MARKED_SIDE_MAX = 64, CHECK_MARKED_MAX = 1 << 20 };

/* What is to be checked. Everything belongs to the caller, in one arena with the report. */
struct check {
    struct problem problem;
    const double *points; /* by graded: what it is worth */
    struct submissions gradients, intermediates;
    struct tolerance_rule tolerance;
    bool any_subgradient; /* at kinks what either side gives passes; else the convention's alone */
    bool accept_rounded;  /* what is right to the digits that it was printed with passes */
    double carry;         /* what part of its points an entry gets that is wrong only by what came in; 0: none */
    bool reveal;          /* entries carry the reference */
    bool verify_reference;
    bool numeric; /* entries carry the central differences */
    bool mark;    /* entries of small matrices that do not match say which elements are wrong */
    bool brief;   /* nothing that takes more than CHECK_BRIEF_OPERATIONS is tried (report->postponed) */
};

/* A few milliseconds. */
#define CHECK_BRIEF_OPERATIONS 4e6

enum verdict {
    VERDICT_MATCH,
    VERDICT_MISMATCH,
    VERDICT_MISSING,
    VERDICT_SHAPE_MISMATCH,
    VERDICT_NOT_FINITE,
    VERDICT_NOT_A_TENSOR,
    VERDICT_UNEXPECTED,
};

extern const char *const verdict_names[]; /* by verdict */

/* What a gradient may be lost to, of somebody who understood everything. */
enum lost {
    LOST_NOT,
    LOST_IN_FLOAT32,
    LOST_IN_SATURATION, /* through an output that rounds to 0 or 1 */
    LOST_IN_SATURATION_OF_FLOAT32,
    LOST_AT_KINKS, /* errors that are 0 but for rounding: their signs decide, and were not found out */
};

/* One line of the report. */
struct entry {
    const char *name;
    enum verdict verdict;
    bool passed;                         /* an unexpected name fails nothing */
    bool carried;                        /* has points for what follows from a mistake made elsewhere */
    double points, max_points;           /* 0 for intermediates and unexpected names */
    bool expected;                       /* it has a shape and a reference */
    struct shape shape;                  /* as the request has it */
    const struct submission *submission; /* NULL where it is missing */
    struct comparison comparison;        /* where verdict is match, mismatch or not_finite */
    struct tolerance tolerance;          /* what the check's rule comes to here */
    bool weak;                           /* which cannot tell the reference from zeros */
    bool of_float32;                     /* all its numbers are float32's, and not just whole */
    bool float32;                        /* it passes as what was computed in float32 */
    enum lost lost;                      /* it fails, and the way it was computed does not give it at all; */
    enum lost lost_perhaps;              /* or so it may be: it is lost if no mistake is found that explains it */
    struct printed printed;              /* what its numbers, or all that were handed in, were printed with */
    bool rounded;                        /* and they are right to that, if not to the tolerance */
    size_t at_kinks;                     /* elements on the other side of a kink than the reference has them */
    const double *reference;             /* in the request's layout; NULL unless revealed */
    const double *numeric; /* likewise, central differences in its place, NaN across kinks; NULL unless asked for, and
                              of what is computed on the way */
    const bool *wrong;     /* by element, in the request's layout: outside the tolerance; NULL unless check->mark */
    const char *nearest; /* of an unexpected name: the missing one that it may be a slip of, which who writes the report
                            looks for; else NULL */
};

/* Whether an entry's numbers say nothing, whatever is found out of them. */
static inline bool entry_is_lost(const struct entry *entry)
{
    return entry->lost != LOST_NOT && entry->lost_perhaps == LOST_NOT;
}

struct trace;
struct backward;

struct report {
    const struct backward *backward; /* what was handed in as code (core/backward/backward.h); NULL: numbers were */
    bool postponed; /* a brief check that has to be run anew, with time: what follows is not all that can be said */
    bool passed;
    double points, max_points, score; /* score = points / max_points; with nothing to gain 1 or 0 as passed */
    double loss;
    struct entry *entries; /* all that is graded, in the network's order; then what was unexpected */
    size_t entry_count;
    size_t unexpected_not_listed; /* gradients and intermediates, beyond CHECK_UNEXPECTED_MAX each */
    struct entry *intermediates;  /* as submitted */
    size_t intermediate_count;
    bool verified;
    struct verification verification;
    double pass_seconds, compare_seconds, verify_seconds;
    const struct trace *trace; /* where one was asked for (core/trace/trace.h), by whoever made it; else NULL */
    struct pass pass; /* that it was judged by, where that was float64 on the CPU: memory of the arena; else its backend
                         is NULL */
};

#endif
