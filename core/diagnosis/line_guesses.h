/* What can be done wrong in a program: one guess after the other. */
#ifndef CORE_DIAGNOSIS_LINE_GUESSES_H
#define CORE_DIAGNOSIS_LINE_GUESSES_H

#include "core/diagnosis/line_flow.h"
#include "core/diagnosis/line_places.h"

/* Takes a guess, which does not outlive the call; false ends the list. Of a GUESS_TIMES whose number is NaN it has to
 * be found. */
typedef bool (*take_guess)(void *context, const struct guess *guess);

/* What lists them, with its room; NULL when memory is short. */
struct lister *line_guesses_new(struct search *s, const struct line_places *places);

/* Lists all of them, from the loss down. */
void line_guesses(struct lister *lister, take_guess take, void *context);

#endif
