/* The names of a network's forward and backward values: z1, h1, y_hat, dz1, dh1, dy_hat. */
#ifndef CORE_GRAPH_INTERMEDIATES_H
#define CORE_GRAPH_INTERMEDIATES_H

#include "core/graph/network.h"

struct intermediate {
    const struct value *value; /* which it is, or the gradient there */
    bool gradient;
};

/* The names of one layer: z, h, dz, dL_dz, dh, dL_dh; those of the output are fewer. */
enum { INTERMEDIATE_NAMES_PER_LAYER = 6 };

/* z<k>: the output of the k-th layer that has parameters; h<k>: what the activation that takes it makes of it (other
 * layers may take it too, as in a residual block), or z<k> itself where none or several do; y_hat: the network's
 * output; with d or dL_d in front the gradient of the loss there. False for any other name. */
bool intermediate_find(const struct network *network, const char *name, struct intermediate *intermediate);

/* The one activation among those that take a value, whatever else takes it too: what makes h<k> of z<k>. NULL where
 * there are none or several. */
const struct node *network_one_activation(const struct value *value);

/* The activation that alone takes a value; NULL where there is none. */
const struct node *network_activation(const struct value *value);

#endif
