/* What goes wrong in a training: read from its activations, its loss and its gradients' norms. */
#ifndef CORE_TRAIN_SYMPTOMS_H
#define CORE_TRAIN_SYMPTOMS_H

#include "core/graph/network.h"
#include "core/pass/pass.h"

enum symptom {
    SYMPTOM_DEAD_RELU,
    SYMPTOM_SATURATED,
    SYMPTOM_VANISHING_GRADIENTS,
    SYMPTOM_EXPLODING_GRADIENTS,
    SYMPTOM_DIVERGED,
    SYMPTOM_PLATEAU,
    SYMPTOM_OSCILLATING,
    SYMPTOM_COUNT
};

extern const char *const symptom_names[];     /* by symptom; ends with NULL */
extern const char *const symptom_summaries[]; /* by symptom: one line */

#define REMARK_NO_LAYER ((size_t)-1)

enum { REMARK_TEXT_MAX = 320 };

struct remark {
    enum symptom symptom;
    size_t layer; /* index into the definition's layers; REMARK_NO_LAYER where it is about the whole run, or */
    size_t line;  /* of a program about this line of it, from 1; else 0 */
    size_t epoch; /* where it was first seen */
    char message[REMARK_TEXT_MAX], hint[REMARK_TEXT_MAX];
    const size_t *units; /* dead_relu: which (of a program: along the last axis); NULL elsewhere */
    size_t unit_count;
};

/* The recorded points of a run. */
struct curve {
    size_t count;
    size_t *epochs;
    double *loss, *accuracy; /* accuracy is NULL where there is none */
    double majority;         /* the accuracy of always giving the most frequent answer */
    double **norms;          /* by parameter, by point: the L2 norm of its gradient */
    bool diverged;           /* the next loss was not finite */
    size_t diverged_at;      /* its epoch */
};

/* How the units of a run's activations are. */
struct vitals;

/* given: the numbers of what the network is given, by value. All its memory comes from the arena now; NULL when that is
 * short. */
struct vitals *vitals_new(struct arena *arena, const struct network *network, double *const *given);

/* Looks at a pass after its forward: one batch of an epoch that is recorded; `first` and `last` say which of the
 * epoch's batches it is. Errors are the backend's. */
int vitals_look(struct vitals *vitals, const struct pass *pass, size_t samples, size_t epoch, bool first, bool last);

/* What there is to remark on the run so far, gravest first: a list within vitals, overwritten by the next call. */
size_t symptoms_judge(struct vitals *vitals, const struct curve *curve, const struct remark **remarks);

#endif
