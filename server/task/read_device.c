#include "server/task/read_device.h"

#include "server/task/device.h"

int read_device(struct members *r, const json_t *root, const struct options *options, struct device_choice *device,
                enum dtype *dtype)
{
    int which = -1, arithmetic = DTYPE_FLOAT64;
    if (members_choice(r, root, "device", OPTIONAL, device_names, &which) != CODE_OK) return r->error->code;
    if (members_choice(r, root, "dtype", OPTIONAL, dtype_names, &arithmetic) != CODE_OK) return r->error->code;
    *device = options->device;
    if (which >= 0) *device = (struct device_choice){.which = (size_t)which};
    *dtype = (enum dtype)arithmetic;
    const struct device *asked = device_asked(*device);
    if (asked == NULL || device->usually || asked->is_there()) return CODE_OK;
    error_set(r->error, CODE_OUT_OF_RANGE, "there is no %s here (%s); use cpu or auto", asked->title, asked->why());
    return error_at(r->error, "device");
}
