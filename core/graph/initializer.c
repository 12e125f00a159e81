#include "core/graph/initializer.h"

#include <math.h>

#include "core/base/numpy_random.h"

const char *const scheme_names[] = {"he_normal", "he_uniform", "xavier_normal", "xavier_uniform",
                                    "normal",    "uniform",    "zeros",         NULL};

static void fill_normal(struct numpy_random *random, double scale, size_t n, double *w)
{
    for (size_t i = 0; i < n; i++)
        w[i] = numpy_random_normal(random) * scale;
}

/* NumPy's low + (high - low) * u */
static void fill_uniform(struct numpy_random *random, double low, double high, size_t n, double *w)
{
    double range = high - low;
    for (size_t i = 0; i < n; i++)
        w[i] = low + range * numpy_random_uniform(random);
}

void initializer_fill(const struct initializer *initializer, const struct network *network, double *const *parameters)
{
    struct numpy_random random;
    numpy_random_seed(&random, initializer->seed);
    for (size_t p = 0; p < network->parameter_count; p++) {
        const struct graded *parameter = &network->graded[p];
        size_t n = parameter->value->size;
        double *w = parameters[p], in = parameter->fan_in, out = parameter->fan_out, a;
        if (parameter->slot->initial != INITIAL_DRAWN || initializer->scheme == SCHEME_ZEROS) {
            for (size_t i = 0; i < n; i++)
                w[i] = parameter->slot->initial == INITIAL_ONE ? 1 : 0;
            continue;
        }
        switch (initializer->scheme) {
        case SCHEME_HE_NORMAL:
            fill_normal(&random, sqrt(2 / in), n, w);
            break;
        case SCHEME_HE_UNIFORM:
            a = sqrt(6 / in);
            fill_uniform(&random, -a, a, n, w);
            break;
        case SCHEME_XAVIER_NORMAL:
            fill_normal(&random, sqrt(2 / (in + out)), n, w);
            break;
        case SCHEME_XAVIER_UNIFORM:
            a = sqrt(6 / (in + out));
            fill_uniform(&random, -a, a, n, w);
            break;
        case SCHEME_NORMAL:
            fill_normal(&random, initializer->std, n, w);
            break;
        case SCHEME_UNIFORM:
            fill_uniform(&random, initializer->low, initializer->high, n, w);
            break;
        case SCHEME_ZEROS:
            break;
        }
    }
}
