/* A request of POST /v1/landscape: from the document to core's structs. */
#ifndef SERVER_TASK_LANDSCAPE_TASK_H
#define SERVER_TASK_LANDSCAPE_TASK_H

#include "core/train/landscape.h"
#include "core/train/train.h"
#include "server/options.h"
#include "server/task/read_network.h"

/* Where the directions come from. */
enum directions { DIRECTIONS_RANDOM, DIRECTIONS_PCA, DIRECTIONS_GIVEN };
extern const char *const directions_names[]; /* ends with NULL */

struct landscape_task {
    struct document document;
    struct problem_set set;
    struct device_choice device;
    enum dtype dtype;
    bool brief; /* in: reading a program may take a moment only; out: that it would have taken more */
    enum directions directions;
    uint32_t seed;
    enum normalization normalization;
    double ranges[2][2]; /* of a and b: from, to; */
    bool ranged[2];      /* whether the request says so; else those of a path reach around it */
    size_t resolution;
    bool trains;              /* the point is where a training ends, whose path is wanted, too */
    struct training training; /* of that; its problem and its path after landscape_task_read */
    double work;
    struct landscape landscape; /* its problem, and the room for all else, after landscape_task_read */
    double **center, **a, **b;  /* by parameter; the center is that of the request, the directions are what is given */
};

/* Reads what says how much work it is. 422 CODE_TOO_MUCH_WORK where it is more than the options allow. */
int landscape_task_measure(struct arena *arena, const struct options *options, struct landscape_task *request,
                           struct error *error);

/* Reads the rest: the tensors. After that. */
int landscape_task_read(struct arena *arena, struct landscape_task *request, struct error *error);

/* Points that the path of the training may have. */
size_t landscape_task_points(const struct landscape_task *request);

#endif
