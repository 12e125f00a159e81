/* The loss around a point of a network's parameters, on a grid in a plane through it. */
#ifndef CORE_TRAIN_LANDSCAPE_H
#define CORE_TRAIN_LANDSCAPE_H

#include <stdint.h>

#include "core/pass/problem.h"

/* Ways to make a random direction as long as the parameters are (Li et al. 2018, Visualizing the Loss Landscape of
 * Neural Nets): each filter, which is all that one unit takes; each tensor; or not at all. */
enum normalization { NORMALIZE_FILTER, NORMALIZE_LAYER, NORMALIZE_NONE };
extern const char *const normalization_names[]; /* by normalization; ends with NULL */

/* By parameter, host, layout inside. Everything belongs to the caller. */
struct landscape {
    struct problem problem;
    double *const *center;
    double *const *directions[2]; /* a, b */
    double *at[2];                /* where the grid's points lie along each: [counts[0]], [counts[1]] */
    size_t counts[2];
};

/* Floating-point operations that so many points take. */
double landscape_work(const struct network *network, double points);

/* Numbers in memory for a pass, and for what it goes by; false where it overflows. */
bool landscape_elements(const struct network *network, double *elements);

/* losses[i * counts[0] + j]: the loss at center + at[0][j] * a + at[1][i] * b; NaN where it has no value. Errors: the
 * pass's, at the center as anywhere CODE_OUT_OF_MEMORY, CODE_CANCELLED, CODE_DEVICE; CODE_NOT_FINITE for a direction,
 * too, that the backend's numbers cannot hold. */
int landscape_run(struct arena *arena, const struct landscape *landscape, double *losses, struct error *error);

/* Two random directions, as np.random.seed(seed) and np.random.randn(*shape) draw them in the request's layout, first
 * those of all weights for a, then for b. A network's biases and other parameters that are no weights do not move,
 * unless it has no weights; a program's parameters all do. Where all that moves is 0 there is no length to normalize
 * by, and the directions are as they are drawn. False when memory is short. */
bool landscape_random(struct arena *arena, const struct problem *problem, double *const *center, uint32_t seed,
                      enum normalization normalization, double *const *a, double *const *b);

/* The two principal components of a path of `count` points, rows of all parameters one after the other, around its last
 * one; unit vectors, the sign such that the path's first point lies on the positive side. Where the path does not leave
 * a line, the second is some direction at a right angle to it. explained: the part of the path's squared length that
 * each has. CODE_OUT_OF_RANGE where nothing moves, or there is but one number; CODE_NOT_FINITE where the path
 * overflows; CODE_CANCELLED. */
int landscape_pca(struct arena *arena, const struct problem *problem, size_t count, const double *path,
                  double *const *a, double *const *b, double explained[2], struct error *error);

/* Coordinates [count, 2] in the plane (least squares) of the path's points. Along directions that are parallel all is
 * the first one's. CODE_NOT_FINITE where one overflows. */
int landscape_project(const struct landscape *landscape, size_t count, const double *path, double *coordinates,
                      struct error *error);

#endif
