/* An optimizer's update that was made by hand, and what comes of checking it. */
#ifndef CORE_UPDATE_UPDATE_REPORT_H
#define CORE_UPDATE_UPDATE_REPORT_H

#include <stdatomic.h>

#include "core/check/report.h"
#include "core/train/update_mistakes.h"

/* What of a parameter is handed in: itself, and the state of its optimizer. */
enum update_part { UPDATE_PARAMETER, UPDATE_FIRST, UPDATE_SECOND, UPDATE_PARTS };

/* One parameter: where its step starts from, and what the student made of it. Everything is the caller's. */
struct updated {
    const char *name;
    struct shape shape;
    struct one_step from;
    struct submission submissions[UPDATE_PARTS];
    bool submitted[UPDATE_PARTS];
};

struct update_check {
    struct optimizer optimizer;
    size_t step;     /* which one it is, from 1 */
    bool form_given; /* one form of the velocity was asked for; else any will do */
    enum velocity_form form;
    struct tolerance_rule tolerance;
    struct updated *parameters;
    size_t count;
    bool step_submitted; /* the number of steps after this one; */
    double submitted_step;
    bool diagnose, reveal;
    const atomic_bool *cancelled; /* may be NULL */
};

/* Another mistake that gives the same numbers: alone, or with one more. */
enum { UPDATE_ALTERNATIVES_MAX = 8 };
struct update_alternative {
    const struct mistake *mistake, *with; /* with: NULL where it is made alone */
};

/* A mistake, alone or with another one, in the parameters that it is made in. */
struct update_found {
    const struct update_slip *slip;
    const size_t *parameters; /* indices */
    size_t parameter_count;
    double residual; /* the largest difference that all found there leave */
    struct update_alternative alternatives[UPDATE_ALTERNATIVES_MAX]; /* the likelier first */
    size_t alternative_count;
};

/* What rounding makes of the elements of an entry, by what a step does with them: it keeps a part of what was before,
 * and adds to it. */
struct update_rounding {
    const double *before; /* NULL: begins everywhere */
    double begins;
    double kept;         /* the part of it that the step keeps */
    const double *added; /* by element: the sizes of the numbers that are added to that */
    double roundings;    /* how many epsilons of their sum those may be off by */
};

struct update_report {
    bool passed, step_passed;
    double points, max_points;
    enum velocity_form form; /* the one that it was judged by */
    /* By parameter, UPDATE_PARTS each; those that are not judged have no name. The reference is there, whether it is to
     * be revealed or not. */
    struct entry *entries;
    struct update_rounding *rounding; /* by entry */
    bool explained;                   /* the mistakes found account for every failing entry */
    struct update_found *found;
    size_t found_count;
};

#endif
