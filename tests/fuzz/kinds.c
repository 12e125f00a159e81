#include "tests/fuzz/kinds.h"

const struct kind layer_kinds[LAYER_KINDS] = {
    {.name = "linear"},
    {.name = "flatten"},
    {.name = "add"},
    {.name = "mul"},
    {.name = "concat", .attribute = "dim"},
    {.name = "layer_norm", .attribute = "eps", .low = 0.01, .high = 1},
    {.name = "relu"},
    {.name = "tanh"},
    {.name = "sigmoid", .probabilities = true},
    {.name = "leaky_relu", .attribute = "negative_slope", .low = -0.5, .high = 1},
    {.name = "elu", .attribute = "alpha", .low = -1, .high = 2},
    {.name = "softplus"},
    {.name = "silu"},
    {.name = "gelu", .attribute = "approximate", .words = {"none", "tanh"}},
    {.name = "softmax", .probabilities = true, .whole = true},
    {.name = "log_softmax", .whole = true},
};

const struct kind losses[LOSSES] = {
    {.name = "mse"},
    {.name = "bce", .probabilities = true},
    {.name = "bce_with_logits"},
    {.name = "cross_entropy", .classes = true, .soft = true},
    {.name = "cross_entropy",
     .attribute = "from",
     .words = {"probabilities", "probabilities"},
     .probabilities = true,
     .classes = true,
     .soft = true},
    {.name = "nll", .classes = true},
    {.name = "hinge", .classes = true},
    {.name = "l1"},
    {.name = "smooth_l1", .attribute = "beta", .low = 0, .high = 2},
    {.name = "huber", .attribute = "delta", .low = 0.01, .high = 2},
    {.name = "upstream", .upstream = true},
};

void kind_roll(struct dice *dice, const struct kind *kind, bool *given, double *number)
{
    *given = kind->attribute != NULL && (kind->probabilities || !dice_rarely(dice, 3));
    if (!*given) return;
    unsigned at = dice_pick(dice, 9);
    *number = kind->words[0] != NULL ? at % 2 : rounded(kind->low + (kind->high - kind->low) * at / 8, 0.01);
}

void kind_write(struct text *text, const struct kind *kind, bool given, double number)
{
    if (!given) return;
    write_key(text, kind->attribute);
    if (kind->words[0] != NULL)
        write_string(text, kind->words[number > 0]);
    else
        write_number(text, number);
}
