/* What an op is: something that makes one value out of others. A layer, an activation, a loss. One `const struct op` in
 * a file of its own under core/ops/, and one line in the table of core/ops/ops.c: names in reports and
 * capabilities, the reader, the tests and the search for mistakes all come from there. Nobody outside its file asks for
 * an op by its name, but a loss for the activation that goes with it: what others need to know is a property below. */
#ifndef CORE_OPS_OP_H
#define CORE_OPS_OP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/backend/backend.h"
#include "core/base/error.h"
#include "core/base/tensor.h"
#include "core/ops/attribute.h"

enum { OP_ATTRIBUTES_MAX = 12, OP_SLOTS_MAX = 12, OP_SAVED_MAX = 4, OP_INPUTS_MAX = 64, OP_SENT_MAX = 3 };

/* OP_ELEMENTARY: no layer of a list, but what programs are made of. It has no named attributes but as many numbers as
 * it likes, OP_ATTRIBUTES_MAX at least: what they are stands in its file. */
enum op_kind { OP_LAYER, OP_ACTIVATION, OP_LOSS, OP_ELEMENTARY };

/* ---- what goes into an op ---- */

/* Ways to lay tensors out that users have; inside there is one, that of LAYOUT_NUMPY. */
enum layout { LAYOUT_NUMPY, LAYOUT_PYTORCH, LAYOUT_COLUMNS, LAYOUT_COUNT };

enum slot_role {
    SLOT_INPUT,     /* a value */
    SLOT_PARAMETER, /* a tensor that is learnt, and the op's own in a list of layers */
    SLOT_TARGET,    /* what a loss compares with: no gradient flows into it */
    SLOT_CONSTANT,  /* nor into this: indices, a mask */
};

enum slot_initial { INITIAL_DRAWN, INITIAL_ZERO, INITIAL_ONE };

/* One input of an op. */
struct slot {
    const char *symbol; /* "W": a parameter's name is W<k>; in formulas and error messages the name of an input */
    const char *member; /* of a parameter: "weight", its name in PyTorch is <layer>.weight */
    enum slot_role role;
    bool repeated;    /* the last slot: there may be more inputs like it */
    bool regularized; /* the loss's l2 counts it */
    bool product;     /* its gradient is x.T @ dy, x being the first input, both taken as rows */
    bool summed;      /* its gradient is dy summed over the rows */
    enum slot_initial initial;
    /* By layout: the axis inside for each axis of the request's tensor; all 0 where they are the same. */
    unsigned char axes[LAYOUT_COUNT][4];
};

/* ---- its plan ---- */

struct op_shape {
    const struct op *op;
    const double *attributes;
    size_t count;                  /* of inputs */
    const struct shape *const *in; /* by input, the batch axis included; NULL for parameters, which the plan gives */
};

/* What an op needs for inputs of given shapes; op_no_plan's, before the op fills it in. */
struct op_plan {
    struct shape out;
    bool has[OP_SLOTS_MAX];                             /* by slot, of parameters: whether the op goes with it; */
    struct shape parameters[OP_SLOTS_MAX];              /* its shape in the layout inside, */
    double fan_in[OP_SLOTS_MAX], fan_out[OP_SLOTS_MAX]; /* and what its first values are drawn by */
    size_t saved[OP_SAVED_MAX];                         /* elements that forward leaves for backward */
    double work;                                        /* floating-point operations, forward and backward together */
};

/* Without anything, the shapes of parameters that it does not have undefined: they are most of its size. */
void op_no_plan(struct op_plan *plan);

struct op;
struct mistake;

/* ---- how people write it ---- */

/* The formula of one node, in NumPy's notation, for a reader: its output, or what goes back to one input. A template
 * holds, in braces, the symbols of the op's slots for its inputs ("{x}"; of a repeated slot all inputs with commas
 * between them), {y} for its output, and {dy} for the gradient that arrives there, of which a formula of what goes
 * back is a multiple. Of a loss it is that of one element: the sum's factor is put behind it by whoever fills it in
 * (core/graph/formulas.h), as are parentheses, and the sum over axes along which an input was repeated.
 *
 * Where it depends on numbers or shapes, op->write makes the template. */
