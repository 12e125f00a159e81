/* Mistakes on the finished gradients: those that can be read off at once, and those that another mistake may lie under.
 */
#ifndef CORE_DIAGNOSIS_WHOLE_H
#define CORE_DIAGNOSIS_WHOLE_H

#include "core/diagnosis/search.h"

/* What was done to the finished gradients. */
struct whole {
    const struct mistake *mistake; /* NULL: nothing */
    double residual;
    double factor;    /* NaN where there is none */
    size_t variant;   /* of the mistake */
    bool by_norm;     /* clipped: by global norm, else by value */
    bool all;         /* to all failing parameters, else to these two */
    bool spares_data; /* there are gradients of data, which are right */
    size_t parameters[2];
};

/* Room for what was handed in before it was clipped, or under other names. */
struct whole_room {
    struct observed *observed; /* by graded; and by graded what is taken once it is needed: */
    double **values, **raw;
};

/* One mistake on the finished gradients that accounts for all of them; false where there is none. None is needed where
 * they are right but for rounding that is not the student's: true, with no mistake. */
bool whole_read(const struct search *s, const struct check *check, const struct report *report, struct whole *finished);

/* Search for so many mistakes that lie under a clipping, by value or by norm, or under an exchange of two parameters'
 * names. What such a search finds (best) holds only together with what was done on top of it: `finished` is set where
 * best is. */
void whole_search_clipped(struct search *s, size_t budget, struct whole *finished);
void whole_search_norm(struct search *s, size_t budget, const struct whole_room *room, struct whole *finished);
void whole_search_swapped(struct search *s, size_t budget, const struct whole_room *room, struct whole *finished);

/* The lists of that room; false where memory is short. */
bool whole_take_room(struct arena *arena, size_t graded, struct whole_room *room);

#endif
