/* The answer: what was found, as the entries that a student sees. */
#ifndef CORE_DIAGNOSIS_ANSWER_H
#define CORE_DIAGNOSIS_ANSWER_H

#include "core/diagnosis/found.h"
#include "core/diagnosis/whole.h"

/* Each adds its entries to the diagnosis; false when memory is short. */
bool answer_finished(const struct search *s, const struct whole *finished, struct diagnosis *diagnosis);
bool answer_solution(const struct search *s, struct diagnosis *diagnosis);

/* What is right to the digits that it was printed with, if anything is. */
bool answer_rounded(const struct search *s, const struct report *report, struct diagnosis *diagnosis);

#endif
