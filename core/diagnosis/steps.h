/* The nodes of the graph as rules see them, under a hypothesis. */
#ifndef CORE_DIAGNOSIS_STEPS_H
#define CORE_DIAGNOSIS_STEPS_H

#include "core/diagnosis/search.h"

/* A node with what the hypothesis sends into it. What its second input's gradient is taken for (dW) is the caller's to
 * fill in. */
struct step_call step_at(const struct search *s, const struct node *node);

/* An activation's, element by element: all its elements as rows of one. */
struct step_call step_at_activation(const struct search *s, const struct node *node);

/* The tensors of a node that are graded, nobody else's, and of a kind that can be told at a glance: x.T @ dy, and dy
 * summed over its rows. */
struct step_own {
    size_t product, summed; /* PARAMETER_NONE where there is none */
    bool others;            /* there are more, or one of them is used elsewhere, too */
};
struct step_own step_own(const struct search *s, const struct node *node);

/* What no hypothesis changes of a node. */
struct step_known {
    struct step_call fixed;
    struct step_own own;
    const struct value *behind; /* what the activation makes that alone takes a layer's output; NULL without one */
};

/* Finds it for all nodes, once the flow is prepared. False when memory is short. */
bool step_prepare(struct search *s);

/* Whether a node is the last on the way back to send to one of its inputs. */
bool step_is_last_to(const struct search *s, const struct node *node, size_t input);

/* Which of what is graded a parameter of a node is, where the node is the last to send to it; else PARAMETER_NONE. */
size_t step_completes(const struct search *s, const struct node *node, size_t input);

#endif
