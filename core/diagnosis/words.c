#include "core/diagnosis/words.h"

#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 96, PHRASE_MAX = 640, TEXT_MAX = 2048 };

/* Where a mistake is: the names of what lies there. */
struct place {
    const struct check *check;
    const struct found *found;
    size_t layer;      /* of the mistake, or the last one where it is at the loss */
    size_t activation; /* the activation that it is about */
    size_t weighted;   /* the layer with parameters that it is about */
    size_t number;     /* k of that layer */
};

static bool has_parameters(const struct network *network, size_t node)
{
    return network->nodes[node].parameters[0] != PARAMETER_NONE;
}

static struct place place_of(const struct check *check, const struct found *found)
{
    const struct network *network = check->network;
    struct place place = {.check = check, .found = found, .layer = network->node_count - 1};
    /* Of several places the one nearest the loss: there the gradient first goes wrong. */
    bool at_loss = found->layer_count == 0 || found->layers[found->layer_count - 1] == LAYER_LOSS;
    if (!at_loss) place.layer = found->layers[found->layer_count - 1];
    place.weighted = place.activation = place.layer;
    while (place.weighted > 0 && !has_parameters(network, place.weighted))
        place.weighted--;
    size_t next = place.weighted + 1;
    if (has_parameters(network, place.layer) && next < network->node_count &&
        network->nodes[next].layer->op->kind == OP_ACTIVATION)
        place.activation = next;
    for (size_t k = 0; k < network->numbered_count; k++)
        if (network->numbered[k] == place.weighted) place.number = k + 1;
    return place;
}

/* "dW2", or "fc1.weight.grad". */
static void gradient_name(const struct place *place, size_t p, char *word)
{
    const char *name = place->check->names[p];
    if (place->check->convention == CONVENTION_PYTORCH)
        snprintf(word, WORD_MAX, "%.80s.grad", name);
    else
        snprintf(word, WORD_MAX, "d%.80s", name);
}

static void parameter_words(const struct place *place, const char *key, char *word)
{
    const struct node *node = &place->check->network->nodes[place->weighted];
    size_t p = node->parameters[key[strlen(key) - 1] == 'b' && node->parameters[1] != PARAMETER_NONE];
    if (key[0] == 'd')
        gradient_name(place, p, word);
    else
        snprintf(word, WORD_MAX, "%.80s", place->check->names[p]);
}

static void list_parameters(const struct place *place, char *text)
{
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < place->found->parameter_count && n + WORD_MAX < PHRASE_MAX; i++) {
        char word[WORD_MAX];
        gradient_name(place, place->found->parameters[i], word);
        n += (size_t)snprintf(text + n, PHRASE_MAX - n, "%s%s", i > 0 ? ", " : "", word);
    }
}

/* ---- formulas, in the order of the convention's products ---- */

static void value_names(const struct place *place, char *x, char *dz, char *dh, char *dx)
{
    size_t k = place->number;
    snprintf(x, WORD_MAX, k > 1 ? "h%zu" : "x", k - 1);
    snprintf(dz, WORD_MAX, "dz%zu", k);
    snprintf(dh, WORD_MAX, "dh%zu", k);
    snprintf(dx, WORD_MAX, k > 1 ? "dh%zu" : "dx", k - 1);
}

/* What a product of dz and the weight is called, transposed as it should be or not. */
static void send_formula(const struct place *place, const char *dz, bool transposed, char *text)
{
    char W[WORD_MAX];
    parameter_words(place, "W", W);
    const char *other = transposed ? ".T" : "";
    if (place->check->convention == CONVENTION_NUMPY)
        snprintf(text, PHRASE_MAX, "%s @ %s%s", dz, W, other);
    else if (place->check->convention == CONVENTION_PYTORCH)
        snprintf(text, PHRASE_MAX, "%s @ %s%s", dz, W, transposed ? "" : ".T");
    else
        snprintf(text, PHRASE_MAX, "%s%s @ %s", W, other, dz);
}

static bool formula(const struct place *place, const char *key, char *text)
{
    char x[WORD_MAX], dz[WORD_MAX], dh[WORD_MAX], dx[WORD_MAX];
    value_names(place, x, dz, dh, dx);
    enum convention convention = place->check->convention;
    if (strcmp(key, "weight") == 0)
        snprintf(text, PHRASE_MAX, "%s%s @ %s%s", convention == CONVENTION_NUMPY ? x : dz,
                 convention == CONVENTION_COLUMNS ? "" : ".T", convention == CONVENTION_NUMPY ? dz : x,
                 convention == CONVENTION_COLUMNS ? ".T" : "");
    else if (strcmp(key, "bias") == 0)
        snprintf(text, PHRASE_MAX, "%s.sum(%s)", dz,
                 convention == CONVENTION_COLUMNS   ? "axis=1, keepdims=True"
                 : convention == CONVENTION_PYTORCH ? "dim=0"
                                                    : "axis=0");
    else if (strcmp(key, "send") == 0)
        send_formula(place, dz, true, text);
    else if (strcmp(key, "send_plain") == 0)
        send_formula(place, dz, false, text);
    else if (strcmp(key, "send_dh") == 0)
        send_formula(place, dh, true, text);
    else if (strcmp(key, "x") == 0)
        snprintf(text, PHRASE_MAX, "%s", x);
    else if (strcmp(key, "dx") == 0)
        snprintf(text, PHRASE_MAX, "%s", dx);
    else if (strcmp(key, "z_prev") == 0)
        snprintf(text, PHRASE_MAX, "z%zu", place->number - 1);
    else if (strcmp(key, "formula_at_input") == 0) {
        bool sigmoid = strcmp(place->check->network->nodes[place->activation].layer->op->name, "sigmoid") == 0;
        snprintf(text, PHRASE_MAX, sigmoid ? "%s * z%zu * (1 - z%zu)" : "%s * (1 - z%zu**2)", dh, place->number,
                 place->number);
    } else
        return false;
    return true;
}

