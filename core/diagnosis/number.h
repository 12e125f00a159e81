/* A number that a mistake was made with and that is not known yet: a slope, a learning rate, a factor. It is read off
 * at the first node that shows it. */
#ifndef CORE_DIAGNOSIS_NUMBER_H
#define CORE_DIAGNOSIS_NUMBER_H

#include "core/diagnosis/steps.h"

enum { NUMBERS_MAX = 3 };

/* The pending number as all tensors together have it that are complete at a node, as one of them alone has it, and as
 * the others do, since one may have a mistake of its own; NaN where one says nothing, or nothing new. */
void number_fit(struct search *s, const struct node *node, double c[NUMBERS_MAX]);

/* Settles it, from that node on. False where it is none that anybody would have written down. */
bool number_settle(struct search *s, const struct node *node, double c);

#endif
