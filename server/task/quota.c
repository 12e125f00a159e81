#include "server/task/quota.h"

int quota_work(const struct options *options, const char *what, double work, struct error *error)
{
    if (work <= options->max_work) return CODE_OK;
    return error_set(error, CODE_TOO_MUCH_WORK, "this %s would take %.3g floating-point operations, the limit is %.3g",
                     what, work, options->max_work);
}

int quota_memory(const struct options *options, const char *what, double bytes, struct error *error)
{
    const double limit = (double)options_request_memory(options) / 2;
    if (bytes <= limit) return CODE_OK;
    return error_set(error, CODE_TOO_MUCH_WORK, "this %s would take %.3g bytes of memory, the limit is %.3g", what,
                     bytes, limit);
}
