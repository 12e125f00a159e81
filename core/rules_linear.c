/* Wrong gradients of a linear layer's weight and bias, and wrong ways of sending the gradient back through it. */
#include <string.h>

#include "core/mistake.h"

static const double *weight_of(const struct step_call *call)
{
    return call->pass->parameters[call->pass->network->nodes[call->node].parameters[0]];
}

/* ---- dx, [rows, in] ---- */

enum { RAW_ERROR, NOT_TRANSPOSED, UPDATED = SEND_UPDATED, WEIGHT_GRADIENT, SKIPPED };

enum rule_outcome rules_send(const struct step_call *call, size_t variant, struct alternative *alternative)
{
    static const struct mistake *const named[] = {&mistake_raw_error_propagated, &mistake_weight_not_transposed,
                                                  &mistake_updated_weights_propagated,
                                                  &mistake_weight_gradient_as_weight, &mistake_weight_skipped};
    if (variant >= SEND_VARIANTS) return RULE_END;
    const struct backend *b = call->pass->backend;
    const double *W = weight_of(call);
    size_t rows = call->rows, in = call->in, out = call->out;
    double *dx = alternative->value;
    alternative->mistake = named[variant];
    alternative->has_slope = variant == UPDATED;
    switch (variant) {
    case RAW_ERROR:
        if (call->dh == NULL) return RULE_SKIP;
        b->gemm(false, true, rows, in, out, 1, call->dh, W, 0, dx);
        return RULE_MADE;
    case NOT_TRANSPOSED:
        if (in != out || in == 1) return RULE_SKIP;
        b->gemm(false, false, rows, in, out, 1, call->dy, W, 0, dx);
        return RULE_MADE;
    case UPDATED: /* dz @ (W - lr dW).T, lr being the unknown */
        b->gemm(false, true, rows, in, out, 1, call->dy, W, 0, dx);
        b->gemm(false, true, rows, in, out, -1, call->dy, call->dW, 0, alternative->slope);
        return RULE_MADE;
    case WEIGHT_GRADIENT:
        b->gemm(false, true, rows, in, out, 1, call->dy, call->dW, 0, dx);
        return RULE_MADE;
    default: /* SKIPPED: equal widths, or one unit spread over all */
        if (in != out && out != 1) return RULE_SKIP;
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < in; j++)
                dx[i * in + j] = call->dy[i * out + (out == 1 ? 0 : j)];
        return RULE_MADE;
    }
}

/* ---- dW, [in, out] ---- */

enum { NOT_ACTIVATED, OWN_OUTPUT, OWN_INPUT_OF_ACTIVATION, INPUT_IGNORED, WEIGHT_AS_INPUT, WEIGHT_COUNT };

enum rule_outcome rules_weight(const struct step_call *call, size_t variant, struct alternative *alternative)
{
    static const struct mistake *const named[] = {&mistake_input_not_activated, &mistake_own_output_as_input,
                                                  &mistake_own_output_as_input, &mistake_input_ignored,
                                                  &mistake_weight_as_input};
    if (variant >= WEIGHT_COUNT) return RULE_END;
    const struct pass *pass = call->pass;
    const struct network *network = pass->network;
    const struct node *node = &network->nodes[call->node];
    size_t rows = call->rows, in = call->in, out = call->out;
    double *dW = alternative->value;
    const double *W = weight_of(call), *instead = NULL;
    alternative->mistake = named[variant];
    alternative->has_slope = false;
    if (variant == NOT_ACTIVATED) {
        /* The layer takes what an activation made; this is what that activation was made of. */
        if (node->input == NODE_INPUT || network->nodes[node->input].layer->op->kind != OP_ACTIVATION) return RULE_SKIP;
        size_t before = network->nodes[node->input].input;
        instead = before == NODE_INPUT ? pass->x : pass->y[before];
    } else if (variant == OWN_OUTPUT || variant == OWN_INPUT_OF_ACTIVATION) {
        if (in != out) return RULE_SKIP;
        size_t next = call->node + 1;
        bool activated = next < network->node_count && network->nodes[next].layer->op->kind == OP_ACTIVATION;
        if (variant == OWN_OUTPUT && !activated) return RULE_SKIP;
        instead = variant == OWN_OUTPUT ? pass->y[next] : call->y;
    }
    if (instead != NULL) {
        pass->backend->gemm(true, false, in, out, rows, 1, instead, call->dy, 0, dW);
        return RULE_MADE;
    }
    pass->backend->sum_rows(rows, out, call->dy, dW); /* the first row; then the others, from below */
    for (size_t j = in; j-- > 0;)
        for (size_t k = 0; k < out; k++)
            dW[j * out + k] = variant == WEIGHT_AS_INPUT && j > 0 ? W[j * out + k] * dW[k] : dW[k];
    for (size_t k = 0; variant == WEIGHT_AS_INPUT && k < out; k++)
        dW[k] *= W[k];
    return RULE_MADE;
}

/* ---- db, [out] ---- */

enum { AVERAGED, OVER_UNITS, FROM_WEIGHT, BIAS_COUNT };

enum rule_outcome rules_bias(const struct step_call *call, size_t variant, struct alternative *alternative)
{
    static const struct mistake *const named[] = {&mistake_bias_averaged, &mistake_bias_summed_over_units,
                                                  &mistake_bias_from_weight_gradient};
    if (variant >= BIAS_COUNT) return RULE_END;
    double *db = alternative->value;
    size_t out = call->out;
    alternative->mistake = named[variant];
    alternative->has_slope = false;
    if (variant == FROM_WEIGHT) {
        call->pass->backend->sum_rows(call->in, out, call->dW, db);
        return RULE_MADE;
    }
    call->pass->backend->sum_rows(call->rows, out, call->dy, db);
    double total = 0;
    for (size_t k = 0; k < out; k++)
        total += db[k];
    for (size_t k = 0; k < out; k++)
        db[k] = variant == AVERAGED ? db[k] / (double)call->rows : total;
    return RULE_MADE;
}
