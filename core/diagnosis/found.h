/* What a diagnosis says. */
#ifndef CORE_DIAGNOSIS_FOUND_H
#define CORE_DIAGNOSIS_FOUND_H

#include "core/check/printed.h"
#include "core/graph/graph.h"
#include "core/ops/mistake.h"

enum { FOUND_MAX = 8, FOUND_ALTERNATIVES_MAX = 8 };

/* The layer of a mistake at the loss. */
#define LAYER_LOSS ((size_t)-1)

/* Of a line that is run several times, in a loop or at several calls: which time. */
enum turn { TURN_NONE, TURN_FIRST, TURN_LAST };

/* One mistake, at all the places where it was made. Lists are in the arena. */
struct found {
    const struct mistake *mistake;
    /* Indices into the definition's layers, or LAYER_LOSS; as the backward pass goes. Of a program its lines, from 1,
     * the one nearest the loss first. */
    size_t *layers, layer_count;
    size_t *parameters, parameter_count; /* that it spoils */
    double residual;                     /* the largest difference that it leaves there */
    size_t variant;                      /* of the mistake: which wrong way to make it */
    bool has_factor;
    double factor;
    double scale; /* of a mistake at the loss: what its direction is multiplied by; 0 where it has none */
    /* Others that give the same numbers, likelier first; behind those that do so alone such as do so two at once. */
    const struct mistake *alternatives[FOUND_ALTERNATIVES_MAX];
    const struct mistake *with[FOUND_ALTERNATIVES_MAX]; /* by alternative: the other of such two, else NULL */
    size_t alternative_count;
    size_t sample;                 /* single_sample */
    struct printed printed;        /* rounded */
    bool by_norm;                  /* clipped: by global norm, else by value */
    bool of_tensors;               /* it is about single tensors, not about a step and all below it */
    bool of_data;                  /* ... which are all data's */
    bool of_l2, but_l2;            /* ... and in them about l2's part alone; about all but that */
    const struct value *below;     /* of a mistake at a value that is used in several places: which */
    const struct node *made_at;    /* of a program: the operation, or one of them */
    bool whole_line;               /* of a program: it is about all that the line computes */
    size_t left_line;              /* of gradient_overwritten in a program: whose share is left */
    enum turn turn;                /* ... or, of contribution_missing: is missing, where one line has all shares */
    bool sent;                     /* a factor on what its layers send back, in a graph */
    const char *name, *looks_like; /* forward_wrong: which value, and what it looks like; each may be NULL */
    bool at_loss;                  /* it is a factor on the gradient of the loss, or on all */
    bool others_reach;             /* other mistakes spoil some of the same tensors */
    bool sent_back;                /* ... and was made behind the loss: l2's part never has it */
    bool with_l2;                  /* the factor on the gradient of the loss is on that of the regularization, too */
    bool right_below;              /* there is something below the tensors that it spoils, and all of that is right */
};

/* A value that was handed in, or the gradient there, judged by what was handed in for what goes into it. */
enum given_state { GIVEN_RIGHT, GIVEN_RIGHT_FOR_INPUT, GIVEN_WRONG_HERE };
struct given_step {
    const char *name; /* as it was handed in; NULL: a parameter's gradient, */
    size_t graded;    /* which */
    const struct value *value;
    bool gradient;
    enum given_state state;
};

struct diagnosis {
    bool explained;     /* the mistakes account for every failing parameter */
    bool stopped;       /* time ran out: something likelier, or alternatives, may have been missed */
    size_t first_wrong; /* the failing parameter that the backward pass reaches first */
    struct found *found;
    size_t count;
    struct given_step *steps; /* forward as the pass goes, then back */
    size_t step_count;
    size_t *suspects,
        suspect_count;     /* layers, the loss last, or lines: where the slip may be, where all is not explained */
    const bool *inherited; /* by graded: wrong only by what came in from a mistake made elsewhere; NULL: nothing is */
};

#endif
