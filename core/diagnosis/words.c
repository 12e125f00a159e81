#include "core/diagnosis/words.h"

#include <stdio.h>
#include <string.h>

#include "core/graph/intermediates.h"

enum { WORD_MAX = 96, PHRASE_MAX = 640, TEXT_MAX = 2048 };

/* Where a mistake is: the names of what lies there. */
struct site {
    const struct check *check;
    const struct found *found;
    size_t layer;      /* of the mistake, or the last one where it is at the loss */
    size_t activation; /* the activation that it is about */
    size_t weighted;   /* the layer with parameters that it is about */
    size_t number;     /* k of that layer */
};

static bool has_parameters(const struct network *network, size_t layer)
{
    for (size_t k = 0; k < network->numbered_count; k++)
        if (network->numbered[k] == layer) return true;
    return false;
}

static struct site site_of(const struct check *check, const struct found *found)
{
    const struct network *network = check->problem.network;
    struct site site = {.check = check, .found = found, .layer = network->definition->layer_count - 1};
    /* Of several places the one nearest the loss: there the gradient first goes wrong. */
    bool at_loss = found->layer_count == 0 || found->layers[found->layer_count - 1] == LAYER_LOSS;
    if (!at_loss) site.layer = found->layers[found->layer_count - 1];
    site.weighted = site.activation = site.layer;
    while (site.weighted > 0 && !has_parameters(network, site.weighted))
        site.weighted--;
    const struct node *behind = network_activation(network->layers[site.weighted]->output);
    if (has_parameters(network, site.layer) && behind != NULL) site.activation = behind->place.layer;
    for (size_t k = 0; k < network->numbered_count; k++)
        if (network->numbered[k] == site.weighted) site.number = k + 1;
    return site;
}

/* "dW2", or "fc1.weight.grad". */
static void gradient_name(const struct site *site, size_t p, char *word)
{
    const char *name = site->check->problem.names[p];
    if (site->check->problem.convention == CONVENTION_PYTORCH)
        snprintf(word, WORD_MAX, "%.80s.grad", name);
    else
        snprintf(word, WORD_MAX, "d%.80s", name);
}

static void parameter_words(const struct site *site, const char *key, char *word)
{
    const struct network *network = site->check->problem.network;
    const char *symbol = key[0] == 'd' ? key + 1 : key;
    size_t p = network->parameter_count;
    for (size_t i = network->parameter_count; i-- > 0;)
        if (network->graded[i].layer == site->weighted &&
            (p == network->parameter_count || strcmp(network->graded[i].slot->symbol, symbol) == 0))
            p = i;
    if (p == network->parameter_count) return; /* a layer without any is no place for such a word */
    if (key[0] == 'd')
        gradient_name(site, p, word);
    else
        snprintf(word, WORD_MAX, "%.80s", site->check->problem.names[p]);
}

/* Whether a word is a parameter of the layer that the mistake is about, or that one's gradient: "W", "dgamma". */
static bool is_parameter_word(const struct site *site, const char *key)
{
    const struct slot *slot = site->check->problem.network->layers[site->weighted]->op->slots;
    for (; slot->symbol != NULL; slot++)
        if (slot->role == SLOT_PARAMETER && strcmp(slot->symbol, key[0] == 'd' ? key + 1 : key) == 0) return true;
    return false;
}

static void list_parameters(const struct site *site, char *text)
{
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < site->found->parameter_count && n + WORD_MAX < PHRASE_MAX; i++) {
        char word[WORD_MAX];
        gradient_name(site, site->found->parameters[i], word);
        n += (size_t)snprintf(text + n, PHRASE_MAX - n, "%s%s", i > 0 ? ", " : "", word);
    }
}

/* What a value is called: a parameter's or a member of data's name, or whose output it is. */
static void value_word(const struct site *site, const struct value *value, char *text)
{
    const struct network *network = site->check->problem.network;
    for (size_t p = 0; p < network->graded_count; p++)
        if (network->graded[p].value == value) snprintf(text, PHRASE_MAX, "%.80s", site->check->problem.names[p]);
    if (value->made_by != NULL)
        snprintf(text, PHRASE_MAX, "the output of layer %zu (%s)", value->made_by->place.layer,
                 value->made_by->op->name);
}

/* "layer 3", "layers 3 and 5". */
static void list_layers(const struct found *found, char *text)
{
    size_t n = (size_t)snprintf(text, PHRASE_MAX, found->layer_count > 1 ? "layers " : "layer ");
    for (size_t i = 0; i < found->layer_count && n + WORD_MAX < PHRASE_MAX; i++)
        n += (size_t)snprintf(text + n, PHRASE_MAX - n, "%s%zu",
                              i == 0                       ? ""
                              : i + 1 < found->layer_count ? ", "
                                                           : " and ",
                              found->layers[i]);
}

/* ---- formulas, in the order of the convention's products ---- */

static void value_names(const struct site *site, char *x, char *dz, char *dh, char *dx)
{
    size_t k = site->number;
    snprintf(x, WORD_MAX, k > 1 ? "h%zu" : "x", k - 1);
    snprintf(dz, WORD_MAX, "dz%zu", k);
    snprintf(dh, WORD_MAX, "dh%zu", k);
    snprintf(dx, WORD_MAX, k > 1 ? "dh%zu" : "dx", k - 1);
}

/* What a product of dz and the weight is called, transposed as it should be or not. */
static void send_formula(const struct site *site, const char *dz, bool transposed, char *text)
{
    char W[WORD_MAX];
    parameter_words(site, "W", W);
    const char *other = transposed ? ".T" : "";
    if (site->check->problem.convention == CONVENTION_NUMPY)
        snprintf(text, PHRASE_MAX, "%s @ %s%s", dz, W, other);
    else if (site->check->problem.convention == CONVENTION_PYTORCH)
        snprintf(text, PHRASE_MAX, "%s @ %s%s", dz, W, transposed ? "" : ".T");
    else
        snprintf(text, PHRASE_MAX, "%s%s @ %s", W, other, dz);
}

