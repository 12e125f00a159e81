#include "core/diagnosis/factors.h"

#include <math.h>

#include "core/diagnosis/hypothesis.h"
#include "core/diagnosis/rules.h"

/* More passes than that nobody adds up. */
enum { ACCUMULATED_MAX = 100 };

static void add_factor(struct search *s, const struct mistake *mistake, double value)
{
    if (written_near(value, 1) || s->factor_count == FACTORS_MAX) return;
    s->factors[s->factor_count++] = (struct factor_name){mistake, value};
}

void factors_prepare(struct search *s)
{
    s->factor_count = 0;
    for (struct rule rule = rule_first_factor(s->loss.call->op); rule.mistake != NULL; rule_next(&rule))
        add_factor(s, rule.mistake, rule.mistake->factor(&s->loss, rule.variant));
}

double factors_of_loss(const struct search *s)
{
    double times = 1;
    for (size_t i = 0; i < s->now.length && search_at_loss(&s->now.path[i]); i++)
        if (s->now.path[i].times != 0) times *= s->now.path[i].times;
    return times;
}

double factors_norm_limit(double norm, double c, double *off)
{
    double least = norm, most = norm + c * CLIP_EPSILON, limit = written_between(least, most);
    *off = limit < least ? (least - limit) / limit : limit > most ? (limit - most) / limit : 0;
    return c > 0 && c < 1 ? limit : NAN;
}

/* What a factor may be taken for, and by how much it is off from that. */
struct factor_reading {
    const struct mistake *mistake;
    double off;
};

/* All that a factor on whole gradients may be taken for. */
static size_t read_factor(const struct search *s, double c, struct factor_reading readings[FACTORS_MAX + 2])
{
    size_t count = 0;
    for (size_t i = 0; i < s->factor_count; i++) {
        const struct factor_name *name = &s->factors[i];
        if (written_near(c, name->value))
            readings[count++] = (struct factor_reading){name->mistake, fabs(c / name->value - 1)};
    }
    if (c > 1.5 && c < ACCUMULATED_MAX && written_near(c, round(c)))
        readings[count++] = (struct factor_reading){&mistake_gradient_accumulated, fabs(c / round(c) - 1)};
    double off;
    if (!isnan(factors_norm_limit(s->norm, c, &off)))
        readings[count++] = (struct factor_reading){&mistake_clipped, off};
    return count;
}

void factors_name(const struct search *s, double c, bool whole, struct choice *choice)
{
    struct factor_reading readings[FACTORS_MAX + 2], likeliest = {&mistake_constant_factor, 0};
    size_t count = whole ? read_factor(s, c, readings) : 0;
    choice->by_norm = false;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || readings[i].mistake->rank < likeliest.mistake->rank) likeliest = readings[i];
        choice->by_norm = choice->by_norm || readings[i].mistake == &mistake_clipped;
    }
    double unused;
    choice->mistake = likeliest.mistake;
    choice->off = likeliest.off;
    choice->times = c;
    choice->factor = choice->mistake == &mistake_clipped ? factors_norm_limit(s->norm, c, &unused) : c;
    choice->has_factor = true;
    choice->fitted = count == 0; /* a number that has a name costs no evidence */
    for (size_t i = 0; i < count; i++)
        hypothesis_add_alternative(choice, readings[i].mistake);
    if (choice->mistake->or_constant) hypothesis_add_alternative(choice, &mistake_constant_factor);
}

bool factors_name_two(struct search *s, size_t at, double c)
{
    for (size_t i = 0; i < s->factor_count; i++)
        for (size_t j = i + 1; j < s->factor_count; j++) {
            const struct factor_name *a = &s->factors[i], *b = &s->factors[j];
            if (a->mistake == b->mistake || !written_near(c, a->value * b->value)) continue;
            struct choice *first = &s->now.path[at], *second = hypothesis_push(s, b->mistake, 0, NULL, NULL);
            if (second == NULL) return false; /* the first stays what it is: half of it would not be true */
            first->mistake = a->mistake;
            first->has_factor = true;
            first->fitted = false;
            first->factor = first->times = a->value;
            second->has_factor = true;
            second->factor = second->times = b->value;
            return true;
        }
    return false;
}

const struct mistake *factors_of_update(double c)
{
    static const double rates[] = {0.1, 0.05, 0.01, 0.005, 0.001, 5e-4, 1e-4, 3e-4}, momenta[] = {1.9, 2.71};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        if (written_near(c, rates[i])) return &mistake_learning_rate_applied;
    for (size_t i = 0; i < sizeof momenta / sizeof *momenta; i++)
        if (written_near(c, momenta[i])) return &mistake_velocity;
    return NULL;
}

size_t factors_variant(size_t family, double c)
{
    /* Logarithms make the step a relative one; the sum keeps it positive for every float64. */
    double step = round(log(fabs(c)) * 1e5) + 1e8;
    return family + 2 * (size_t)step + (c < 0);
}
