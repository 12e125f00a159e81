/* An edit of the student's code: other text in place of a part of it. */
#ifndef CORE_BACKWARD_EDIT_H
#define CORE_BACKWARD_EDIT_H

#include <stddef.h>

enum { EDITS_MAX = 1000 }; /* of one statement */

/* How far edits go from what stands there: what is further than the first is looked at only where nothing nearer is
 * found, as there is much of it. */
enum { NEAR_COST = 2, EDIT_COST_MAX = 3 };

struct edit {
    size_t statement;
    size_t from, to;     /* bytes of the code, which */
    const char *text;    /* stands in place of */
    int cost;            /* how far from what stands there: 1 to EDIT_COST_MAX */
    const char *mistake; /* the id of what was done wrong where this is right; NULL where it has none */
};

#endif
