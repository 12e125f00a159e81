/* A sketch before a closer look: whether a hypothesis may be true at a layer, at a small part of the cost of finding
 * out. All of these are sound: what fits is never turned away; what passes may still not fit. */
#ifndef CORE_DIAGNOSIS_SKETCH_H
#define CORE_DIAGNOSIS_SKETCH_H

#include "core/diagnosis/walk.h"
#include "core/diagnosis/rules.h"

/* How many units of a layer are looked at before all of them. */
enum { SKETCH_UNITS = 8 };

/* Which of a layer's tensors has to fit. */
enum sketch_at { SKETCH_WEIGHT, SKETCH_BIAS };

/* Takes room by node, the random signs and what the layers' weights should come to. False when memory is short. */
bool sketch_prepare(struct search *s);

/* Once more for one layer: what was handed in for its weight has changed. */
void sketch_observe(struct search *s, size_t node);

/* Whether dW = x.T @ dz may be what was handed in, by one random combination of its rows: as cheap as a bias. */
bool sketch_weight(struct search *s, const struct step_call *call, const double *dz);

/* The same for value + c * slope with any c. */
bool sketch_line(struct search *s, const struct step_call *call, const double *value, const double *slope);

/* Whether the layer is worth a closer look under the hypothesis, with call->dy as dz. */
bool sketch_layer(struct search *s, const struct step_call *call);

/* A few units of the activation behind a layer, for its rules to be tried on. */
struct sketch {
    const struct step_call *layer, *activation;
    double *room;
    bool narrow; /* else all units have to be looked at anyway: nothing is turned away */
    struct step_call few;
    size_t units[SKETCH_UNITS];
};

/* In the room of that node, one of the two: what goes on below has sketches of its own while this one is in use. layer
 * and activation must outlive it. */
struct sketch sketch_new(struct search *s, size_t node, const struct step_call *layer,
                         const struct step_call *activation);

/* Whether the layer's weight or bias alone may come from that rule for the activation's step. */
bool sketch_local(struct search *s, const struct sketch *sketch, const struct rule *rule, enum sketch_at at);

/* Whether the layer may be worth a closer look (as sketch_layer has it) under that rule, were it on the path. */
bool sketch_rule(struct search *s, const struct sketch *sketch, const struct rule *rule);

#endif
