#include "core/diagnosis/parts.h"

#include <math.h>

#include "core/diagnosis/factors.h"
#include "core/diagnosis/hypothesis.h"

extern const struct mistake mistake_bias_averaged;

size_t parts_places(const struct search *s, const struct choice *choice)
{
    size_t places = 0;
    for (size_t i = 0; i < s->best->length; i++) {
        const struct choice *other = &s->best->path[i];
        places += other->mistake == choice->mistake && other->variant == choice->variant && other->node != NULL &&
                  other->parameter == PARAMETER_NONE;
    }
    return places;
}

/* Whether a choice is on all that is graded, as if it was made at the loss. */
static bool is_on_all(const struct search *s, const struct choice *choice)
{
    if (choice->node != NULL && parts_places(s, choice) > 1) return false;
    for (size_t p = 0; p < search_count(s); p++)
        if (!search_reaches(s, choice, p)) return false;
    return true;
}

/* A part of a choice: a factor with that name. */
static struct choice part_of(const struct choice *choice, const struct mistake *mistake, double factor)
{
    struct choice part = *choice;
    part.mistake = mistake;
    part.variant = 0;
    part.has_factor = mistake != &mistake_bias_averaged;
    part.factor = part.times = part.has_factor ? factor : 0;
    part.but_l2 = part.but_l2 && part.has_factor;
    part.fitted = false;
    part.alternative_count = 0;
    return part;
}

/* A bias's own factor that is what averaging over its rows makes. */
static bool is_mean(const struct search *s, const struct choice *choice, double c)
{
    if (choice->parameter == PARAMETER_NONE) return false;
    const struct graded *graded = &s->network->graded[choice->parameter];
    if (graded->slot == NULL || !graded->slot->summed || graded->node == NULL) return false;
    double rows = (double)graded->node->output->size / (double)graded->value->size;
    return rows > 1 && written_near(c, 1 / rows);
}

/* The likeliest one or two factors with a name that come to c, other than a sign. How many they are; 0 where there are
 * none. */
static size_t name_parts(const struct search *s, double c, const struct factor_name *named[2])
{
    size_t count = 0;
    unsigned best = 0;
    for (size_t i = 0; i < s->factor_count; i++) {
        const struct factor_name *a = &s->factors[i];
        if (a->value < 0 || !written_near(c, a->value) || (count > 0 && a->mistake->rank >= best)) continue;
        named[0] = a;
        best = a->mistake->rank;
        count = 1;
    }
    for (size_t i = 0; count != 1 && i < s->factor_count; i++)
        for (size_t j = i + 1; j < s->factor_count; j++) {
            const struct factor_name *a = &s->factors[i], *b = &s->factors[j];
            unsigned rank = a->mistake->rank + b->mistake->rank;
            bool fits = a->value > 0 && b->value > 0 && a->mistake != b->mistake;
            if (!fits || !written_near(c, a->value * b->value) || (count > 0 && rank >= best)) continue;
            named[0] = a;
            named[1] = b;
            best = rank;
            count = 2;
        }
    return count;
}

/* Whether a factor on the gradient of the loss is one on all finished gradients, as clipping by norm is. */
static bool is_on_finished(const struct search *s)
{
    for (size_t i = 0; i < s->best->length; i++)
        if (s->best->path[i].mistake->unscaled) return false;
    for (size_t p = 0; p < search_count(s); p++)
        if (search_has_l2(s, p) && s->best->matches[p].fit != FIT_NONE && !s->best->matches[p].with_l2) return false;
    return true;
}

/* Whether a factor on all is one that an update brings in: a learning rate, or what momentum of 0.9 makes of equal
 * gradients. Then that is named, and the constant is its alternative. */
static bool is_step_of_update(const struct search *s, const struct choice *choice, struct choice *part)
{
    bool whole = choice->mistake == &mistake_constant_factor && choice->parameter == PARAMETER_NONE && !choice->of_l2;
    if (!whole || !choice->has_factor || !is_on_all(s, choice) || !is_on_finished(s)) return false;
    const struct mistake *mistake = factors_of_update(choice->factor);
    if (mistake == NULL) return false;
    *part = part_of(choice, mistake, choice->factor);
    part->node = NULL;
    part->below = NULL;
    hypothesis_add_alternative(part, &mistake_constant_factor);
    for (size_t a = 0; a < choice->alternative_count; a++)
        hypothesis_add_alternative(part, choice->alternatives[a]);
    return true;
}

size_t parts_of(const struct search *s, const struct choice *choice, struct choice parts[PARTS_MAX])
{
    struct choice whole = *choice;
    parts[0] = *choice;
    if (choice->mistake == &mistake_clipped && search_at_loss(choice) && !is_on_finished(s)) {
        parts[0] = part_of(choice, &mistake_constant_factor, choice->times);
        return 1;
    }
    if (is_step_of_update(s, choice, &parts[0])) return 1;
    bool constant = choice->mistake == &mistake_constant_factor && choice->has_factor && !choice->of_l2;
    if (!constant || !(choice->factor < 0)) return 1;
    if (choice->parameter == PARAMETER_NONE && choice->node != NULL) {
        if (!is_on_all(s, choice)) return 1; /* a sign has no name but at the loss, and on tensors */
        whole.node = NULL;
        whole.below = NULL;
    }
    const struct factor_name *named[2];
    double c = -choice->factor;
    whole.sent_back = choice->node != NULL && whole.node == NULL;
    parts[0] = part_of(&whole, &mistake_sign_flipped, -1);
    if (written_near(c, 1)) return 1;
    if (is_mean(s, choice, c)) {
        parts[1] = part_of(&whole, &mistake_bias_averaged, 0);
        return 2;
    }
    size_t count = whole.parameter == PARAMETER_NONE ? name_parts(s, c, named) : 0;
    for (size_t k = 0; k < count; k++)
        parts[1 + k] = part_of(&whole, named[k]->mistake, named[k]->value);
    if (count > 0) return 1 + count;
    parts[0] = *choice; /* a number without a name is as well told with its sign */
    return 1;
}
