/* Where a search begins: at the gradient of the loss, right or wrong, or further down where all is right as far as
 * that. */
#ifndef CORE_DIAGNOSIS_START_H
#define CORE_DIAGNOSIS_START_H

#include "core/diagnosis/search.h"

/* Searches with so many distinct mistakes; the outcome is in best (NULL where there is none) and pool. */
void start_run(struct search *search, size_t budget, bool partial);

#endif
