/* The slips of an optimizer's update, by what they are made in; each list ends where mistake is NULL. */
#ifndef CORE_TRAIN_UPDATE_SLIPS_H
#define CORE_TRAIN_UPDATE_SLIPS_H

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

static inline bool step_plan_is_adam(const struct step_plan *plan)
{
    return plan->update.rule == UPDATE_adam;
}

extern const struct update_slip step_slips[], moment_slips[], decay_slips[], momentum_slips[];

#endif