enum { WRITING_MAX = 400, WRITING_OUTPUT = -1 };
struct op_writing {
    const struct op *op;
    const double *attributes;
    size_t count; /* of inputs */
    const struct shape *const *in;
    const struct shape *out;
    long input; /* what goes back to this input; WRITING_OUTPUT: what comes out */
    char text[WRITING_MAX];
    /* What goes back is made of dy as a whole, so that it has the input's shape; else element by element. */
    bool whole;
    /* It is dy's own numbers in other places, a part of them or all: where all are the same, so are these. */
    bool moves;
    /* It is a statement, which adds what goes back to a part of {dx}: "{dx}[1:3] += {dy}". */
    bool adds;
    /* It is dy but for a part, which a statement clears: "{dx}[1:3] = 0". Nothing of it comes back at all. */
    bool clears, nothing;
    /* Of a reduction: what gives dy, and y, axes of length 1 where some are gone, "[:, None]"; "" where NumPy's own
     * repeating does; and the shape then. */
    char along[WRITING_MAX / 4];
    struct shape along_shape;
};

/* ---- a call ---- */

/* One call of an op's forward or backward. All tensors are in the backend's memory, in the layout inside. */
struct op_call {
    const struct op *op;
    const struct backend *backend;
    const double *attributes; /* in the order of op->attributes; a loss's has two more, LOSS_REDUCTION and LOSS_SCALE */
    size_t count;             /* of inputs */
    const struct shape *const *in; /* by input; NULL where the op goes without it */
    const struct shape *out;
    const void *const *x; /* by input; NULL where the op goes without it */
    void *y;              /* the output; NULL where it goes to `scalar` alone */
    const void *dy;       /* the gradient there; NULL: 1, a loss's own */
    void *const *dx;      /* by input: where its gradient goes; NULL where nobody needs it */
    const double *add;    /* by input, of an op that adds: 1 where the gradient is added to what is there, else 0 */
    void *const *saved;   /* what forward leaves for backward, by op_plan's saved */
    double *scalar;       /* host, of an op whose output is a scalar: forward puts it there, too, unless it is NULL */
};

/* Where a derivative jumps: tests and central differences keep away from it. */
enum kink {
    KINK_NONE,
    KINK_INPUT,  /* an element of the first input is op->kink_at */
    KINK_ERROR,  /* prediction and target are equal */
    KINK_MARGIN, /* a class's score is 1 below the right one's, as in hinge */
    KINK_BOUNDS, /* of an elementary op: an element of the first input is its first number or its second */
    KINK_EQUAL,  /* of an elementary op: two elements that meet are equal */
    KINK_TIES,   /* two elements of which the op takes the largest or least are equal */
};

enum target {
    TARGET_LIKE_OUTPUT,
    TARGET_CLASSES,         /* indices [batch] */
    TARGET_CLASSES_OR_SOFT, /* indices [batch] or probabilities [batch, classes] */
    TARGET_UPSTREAM,        /* the gradient that arrives at the prediction, shaped like it: data.upstream, and no y */
};

/* How core/pass/fused.h takes an op that does not work element by element. */
enum plain {
    PLAIN_NOT,
    PLAIN_SAME,                  /* the output is the input, in another shape */
    PLAIN_LINEAR,                /* x @ W + b over the last axis */
    PLAIN_SOFTMAX_CROSS_ENTROPY, /* a loss on logits, or on_probabilities and joined; else LOSS_cross_entropy */
};

/* Where the op that makes a loss's prediction is `before`, and nobody else takes that prediction, the loss is computed
 * by `instead` from what goes into `before`: the two in one are accurate where one after the other they underflow. */
struct op_join {
    const struct op *before, *instead;
    double attributes[OP_ATTRIBUTES_MAX]; /* of `instead`; a loss's reduction and scale are taken over */
};

/* One way in which tests build an op: for these inputs, under these attributes. A list of them ends with a count of 0.
 * Losses are tested under every reduction besides. */
