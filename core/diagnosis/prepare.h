/* What a search needs before it can begin: room, and a first look at the numbers. */
#ifndef CORE_DIAGNOSIS_PREPARE_H
#define CORE_DIAGNOSIS_PREPARE_H

#include "core/diagnosis/search.h"

/* Takes the room and looks at the numbers; false when memory is short. It may come back stopped, and there is nothing
 * to search in then. The fields arena, network, pass, deadline, cancelled, observed, matching and norm are the
 * caller's. */
bool prepare_search(struct search *search);

#endif
