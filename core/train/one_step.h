/* One update of an optimizer on numbers in host memory: the reference for one that somebody made by hand, and the same
 * with a slip. */
#ifndef CORE_TRAIN_ONE_STEP_H
#define CORE_TRAIN_ONE_STEP_H

#include "core/base/arena.h"
#include "core/train/optimizer.h"

/* How a velocity is kept: v = momentum * v + g and w -= lr * v (PyTorch), or with the learning rate inside,
 * v = momentum * v - lr * g and w += v (Sutskever et al. 2013, CS231n, Keras). The same parameters come out of both. */
enum velocity_form { VELOCITY_PYTORCH, VELOCITY_CS231N, VELOCITY_FORMS };
extern const char *const velocity_form_names[]; /* by form; ends with NULL */

/* What one parameter's step starts from, and what comes out; n numbers each. */
struct one_step {
    size_t n;
    const double *w, *g;
    const double *first, *second; /* state as it is given; NULL: as in the first step */
};
struct stepped {
    double *w, *first, *second; /* room for n numbers each; state that the optimizer does not keep is left alone */
};

enum divisor { DIVISOR_USUAL, DIVISOR_EPSILON_INSIDE, DIVISOR_WITHOUT_ROOT };
enum outcome { OUTCOME_USUAL, OUTCOME_UNCHANGED, OUTCOME_STEP, OUTCOME_STEP_NEGATED };

/* The numbers and the way of a step, for slips to change. */
struct step_plan {
    const struct optimizer *optimizer;
    size_t step; /* which one it is, from 1 */
    struct update update;
    enum velocity_form form;
    double gradient;       /* what the gradient is multiplied by */
    bool forgets;          /* the state is taken for what it is before the first step */
    bool old_velocity;     /* the parameter follows the velocity of the step before */
    bool stores_corrected; /* the moments are kept with their bias corrected */
    enum divisor divisor;
    enum outcome outcome;
};

/* The right one: the step-th, from 1. */
struct step_plan step_plan_of(const struct optimizer *optimizer, size_t step, enum velocity_form form);

/* Whether the optimizer keeps a velocity, whose form matters. */
bool step_plan_has_velocity(const struct step_plan *plan);

/* Whether the number of the step matters: whether steps behind the first differ. */
bool optimizer_counts_steps(const struct optimizer *optimizer);

/* Makes the step; scratch: room for 3 n numbers. What overflows or has no root is not finite. CODE_OK, or what the
 * backend says. */
int step_plan_run(const struct step_plan *plan, const struct one_step *from, double *scratch, struct stepped *to);

/* By result the sizes, added up, of the numbers that a right step adds to what it keeps of the number before: what the
 * rounding of the step is to be measured by. made: what step_plan_run made. */
void step_plan_added(const struct step_plan *plan, const struct one_step *from, const struct stepped *made,
                     struct stepped *to);

#endif