enum { CASE_INPUTS_MAX = 4, CASE_SETTINGS_MAX = 9 };
struct op_case {
    size_t count; /* of inputs */
    /* Theirs, the batch axis included. Of a parameter or a target nothing (a rank of 0): the op's plan gives it, or it
     * is shaped like the prediction. Of a parameter another one's shape, for a layer that shares it. */
    struct shape in[CASE_INPUTS_MAX];
    struct {
        const char *attribute;
        double value;
    } set[CASE_SETTINGS_MAX]; /* what is not the attribute's default; ends with NULL where there are fewer. Of two sizes
                               * both, until it is set again: then the second. */
    const double *numbers;    /* an elementary op's, in place of attributes; number_count of them */
    size_t number_count;
    double low, high; /* inputs and targets are within; both 0 mean [-2, 2] */
    bool whole;       /* ... and whole numbers: some of them are 0 */
    /* inputs that are SLOT_CONSTANT are whole numbers from the first to below the second of these; both 0 mean 0 and 2:
     * a mask */
    double constants_from, constants_below;
    bool constants_real; /* they are as other inputs are */
};

struct op {
    const char *name;
    const char *summary; /* one line, with the formula */
    enum op_kind kind;
    struct attribute attributes[OP_ATTRIBUTES_MAX + 1]; /* ends with a NULL name */
    const struct slot *slots;                           /* ends with a NULL symbol */

    /* Fills in *plan; CODE_SHAPE_MISMATCH or CODE_OUT_OF_RANGE where inputs don't fit, with the place relative to the
     * layer. */
    int (*plan)(const struct op_shape *shape, struct op_plan *plan, struct error *error);
    int (*forward)(const struct op_call *call);
    /* Overwrites what call->dx has. */
    int (*backward)(const struct op_call *call);
    /* What forward found wrong with a value where it returned CODE_OUT_OF_RANGE, in words: returns that, or what went
     * wrong now. NULL of an op whose forward does not. */
    int (*explain)(const struct op_call *call, struct error *error);
    bool adds;     /* ... or adds to it, where call->add says so */
    bool arranges; /* its output has elements of its one input and no others, in other places or another shape */

    /* Templates of how it is written, and of what goes back to each input, by slot ("{dy} @ {b}.T"); a repeated slot's
     * stands for all its inputs. NULL where there is none. `write`, where there is one, makes them instead: false where
     * there is none under these numbers. Nothing that is not so may be written. */
    const char *written;
    const char *sent[OP_SENT_MAX];
    bool (*write)(struct op_writing *writing);
    /* Whether a layer shares a parameter with another one of these attributes whose parameters it uses, instead of
     * having one of its own; NULL: always. */
    bool (*shares)(const double *attributes, const double *other, size_t slot);
    /* Of an op with attributes that follow from its parameters: fills these in, where a program gives parameters; an
     * error where there are too few. NULL of every other. */
    int (*follow)(const struct op_shape *shape, double *attributes, struct error *error);
    /* Of an op whose output, and whose gradients, are sums of products of its inputs' elements: the power of two, its
     * exponent, of which each term of such a sum is a whole multiple, the inputs' elements being multiples of these.
     * NULL of every other op. (core/pass/magnitude.h) */
    int (*term_unit)(size_t count, const int *units);
    /* Adds what the numbers of its first input's gradient are made of besides themselves, where they are differences of
     * larger ones; NULL where they are none. (core/pass/magnitude.h) */
    void (*made_of)(const struct op_call *call, double *terms);
    /* Of an activation that is often computed by a formula that leaves something out: how far that is off at x, and at
     * most so far its slope; NULL of every other. (core/pass/magnitude.h) */
    double (*left_out)(double x);

    /* What students do wrong in it, beyond what can be done wrong in any op of its kind (core/ops/mistake.h). Ends with
     * NULL; NULL where there is nothing. */
    const struct mistake *const *mistakes;
    bool (*mistakes_when)(const double *attributes); /* NULL, or whether these can be made under the attributes */

