#include "server/task/read_training.h"

#include "server/task/read_attributes.h"

#define EPOCHS_USUAL 1000

int read_optimizer(struct members *r, const json_t *root, struct optimizer *optimizer)
{
    static const char *const others[] = {"type", NULL};
    optimizer->type = optimizers[0];
    const json_t *object = NULL;
    if (members_object(r, root, "optimizer", OPTIONAL, &object) != CODE_OK) return r->error->code;
    if (object == NULL) {
        read_no_attributes(optimizer->type->attributes, optimizer->attributes);
        return CODE_OK;
    }
    const char *names[16];
    size_t count = 0;
    for (; optimizers[count] != NULL && count + 1 < sizeof names / sizeof *names; count++)
        names[count] = optimizers[count]->name;
    names[count] = NULL;
    int type = 0;
    if (members_choice(r, object, "type", REQUIRED, names, &type) == CODE_OK) {
        optimizer->type = optimizers[type];
        read_attributes(r, object, optimizer->type->attributes, others, optimizer->attributes);
    }
    if (r->error->code == CODE_OK && optimizer->type->check != NULL)
        optimizer->type->check(optimizer->attributes, r->error);
    return r->error->code != CODE_OK ? error_at(r->error, "optimizer") : CODE_OK;
}

int read_schedule(struct members *r, const json_t *object, size_t samples, size_t points_usual, struct training *t)
{
    double epochs = EPOCHS_USUAL, batch = (double)samples, every = 0;
    if (members_size(r, object, "epochs", OPTIONAL, 1, SIZE_MOST, &epochs) != CODE_OK) return r->error->code;
    if (members_size(r, object, "batch_size", OPTIONAL, 1, SIZE_MOST, &batch) != CODE_OK) return r->error->code;
    if (members_size(r, object, "record_every", OPTIONAL, 1, SIZE_MOST, &every) != CODE_OK) return r->error->code;
    t->epochs = (size_t)epochs;
    t->batch_size = batch < (double)samples ? (size_t)batch : samples;
    t->record_every = every > 0 ? (size_t)every : (t->epochs - 1) / points_usual + 1;
    size_t points = train_points(t->epochs, t->record_every);
    if (points <= TRAIN_POINTS_MAX) return CODE_OK;
    error_set(r->error, CODE_OUT_OF_RANGE, "this records %zu points, at most %d are taken: record_every must be larger",
              points, TRAIN_POINTS_MAX);
    return error_at(r->error, "record_every");
}
