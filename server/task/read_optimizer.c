#include "server/task/read_optimizer.h"

#include "server/task/read_attributes.h"

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