/* ---- words about the whole ---- */

static void divisor(const struct place *place, char *text)
{
    const struct definition *d = place->check->network->definition;
    const char *words = d->reduction == REDUCTION_SUM ? "nothing"
                        : d->reduction == REDUCTION_BATCHMEAN || d->loss.op->mean_over_batch
                            ? "the number of samples"
                            : "the number of elements of the output";
    snprintf(text, PHRASE_MAX, "%s", words);
}

static void word_for(const struct place *place, const char *key, char *text)
{
    const struct network *network = place->check->network;
    const struct found *found = place->found;
    text[0] = '\0';
    if (formula(place, key, text)) return;
    if (strcmp(key, "W") == 0 || strcmp(key, "b") == 0 || strcmp(key, "dW") == 0 || strcmp(key, "db") == 0)
        parameter_words(place, key, text);
    else if (strcmp(key, "z") == 0 || strcmp(key, "h") == 0 || strcmp(key, "dz") == 0 || strcmp(key, "dh") == 0)
        snprintf(text, PHRASE_MAX, "%s%zu", key, place->number);
    else if (strcmp(key, "z_last") == 0)
        snprintf(text, PHRASE_MAX, "z%zu", network->numbered_count);
    else if (strcmp(key, "f") == 0)
        snprintf(text, PHRASE_MAX, "%s", network->nodes[place->activation].layer->op->name);
    else if (strcmp(key, "f_last") == 0)
        snprintf(text, PHRASE_MAX, "%s", network_output(network)->layer->op->name);
    else if (strcmp(key, "loss") == 0)
        snprintf(text, PHRASE_MAX, "%s", network->definition->loss.op->name);
    else if (strcmp(key, "reduction") == 0)
        snprintf(text, PHRASE_MAX, "%s", reduction_names[network->definition->reduction]);
    else if (strcmp(key, "divisor") == 0)
        divisor(place, text);
    else if (strcmp(key, "layer") == 0)
        snprintf(text, PHRASE_MAX, "%zu", place->layer);
    else if (strcmp(key, "weighted") == 0)
        snprintf(text, PHRASE_MAX, "%zu", place->weighted);
    else if (strcmp(key, "still") == 0 && network_output(network)->layer->op->kind == OP_ACTIVATION)
        snprintf(text, PHRASE_MAX, ", and the derivative of %s is still to come",
                 network_output(network)->layer->op->name);
    else if (strcmp(key, "factor") == 0)
        snprintf(text, PHRASE_MAX, "%.8g", found->factor);
    else if (strcmp(key, "detail") == 0 && found->has_factor)
        snprintf(text, PHRASE_MAX, " (with %.8g for its slope or alpha)", found->factor);
    else if (strcmp(key, "sample") == 0)
        snprintf(text, PHRASE_MAX, "%zu", found->sample);
    else if (strcmp(key, "how") == 0)
        snprintf(text, PHRASE_MAX, "%s", found->by_norm ? "by their global norm" : "by value");
    else if (strcmp(key, "parameter") == 0 || strcmp(key, "parameters") == 0)
        list_parameters(place, text);
}

const char *words_message(const struct found *found)
{
    /* A factor on single tensors is not one on the loss and all below it. */
    static const char of_tensors[] = "{parameters}: {factor} times the right gradient.";
    static const char alone[] = "{parameters}: {factor} times the right gradient, while what lies below is right.";
    static const char of_l2[] = "{parameters}: the part of the regularization is {factor} times what it should be. Its"
                                " gradient is l2 * W.";
    static const struct mistake *const factors[] = {
        &mistake_not_averaged_over_batch, &mistake_averaged_twice, &mistake_wrong_normalization,
        &mistake_missing_factor_two,      &mistake_sign_flipped,   &mistake_gradient_accumulated,
        &mistake_constant_factor};
    if (found->of_l2) return of_l2;
    for (size_t i = 0; found->of_tensors && i < sizeof factors / sizeof *factors; i++)
        if (found->mistake == factors[i]) return found->right_below ? alone : of_tensors;
    return found->mistake->message;
}

const char *words_text(struct arena *arena, const struct check *check, const struct found *found, const char *template)
{
    struct place place = place_of(check, found);
    char text[TEXT_MAX], key[WORD_MAX], word[PHRASE_MAX];
    size_t n = 0;
    for (const char *at = template; *at != '\0' && n + PHRASE_MAX < TEXT_MAX; at++) {
        size_t length = *at == '{' ? strcspn(at + 1, "}") : 0;
        if (*at != '{' || length >= WORD_MAX) {
            text[n++] = *at;
            continue;
        }
        memcpy(key, at + 1, length);
        key[length] = '\0';
        word_for(&place, key, word);
        size_t word_length = strlen(word);
        memcpy(text + n, word, word_length);
        n += word_length;
        at += length + 1;
    }
    return arena_text(arena, text, n);
}
