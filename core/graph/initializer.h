/* Schemes that draw a network's first parameters. */
#ifndef CORE_GRAPH_INITIALIZER_H
#define CORE_GRAPH_INITIALIZER_H

#include <stdint.h>

#include "core/graph/network.h"

enum scheme {
    SCHEME_HE_NORMAL,
    SCHEME_HE_UNIFORM,
    SCHEME_XAVIER_NORMAL,
    SCHEME_XAVIER_UNIFORM,
    SCHEME_NORMAL,
    SCHEME_UNIFORM,
    SCHEME_ZEROS
};

extern const char *const scheme_names[]; /* ends with NULL */

struct initializer {
    enum scheme scheme;
    uint32_t seed;
    double std;       /* normal */
    double low, high; /* uniform */
};

/* Fills parameters[i] (host, layout inside) of every parameter of the network: weights in layer order, drawn
 * in the order of np.random.randn(in, out) * scale or np.random.uniform(-a, a, (in, out)) with NumPy's legacy
 * generator; biases are zero (gains one) and draw nothing. He et al. 2015: sqrt(2/in), a = sqrt(6/in). Glorot and
 * Bengio 2010: sqrt(2/(in+out)), a = sqrt(6/(in+out)). */
void initializer_fill(const struct initializer *initializer, const struct network *network, double *const *parameters);

#endif