static bool formula(const struct site *site, const char *key, char *text)
{
    char x[WORD_MAX], dz[WORD_MAX], dh[WORD_MAX], dx[WORD_MAX];
    value_names(site, x, dz, dh, dx);
    enum convention convention = site->check->problem.convention;
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
        send_formula(site, dz, true, text);
    else if (strcmp(key, "send_plain") == 0)
        send_formula(site, dz, false, text);
    else if (strcmp(key, "send_dh") == 0)
        send_formula(site, dh, true, text);
    else if (strcmp(key, "x") == 0)
        snprintf(text, PHRASE_MAX, "%s", x);
    else if (strcmp(key, "dx") == 0)
        snprintf(text, PHRASE_MAX, "%s", dx);
    else if (strcmp(key, "z_prev") == 0)
        snprintf(text, PHRASE_MAX, "z%zu", site->number - 1);
    else if (strcmp(key, "formula_at_input") == 0) {
        bool sigmoid = strcmp(site->check->problem.network->layers[site->activation]->op->name, "sigmoid") == 0;
        snprintf(text, PHRASE_MAX, sigmoid ? "%s * z%zu * (1 - z%zu)" : "%s * (1 - z%zu**2)", dh, site->number,
                 site->number);
    } else
        return false;
    return true;
}

/* ---- words about the whole ---- */

static void divisor(const struct site *site, char *text)
{
    const struct node *loss = site->check->problem.network->loss;
    enum reduction reduction = (enum reduction)loss->attributes[LOSS_REDUCTION];
    const char *words = reduction == REDUCTION_SUM ? "nothing"
                        : reduction == REDUCTION_BATCHMEAN || loss->op->mean_over_batch
                            ? "the number of samples"
                            : "the number of elements of the output";
    snprintf(text, PHRASE_MAX, "%s", words);
}

static void word_for(const struct site *site, const char *key, char *text)
{
    const struct network *network = site->check->problem.network;
    const struct found *found = site->found;
    text[0] = '\0';
    if (formula(site, key, text)) return;
    if (strcmp(key, "W") == 0 || strcmp(key, "b") == 0 || strcmp(key, "dW") == 0 || strcmp(key, "db") == 0 ||
        is_parameter_word(site, key))
        parameter_words(site, key, text);
    else if (strcmp(key, "z") == 0 || strcmp(key, "h") == 0 || strcmp(key, "dz") == 0 || strcmp(key, "dh") == 0)
        snprintf(text, PHRASE_MAX, "%s%zu", key, site->number);
    else if (strcmp(key, "z_last") == 0)
        snprintf(text, PHRASE_MAX, "z%zu", network->numbered_count);
    else if (strcmp(key, "f") == 0)
        snprintf(text, PHRASE_MAX, "%s", network->layers[site->activation]->op->name);
    else if (strcmp(key, "f_last") == 0)
        snprintf(text, PHRASE_MAX, "%s", network->output->made_by->op->name);
    else if (strcmp(key, "loss") == 0)
        snprintf(text, PHRASE_MAX, "%s", network->loss->op->name);
    else if (strcmp(key, "reduction") == 0)
        snprintf(text, PHRASE_MAX, "%s", reduction_names[(size_t)network->loss->attributes[LOSS_REDUCTION]]);
    else if (strcmp(key, "divisor") == 0)
        divisor(site, text);
    else if (strcmp(key, "layer") == 0)
        snprintf(text, PHRASE_MAX, "%zu", site->layer);
    else if (strcmp(key, "weighted") == 0)
        snprintf(text, PHRASE_MAX, "%zu", site->weighted);
    else if (strcmp(key, "still") == 0 && network->output->made_by->op->kind == OP_ACTIVATION)
        snprintf(text, PHRASE_MAX, ", and the derivative of %s is still to come", network->output->made_by->op->name);
    else if (strcmp(key, "factor") == 0)
        snprintf(text, PHRASE_MAX, "%.8g", found->factor);
    else if (strcmp(key, "detail") == 0 && found->has_factor)
        snprintf(text, PHRASE_MAX, " (with %.8g for its slope or alpha)", found->factor);
    else if (strcmp(key, "sample") == 0)
        snprintf(text, PHRASE_MAX, "%zu", found->sample);
    else if (strcmp(key, "how") == 0)
        snprintf(text, PHRASE_MAX, "%s", found->by_norm ? "by their global norm" : "by value");
    else if (strcmp(key, "value") == 0 && found->below != NULL)
        value_word(site, found->below, text);
    else if (strcmp(key, "through") == 0)
        list_layers(found, text);
    else if (strcmp(key, "parameter") == 0 || strcmp(key, "parameters") == 0)
        list_parameters(site, text);
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
    static const char sent[] = "What layer {layer} sends back is {factor} times what it should be.";
    if (found->of_l2) return of_l2;
    if (found->sent) return sent;
    for (size_t i = 0; found->of_tensors && i < sizeof factors / sizeof *factors; i++)
        if (found->mistake == factors[i]) return found->right_below ? alone : of_tensors;
    return found->mistake->message;
}

const char *words_text(struct arena *arena, const struct check *check, const struct found *found, const char *template)
{
    struct site site = site_of(check, found);
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
        word_for(&site, key, word);
        size_t word_length = strlen(word);
        memcpy(text + n, word, word_length);
        n += word_length;
        at += length + 1;
    }
    return arena_text(arena, text, n);
}
