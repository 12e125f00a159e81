#include "core/diagnosis/search.h"

#include "core/base/clock.h"

/* In a small network a step takes less time than a look at the clock: one look serves so many. */
enum { STEPS_A_LOOK = 128 };

bool search_looks(struct search *s)
{
    double now = clock_seconds();
    if (now > s->look_again) {
        double left = s->deadline - clock_thread_seconds();
        s->look_again = now + left;
        if (left < 0) s->stopped = true;
    }
    if (s->cancelled != NULL && atomic_load_explicit(s->cancelled, memory_order_relaxed)) s->stopped = true;
    return s->stopped;
}

bool search_is_over(struct search *s)
{
    return !s->large && s->asked++ % STEPS_A_LOOK != 0 ? s->stopped : search_looks(s);
}

bool search_has_l2(const struct search *s, size_t p)
{
    return s->network->graded[p].l2 > 0 || s->network->graded[p].l1 > 0;
}

bool search_any_l2(const struct search *s)
{
    for (size_t p = 0; p < search_count(s); p++)
        if (search_has_l2(s, p)) return true;
    return false;
}

void search_add_l2(const struct search *s, size_t p, double times, double *gradient)
{
    if (!search_has_l2(s, p)) return;
    const double *W = search_given(s, p);
    for (size_t i = 0; i < search_size(s, p); i++)
        gradient[i] += times * search_l2_part(s, p, W[i]);
}

struct match search_match(const struct search *s, size_t p, const double *predicted)
{
    const struct observed *o = &s->observed[p];
    return match_numbers(&s->matching, o->tolerance, search_size(s, p), o->values, predicted, search_right(s, p),
                         o->bound);
}
