/* The search's way to the rules: what can be tried at an op, one after the other. */
#ifndef CORE_DIAGNOSIS_RULES_H
#define CORE_DIAGNOSIS_RULES_H

#include "core/ops/mistake.h"

/* One way to make a mistake, and where in the lists it stands. */
struct rule {
    const struct mistake *mistake; /* NULL: there are no more */
    size_t variant;
    const struct op *op;
    enum step step;
    size_t input; /* of STEP_INPUT and STEP_PARAMETER */
    bool factors;
    unsigned list;
    const struct mistake *const *next;
};

/* The first rule for a step at an op and one of its inputs (with STEP_LOSS: a direction), or the first factor on a
 * loss; and the next one. */
struct rule rule_first(const struct op *op, enum step step, size_t input);
struct rule rule_first_factor(const struct op *loss);
void rule_next(struct rule *rule);

/* Fills in *made, whose room the caller gives; false where the rule does not apply. */
bool rule_make(const struct rule *rule, const struct step_call *call, struct alternative *made);
bool rule_make_direction(const struct rule *rule, const struct loss_call *call, struct loss_direction *made);

#endif
