/* What goes wrong in an optimizer's update: each mistake is a slip in the plan of a step, which is then made. */
#ifndef CORE_TRAIN_UPDATE_MISTAKES_H
#define CORE_TRAIN_UPDATE_MISTAKES_H

#include "core/ops/mistake.h"
#include "core/train/one_step.h"

/* One way to make a mistake. */
struct update_slip {
    const struct mistake *mistake;
    size_t variant; /* of the mistake: mistake->variant_words names it */
    /* Puts it into a right plan, or into one with another slip; false where this optimizer cannot have it, or it
     * changes nothing. */
    bool (*put)(struct step_plan *plan, size_t variant);
};

/* All of them, the likelier first; ends where mistake is NULL. */
extern const struct update_slip update_slips[];

#endif
