/* The path of a hypothesis: the mistakes that it has made so far, what becomes of it at its end. */
#ifndef CORE_DIAGNOSIS_HYPOTHESIS_H
#define CORE_DIAGNOSIS_HYPOTHESIS_H

#include "core/diagnosis/rules.h"
#include "core/diagnosis/search.h"

/* Decimal digits of evidence that a mistake needs: no coincidence among all the rules that are tried. Nor is it enough
 * that one number is right that two mistakes would have to agree on. */
#define DIGITS_NEEDED 6.0

/* Another mistake at that node (NULL: at the loss), which makes wrong what comes back to `below` and to all that this
 * depends on (NULL: everything), where the budget allows it; made before elsewhere, it costs nothing. NULL where it
 * does not. */
struct choice *hypothesis_push(struct search *s, const struct mistake *mistake, size_t variant, const struct node *node,
                               const struct value *below);

/* The same for a mistake that spoils one tensor alone. */
struct choice *hypothesis_push_own(struct search *s, const struct mistake *mistake, size_t variant, size_t parameter);

/* Whether that mistake is on the path already, in the same variant: the same wrong function. */
bool hypothesis_makes(const struct search *s, const struct mistake *mistake, size_t variant);

/* Whether it may be pushed at all: saves making what hypothesis_push would refuse. */
bool hypothesis_has_room(const struct search *s, const struct rule *rule);

/* Takes all choices back from that length on. */
void hypothesis_pop_to(struct search *s, size_t length);

void hypothesis_add_alternative(struct choice *choice, const struct mistake *mistake);

/* Whether a tensor that the hypothesis does not reproduce may yet have a mistake of its own: a new one within the
 * budget, or one that was made elsewhere. */
bool hypothesis_may_explain(const struct search *s);

/* The hypothesis has come to its end: keeps it where there is evidence for each of its mistakes and it is as good as
 * the best. */
void hypothesis_record(struct search *s);

/* Whether a solution has that mistake, anywhere and in whatever variant. */
bool hypothesis_holds(const struct solution *solution, const struct mistake *mistake);

/* Of two solutions that explain as much: fewer mistakes, likelier ones, at fewer places. */
bool hypothesis_is_likelier(const struct solution *a, const struct solution *b);

/* Whether two mistakes together may well give the same numbers as this single one: a gradient of another loss, or a
 * factor on some of the tensors. */
bool hypothesis_may_be_two(const struct solution *single);

/* Whether a tensor shows by what l2's part of it is multiplied: it has one, and no mistake of its own that is about
 * that part or leaves nothing of it. */
bool hypothesis_shows_l2(const struct search *s, const struct choice *path, size_t length, size_t p);

/* Counts the distinct mistakes anew after a choice on the path has changed; false where they are more than the budget.
 */
bool hypothesis_recount(struct search *s);

#endif
