#include "core/diagnosis/search.h"

#include "core/base/clock.h"

/* In a small network a step takes less time than a look at the clock: one look serves so many. */
enum { STEPS_A_LOOK = 16 };

bool search_looks(struct search *s)
{
    if (clock_seconds() > s->deadline) s->stopped = true;
    if (s->cancelled != NULL && atomic_load_explicit(s->cancelled, memory_order_relaxed)) s->stopped = true;
    return s->stopped;
}

bool search_is_over(struct search *s)
{
    return !s->large && s->asked++ % STEPS_A_LOOK != 0 ? s->stopped : search_looks(s);
}

bool search_has_l2(const struct search *s, size_t p)
{
    return search_is_regularized(s, p) && s->network->definition->l2 > 0;
}

void search_add_l2(const struct search *s, size_t p, double times, double *gradient)
{
    double l2 = search_has_l2(s, p) ? s->network->definition->l2 : 0;
    const double *W = search_given(s, p);
    for (size_t i = 0; l2 > 0 && i < search_size(s, p); i++)
        gradient[i] += times * l2 * W[i];
}

struct match search_match(const struct search *s, size_t p, const double *predicted)
{
    const struct observed *o = &s->observed[p];
    return match_numbers(&s->matching, o->tolerance, search_size(s, p), o->values, predicted, search_right(s, p),
                         o->bound);
}