    /* what core/ops/elementwise.h works by, where forward and backward are its functions */
    enum map map;
    bool map_by_choice; /* the first attribute counts on from map, instead of being the map's own */
    enum elementwise_loss loss;
    enum binary binary; /* what core/ops/binary.c works by */
    enum fold fold;     /* what core/ops/reduction.h works by */
    enum plain plain;   /* of every other op */

    /* an activation only, for the symptoms of a training: its units can die (be 0 for every sample); outside of these
     * limits its outputs are next to where it saturates (both 0: it does not) */
    bool dies;
    double saturates_below, saturates_above;
    /* an activation only, for its mistakes: the outputs of a row are probabilities; its derivative in terms of its
     * output alone, which is called h, or NULL */
    bool probabilities;
    bool over_rows; /* it works over the last axis, all elements of a row together */
    const char *slope_of_output;

    /* a loss only: */
    enum target target;
    bool of_difference;   /* it depends on prediction - target alone */
    bool mean_over_batch; /* what reduction "mean" divides by: the samples, else every element */
    bool (*on_probabilities)(const double *attributes); /* NULL, or whether predictions must lie within [0,1] */
    /* The activation that turns logits into its probabilities, inside it or (on probabilities) before it: at that one's
     * input the gradient is output minus target. NULL where there is none. */
    const struct op *goes_with;
    /* NULL, or how it is joined under these attributes; NULL where it is not. */
    const struct op_join *(*join)(const double *attributes);

    enum kink kink; /* ask op_kink for it */
    double kink_at;
    bool (*kinks)(const double *attributes); /* NULL, or whether there is one under these */
    /* Of KINK_TIES, KINK_BOUNDS and KINK_EQUAL: for each element of the first input a number that is another one beyond
     * the kink. */
    void (*sides)(const struct op_call *call, signed char *to);

    const struct op_case *cases; /* how it is to be tested */
};

/* ---- losses ---- */

enum reduction { REDUCTION_MEAN, REDUCTION_SUM, REDUCTION_BATCHMEAN };

extern const char *const reduction_names[]; /* ends with NULL */

/* Attributes of every loss, behind its own: an enum reduction, and a factor. */
enum { LOSS_REDUCTION = OP_ATTRIBUTES_MAX - 2, LOSS_SCALE = OP_ATTRIBUTES_MAX - 1 };

/* Its slots. */
enum { LOSS_PREDICTION, LOSS_TARGET };
extern const struct slot loss_slots[];

/* The member of data that a loss compares with. */
const char *loss_target(const struct op *loss);

/* Whether a member of that name is any loss's. */
bool loss_is_target(const char *name);

/* What a loss multiplies the sum over its elements by, for predictions of that shape. */
double loss_factor(const struct op *loss, const double *attributes, const struct shape *prediction);

/* Whether its predictions are logits, rather than probabilities or anything else. */
bool loss_takes_logits(const struct op *loss, const double *attributes);

/* ---- slots ---- */

/* The slot of an input; that of a repeated one for all inputs from there on. */
const struct slot *op_slot(const struct op *op, size_t input);

/* Whether a gradient flows into an input: it is no target and no constant. */
bool op_differentiates(const struct op *op, size_t input);

/* Its kink under these attributes. */
enum kink op_kink(const struct op *op, const double *attributes);

/* How many values an op takes: `most` is SIZE_MAX where it takes any number. */
void op_inputs(const struct op *op, size_t *least, size_t *most);

/* How many of its slots are parameters. */
size_t op_parameters(const struct op *op);

/* The slots of an op with one input, x. */
extern const struct slot unary_slots[];

/* A term_unit of sums of single elements: the least of its inputs'; and of products: their sum. */
int op_unit_of_sums(size_t count, const int *units);
int op_unit_of_products(size_t count, const int *units);

/* The product of a shape's dimensions, which a graph has found not to overflow. */
static inline size_t op_elements(const struct shape *shape)
{
    size_t size = 1;
    for (size_t i = 0; i < shape->rank; i++)
        size *= shape->dim[i];
    return size;
}

#endif
