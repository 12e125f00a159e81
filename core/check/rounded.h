/* What is right to the few digits that it was printed with. */
#ifndef CORE_CHECK_ROUNDED_H
#define CORE_CHECK_ROUNDED_H

#include "core/check/looks.h"

/* Whether any tensor may have been printed with few digits. */
bool rounded_may_be(const struct looks *l);

/* Finds out what all gradients were printed with, as one (l->printed), once looks_import has made the numbers. */
void rounded_find(struct looks *l);

/* What kinks are settled by, for each of the graded (room for them): look->allowed, and half a unit of the last place
 * where l->printed says that it was printed. False when memory is short. */
bool rounded_allow(const struct looks *l, const double **allowed);

/* Finds out what each gradient was printed with (entry->printed), and marks what mismatches and is right to that
 * (entry->rounded): with accept_rounded it passes. Once there are l->printed and look->allowed. */
void rounded_look(struct looks *l);

#endif
