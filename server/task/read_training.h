/* How a request trains: `optimizer`, and `epochs`, `batch_size` and `record_every`. */
#ifndef SERVER_TASK_READ_TRAINING_H
#define SERVER_TASK_READ_TRAINING_H

#include "core/train/train.h"
#include "server/body/members.h"

/* Reads an object's `optimizer`, the default where it is not given. Pointers start at the object. */
int read_optimizer(struct members *r, const json_t *object, struct optimizer *optimizer);

/* Reads how long it goes on, for so many samples. Where record_every is not given, it is the least that gives about so
 * many points. */
int read_schedule(struct members *r, const json_t *object, size_t samples, size_t points_usual,
                  struct training *training);

#endif
