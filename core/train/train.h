/* Training: the reference passes in a loop with an optimizer, and the curve that it leaves. */
#ifndef CORE_TRAIN_TRAIN_H
#define CORE_TRAIN_TRAIN_H

#include "core/pass/problem.h"
#include "core/train/optimizer.h"
#include "core/train/symptoms.h"

/* The most points that a run records. */
#define TRAIN_POINTS_MAX 100000

/* Where `record_every` is not given, it is the least that gives no more points than this. */
#define TRAIN_POINTS_USUAL 1000

struct trained;

struct training {
    struct problem problem; /* of all samples; its numbers are where the run begins, targets of classes one-hot */
    struct optimizer optimizer;
    size_t epochs;     /* from 1 */
    size_t batch_size; /* from 1; the samples in the given order, the last batch may be smaller; of a program 1: all */
    size_t record_every; /* from 1: epochs 0, k, 2k, ... are recorded */

    /* Where the parameters before each recorded epoch's (last) update go, and behind those what they are in the end:
     * host, layout inside, [train_points + 1, parameter_elements]; trained->path_points are filled in. NULL: nowhere.
     */
    double *path;

    /* Called after an epoch was recorded, the first time at once and then no more often than every so many seconds;
     * may be NULL. */
    void (*progress)(void *context, const struct trained *so_far);
    void *context;
    double progress_seconds;
};

struct trained {
    struct curve curve;
    const struct remark *health;
    size_t remarks;
    /* after the last update; of a run that diverged, where its loss was last finite */
    double loss, accuracy; /* accuracy is NaN where there is none */
    double *predictions;   /* host, [samples, ...output] */
    double **parameters;   /* host, by parameter, layout inside */
    size_t path_points;    /* of training->path */
};

/* Points that a run records. */
size_t train_points(size_t epochs, size_t record_every);

/* Floating-point operations that it takes, at most. */
double train_work(const struct training *training);

/* Runs it. The loss of an epoch is that of the forward pass before its update; with mini-batches the mean over the
 * epoch's samples, and the norms are those of its last batch. No memory is taken per epoch: all of it comes from the
 * arena (or the backend) before the first. A loss that is not finite ends the run and is no error, but before
 * the first update. Errors: the pass's. */
int train_run(struct arena *arena, const struct training *training, struct trained *trained, struct error *error);

/* The outputs of a network with one feed for other inputs: x [samples, ...input] to outputs [samples, ...output], host,
 * float64 or as the backend has it; parameters by parameter. Errors: CODE_OUT_OF_MEMORY, CODE_CANCELLED, CODE_DEVICE.
 */
int train_outputs(struct arena *arena, const struct training *training, double *const *parameters, size_t samples,
                  const double *x, double *outputs, struct error *error);

/* Samples that train_outputs takes at once: what it needs memory for. */
#define TRAIN_OUTPUTS_AT_ONCE 4096

#endif
