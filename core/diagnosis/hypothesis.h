/* The path of a hypothesis: the mistakes that it has made so far, what becomes of it at its end, and the names of
 * factors. */
#ifndef CORE_DIAGNOSIS_HYPOTHESIS_H
#define CORE_DIAGNOSIS_HYPOTHESIS_H

#include "core/diagnosis/walk.h"
#include "core/diagnosis/rules.h"

/* What torch.nn.utils.clip_grad_norm_ adds to the norm; others add less. */
#define CLIP_EPSILON 1e-6

/* Evidence beyond all counting: a shape that only one mistake makes. */
#define DIGITS_OF_A_SHAPE 1e6

/* Another mistake at that place, where the budget allows it; made before elsewhere, it costs nothing. NULL where it
 * does not. */
struct choice *hypothesis_push(struct search *s, const struct mistake *mistake, size_t variant, size_t layer);

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

/* What the loss's gradient is multiplied by; 1 where it is not. */
double hypothesis_loss_times(const struct search *s);

/* A factor that near to 1, or a part of the whole that small, is nothing that anybody wrote down: it is what rounding
 * made of it. */
#define NO_FACTOR 1e-3

/* Where all else fits to the rounding of float64, so does a number that was written down. */
#define EXACT_FACTOR 1e-9

/* Whether a is b, but for what a fit or rounding to float32 may be off by. */
bool hypothesis_near(double a, double b);

/* A limit or a learning rate as it is written down: the number of at most two significant digits that x is near to, NaN
 * where there is none. */
double hypothesis_round_number(double x);
bool hypothesis_is_round(double x);

/* The limit to which all that was handed in was clipped by its norm, if that is c times the right gradients; NaN where
 * it was not. The norm is the limit, less what an epsilon of at most CLIP_EPSILON in the divisor takes off; how far off
 * that is, relatively, into *off. */
double hypothesis_norm_limit(const struct search *s, double c, double *off);

/* Gives a choice the mistake that its factor c stands for, and the others as alternatives; whole: it is on all
 * gradients. */
void hypothesis_name_factor(const struct search *s, double c, bool whole, struct choice *choice);

/* Two of the named factors at once (half the squared error, not averaged): replaces the choice at `at` by two. */
bool hypothesis_name_two_factors(struct search *s, size_t at, double c);

/* The variant of a mistake that is a factor: the same factor elsewhere is the same mistake, another factor is another.
 */
size_t hypothesis_factor_variant(size_t family, double c);

/* Counts the distinct mistakes anew after a choice on the path has changed; false where they are more than the budget.
 */
bool hypothesis_recount(struct search *s);

#endif
