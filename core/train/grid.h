/* A grid over the plane of a network's two inputs, where its decision boundary is drawn. */
#ifndef CORE_TRAIN_GRID_H
#define CORE_TRAIN_GRID_H

#include <stdbool.h>
#include <stddef.h>

struct grid {
    bool wanted;
    double x[2], y[2]; /* from, to */
    size_t resolution; /* points along each side, from 2 */
};

/* Its points, row by row of y, into points [resolution * resolution, 2]; the ends exactly, as np.linspace has them. */
void grid_fill(const struct grid *grid, double *points);

#endif
