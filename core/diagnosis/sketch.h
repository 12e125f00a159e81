/* A sketch before a closer look: whether a hypothesis may be true at a layer, at a small part of the cost of finding
 * out. All of these are sound: what fits is never turned away; what passes may still not fit. */
#ifndef CORE_DIAGNOSIS_SKETCH_H
#define CORE_DIAGNOSIS_SKETCH_H

#include "core/diagnosis/rules.h"
#include "core/diagnosis/steps.h"

/* How many units of a layer are looked at before all of them. */
enum { SKETCH_UNITS = 8 };

/* Takes room, the random signs and what the weights should come to. False when memory is short. */
bool sketch_prepare(struct search *s);

/* Once more for one tensor that is graded: what was handed in for it has changed. */
void sketch_observe(struct search *s, size_t p);

/* Whether x.T @ (value + c * slope) may be what was handed in for a tensor with any c, or with slope NULL x.T @ value,
 * by one random combination of its rows: as cheap as a bias. True where it cannot be told. */
bool sketch_line(struct search *s, size_t p, const struct step_call *call, const double *value, const double *slope);

/* Whether a node's own tensors are worth a closer look under the hypothesis, with call->dy as what comes in. */
bool sketch_node(struct search *s, const struct node *node, const struct step_call *call);

/* A few units of the activation behind a layer, for its rules to be tried on. */
struct sketch {
    const struct node *node; /* the layer's */
    const struct step_call *layer, *activation;
    struct step_own own;
    double *room;
    bool narrow; /* else all units have to be looked at anyway: nothing is turned away */
    struct step_call few;
    size_t units[SKETCH_UNITS];
};

/* In the room of one of the two nodes: what goes on below has sketches of its own while this one is in use. layer and
 * activation must outlive it. */
struct sketch sketch_new(struct search *s, const struct node *room_of, const struct node *node,
                         const struct step_call *layer, const struct step_call *activation);

/* Whether one of the layer's tensors alone may come from that rule for the activation's step. */
bool sketch_local(struct search *s, const struct sketch *sketch, const struct rule *rule, size_t p);

/* Whether the layer may be worth a closer look (as sketch_node has it) under that rule, were it on the path. */
bool sketch_rule(struct search *s, const struct sketch *sketch, const struct node *activation, const struct rule *rule);

#endif
