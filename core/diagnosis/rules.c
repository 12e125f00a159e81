#include "core/diagnosis/rules.h"

#include "core/ops/elementwise.h"

enum { BEFORE, OWN, AFTER, LISTS };

static const struct mistake *const *list_of(const struct op *op, unsigned list)
{
    static const struct mistake *const none[] = {NULL};
    static const struct mistake_family layers = {none, none};
    /* What programs do element by element goes wrong as an activation does, unless it is linear: then there is no
     * derivative to be wrong about. */
    bool function = op->kind == OP_ELEMENTARY && op->forward == elementwise_forward && op->term_unit == NULL;
    const struct mistake_family *family = op->kind == OP_ACTIVATION || function ? &mistakes_of_activations
                                          : op->kind == OP_LOSS                 ? &mistakes_of_losses
                                                                                : &layers;
    if (list == OWN) return op->mistakes != NULL ? op->mistakes : none;
    return list == BEFORE ? family->before : family->after;
}

static bool is_wanted(const struct rule *rule, const struct mistake *mistake)
{
    if (rule->factors) return mistake->factor != NULL;
    if (rule->step == STEP_LOSS) return mistake->direction != NULL;
    return mistake->alternative != NULL && mistake->step == rule->step &&
           (mistake->input == rule->input || mistake->input == ANY_INPUT); /* asked for ANY_INPUT: those alone */
}

static struct rule first(const struct op *op, enum step step, size_t input, bool factors)
{
    struct rule rule = {
        .op = op, .step = step, .input = input, .factors = factors, .list = BEFORE, .next = list_of(op, BEFORE)};
    rule_next(&rule);
    return rule;
}

struct rule rule_first(const struct op *op, enum step step, size_t input)
{
    return first(op, step, input, false);
}

struct rule rule_first_factor(const struct op *loss)
{
    return first(loss, STEP_LOSS, 0, true);
}

void rule_next(struct rule *rule)
{
    if (rule->mistake != NULL && ++rule->variant < rule->mistake->variants) return;
    rule->variant = 0;
    for (;;) {
        while (*rule->next == NULL) {
            if (++rule->list == LISTS) {
                rule->mistake = NULL;
                return;
            }
            rule->next = list_of(rule->op, rule->list);
        }
        rule->mistake = *rule->next++;
        if (is_wanted(rule, rule->mistake)) return;
    }
}

bool rule_make(const struct rule *rule, const struct step_call *call, struct alternative *made)
{
    const struct op *op = call->call->op;
    if (rule->list == OWN && op->mistakes_when != NULL && !op->mistakes_when(call->call->attributes)) return false;
    made->mistake = rule->mistake;
    made->variant = rule->variant;
    made->has_slope = false;
    made->rarer = 0;
    return rule->mistake->alternative(call, made);
}

bool rule_make_direction(const struct rule *rule, const struct loss_call *call, struct loss_direction *made)
{
    *made = (struct loss_direction){
        .mistake = rule->mistake, .variant = rule->variant, .value = made->value, .room = made->room};
    return rule->mistake->direction(call, made);
}
