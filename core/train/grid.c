#include "core/train/grid.h"

static double point(const double range[2], size_t i, size_t n)
{
    return i == n - 1 ? range[1] : range[0] + (range[1] - range[0]) * ((double)i / (double)(n - 1));
}

void grid_fill(const struct grid *grid, double *points)
{
    size_t n = grid->resolution;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            *points++ = point(grid->x, j, n);
            *points++ = point(grid->y, i, n);
        }
}
