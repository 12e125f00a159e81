/* The search for what went wrong in a program. A line is wrong in a few ways (line_guesses.h); each is tried in the
 * whole way back (line_flow.h), and where it makes what was handed in, that is what was done. Before them comes what is
 * done to finished gradients (whole.h). */
#ifndef CORE_DIAGNOSIS_LINE_SEARCH_H
#define CORE_DIAGNOSIS_LINE_SEARCH_H

#include "core/diagnosis/found.h"
#include "core/diagnosis/search.h"

/* Searches, once the search is prepared, and fills in all of the diagnosis: mistakes, steps, suspects, what only
 * follows. `taken`: a mistake on the finished gradients has been found, which is in it already. False when memory is
 * short. */
bool line_search(struct search *s, const struct report *report, bool taken, struct diagnosis *diagnosis);

/* Of what failed, that which the way back of a program reaches first. */
size_t line_first_wrong(const struct network *network, const struct report *report);

#endif
