/* The scalar formulas of the optimizers, once for every arithmetic and every backend; included as
 * core/backend/formulas.h is. PyTorch's, in PyTorch's order of operations:
 * torch/optim/{sgd,adam,adamw,rmsprop,adagrad}.py. */

/* Rules: NAME(update_f)(u, g, w, first, second) changes one parameter *w and its state by its gradient g. */
#define FORMULAS_OF_UPDATES(X) X(sgd) X(sgd_momentum) X(adam) X(rmsprop) X(rmsprop_momentum) X(adagrad)

#ifndef CORE_UPDATES_ENUMS
#define CORE_UPDATES_ENUMS

#include <stdbool.h>

#define UPDATES_ENUM(name) UPDATE_##name,
enum update_rule { FORMULAS_OF_UPDATES(UPDATES_ENUM) UPDATE_COUNT };
#undef UPDATES_ENUM

/* One step's numbers; which of them count is the rule's business. */
struct update {
    enum update_rule rule;
    bool uses_first, uses_second;   /* whether the rule keeps them; the same in every step */
    double rate;                    /* what the step is multiplied by: lr, with corrections */
    double weight_decay;            /* g + weight_decay * w takes the place of g */
    double shrink;                  /* w is multiplied by it first: AdamW's decoupled decay */
    double keep, add;               /* first = keep * first + add * g */
    double keep_square, add_square; /* second = keep_square * second + add_square * g * g */
    double correction, epsilon;     /* the divisor: sqrt(second) / correction + epsilon */
    bool nesterov;
};
#endif

#ifdef REAL

FORMULA void NAME(update_sgd)(const struct update *u, REAL g, REAL *w, REAL *first, REAL *second)
{
    (void)first;
    (void)second;
    g += (REAL)u->weight_decay * *w;
    *w -= (REAL)u->rate * g;
}

/* momentum; Nesterov's looks one step ahead */
FORMULA void NAME(update_sgd_momentum)(const struct update *u, REAL g, REAL *w, REAL *first, REAL *second)
{
    (void)second;
    g += (REAL)u->weight_decay * *w;
    *first = (REAL)u->keep * *first + (REAL)u->add * g;
    *w -= (REAL)u->rate * (u->nesterov ? g + (REAL)u->keep * *first : *first);
}

/* Kingma and Ba 2015; AdamW: Loshchilov and Hutter 2019 */
FORMULA void NAME(update_adam)(const struct update *u, REAL g, REAL *w, REAL *first, REAL *second)
{
    *w *= (REAL)u->shrink;
    g += (REAL)u->weight_decay * *w;
    *first = (REAL)u->keep * *first + (REAL)u->add * g;
    *second = (REAL)u->keep_square * *second + (REAL)u->add_square * g * g;
    *w -= (REAL)u->rate * *first / (sqrt(*second) / (REAL)u->correction + (REAL)u->epsilon);
}

FORMULA void NAME(update_rmsprop)(const struct update *u, REAL g, REAL *w, REAL *first, REAL *second)
{
    (void)first;
    g += (REAL)u->weight_decay * *w;
    *second = (REAL)u->keep_square * *second + (REAL)u->add_square * g * g;
    *w -= (REAL)u->rate * g / (sqrt(*second) + (REAL)u->epsilon);
}

FORMULA void NAME(update_rmsprop_momentum)(const struct update *u, REAL g, REAL *w, REAL *first, REAL *second)
{
    g += (REAL)u->weight_decay * *w;
    *second = (REAL)u->keep_square * *second + (REAL)u->add_square * g * g;
    *first = (REAL)u->keep * *first + g / (sqrt(*second) + (REAL)u->epsilon);
    *w -= (REAL)u->rate * *first;
}

/* Duchi et al. 2011 */
FORMULA void NAME(update_adagrad)(const struct update *u, REAL g, REAL *w, REAL *first, REAL *second)
{
    (void)first;
    g += (REAL)u->weight_decay * *w;
    *second += g * g;
    *w -= (REAL)u->rate * g / (sqrt(*second) + (REAL)u->epsilon);
}

#endif
