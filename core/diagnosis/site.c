#include "core/diagnosis/site.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/graph/intermediates.h"

bool site_has_parameters(const struct node *node)
{
    for (size_t k = 0; k < node->input_count; k++)
        if (node->inputs[k] != NULL && node->inputs[k]->kind == VALUE_PARAMETER) return true;
    return false;
}

struct site site_of(const struct check *check, const struct found *found)
{
    const struct network *network = check->problem.network;
    if (network->program != NULL) return (struct site){.check = check, .found = found};
    /* Of several places the one nearest the loss: there the gradient first goes wrong. */
    size_t layer = found->layer_count > 0 ? found->layers[found->layer_count - 1] : LAYER_LOSS;
    const struct node *node = network->layers[layer != LAYER_LOSS ? layer : network->definition->layer_count - 1];
    struct site site = {.check = check, .found = found, .node = node, .activation = node, .weighted = node};
    const struct node *at = node;
    while (!site_has_parameters(at) && at->inputs[0]->made_by != NULL)
        at = at->inputs[0]->made_by;
    if (site_has_parameters(at)) site.weighted = at;
    const struct node *behind = site_has_parameters(node) ? network_activation(node->output) : NULL;
    if (behind != NULL) site.activation = behind;
    return site;
}

/* What goes into the activation that the mistake is about, or comes out of the layer where there is none; and what
 * comes out of that one. */
static const struct value *activated(const struct site *site)
{
    return site->activation->op->kind == OP_ACTIVATION ? site->activation->inputs[0] : site->weighted->output;
}

static const struct value *activation(const struct site *site)
{
    return site->activation->op->kind == OP_ACTIVATION ? site->activation->output : site->weighted->output;
}

/* Whether the mistake is about that parameter alone. */
static bool is_spoilt(const struct site *site, const struct value *value)
{
    const struct found *found = site->found;
    for (size_t i = 0; found->of_tensors && i < found->parameter_count; i++)
        if (site->check->problem.network->graded[found->parameters[i]].value == value) return true;
    return false;
}

size_t site_parameter(const struct site *site, const char *symbol)
{
    const struct network *network = site->check->problem.network;
    const struct value *found = NULL;
    unsigned best = 0;
    for (size_t k = 0; k < site->weighted->input_count; k++) {
        const struct value *value = site->weighted->inputs[k];
        if (value == NULL || value->kind != VALUE_PARAMETER) continue;
        bool named = strcmp(op_slot(site->weighted->op, k)->symbol, symbol) == 0;
        unsigned rating = named ? 3 : is_spoilt(site, value) ? 2 : 1;
        if (rating > best) found = value;
        best = rating > best ? rating : best;
    }
    size_t p = 0;
    while (p < network->graded_count && network->graded[p].value != found)
        p++;
    return p;
}

static void parameter_words(const struct site *site, const char *key, char *word)
{
    size_t p = site_parameter(site, key[0] == 'd' ? key + 1 : key);
    if (p == site->check->problem.network->graded_count) return; /* a layer without any is no place for such a word */
    if (key[0] == 'd')
        symbol_of_graded(site->check, p, word);
    else
        snprintf(word, SYMBOL_MAX, "%.80s", site->check->problem.names[p]);
}

/* Whether a word is a parameter of the layer, or its gradient. */
static bool is_parameter_word(const struct site *site, const char *key)
{
    const struct slot *slot = site->weighted->op->slots;
    for (; slot->symbol != NULL; slot++)
        if (slot->role == SLOT_PARAMETER && strcmp(slot->symbol, key[0] == 'd' ? key + 1 : key) == 0) return true;
    return false;
}

bool site_parameter_word(const struct site *site, const char *key, char word[PHRASE_MAX])
{
    static const char *const usual[] = {"W", "b", "dW", "db"}; /* of any layer the parameter that comes nearest */
    bool is = is_parameter_word(site, key);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        is = is || strcmp(key, usual[i]) == 0;
    word[0] = '\0';
    if (is) parameter_words(site, key, word);
    return is;
}

/* The factor that belongs to each element by the right rule of an activation with a kink at 0. */
static void mask(const struct site *site, const char *z, char *text)
{
    const struct node *node = site->activation;
    if (node->op->map == MAP_leaky_relu)
        snprintf(text, PHRASE_MAX, "np.where(%s > 0, 1, %.8g)", z, node->attributes[0]);
    else
        snprintf(text, PHRASE_MAX, "(%s > 0)", z);
}

/* ---- formulas, in the order of the convention's products ---- */

/* What a product of dz and the weight is called, transposed as it should be or not. */
static void send_formula(const struct site *site, const char *dz, bool transposed, char *text)
{
    char W[SYMBOL_MAX];
    parameter_words(site, "W", W);
    const char *other = transposed ? ".T" : "";
    if (site->check->problem.convention == CONVENTION_NUMPY)
        snprintf(text, PHRASE_MAX, "%s @ %s%s", dz, W, other);
    else if (site->check->problem.convention == CONVENTION_COLUMNS)
        snprintf(text, PHRASE_MAX, "%s%s @ %s", W, other, dz);
    else /* weights [out, in] */
        snprintf(text, PHRASE_MAX, "%s @ %s%s", dz, W, transposed ? "" : ".T");
}

/* A value as rows: what a product over all but its last axis takes of it. */
static void as_rows(const struct shape *shape, const char *name, char text[PHRASE_MAX])
{
    if (shape->rank > 2)
        snprintf(text, PHRASE_MAX, "%s.reshape(-1, %zu)", name, shape->dim[shape->rank - 1]);
    else
        snprintf(text, PHRASE_MAX, "%s", name);
}

/* The weight's gradient. */
static void weight_formula(const struct site *site, const char *x, const char *dz, char *text)
{
    enum convention convention = site->check->problem.convention;
    char input[PHRASE_MAX], gradient[PHRASE_MAX];
    as_rows(&site->weighted->inputs[0]->shape, x, input);
    as_rows(&site->weighted->output->shape, dz, gradient);
    if (convention == CONVENTION_NUMPY)
        snprintf(text, PHRASE_MAX, "%.200s.T @ %.200s", input, gradient);
    else if (convention == CONVENTION_COLUMNS)
        snprintf(text, PHRASE_MAX, "%s @ %s.T", dz, x);
    else /* weights [out, in] */
        snprintf(text, PHRASE_MAX, "%.200s.T @ %.200s", gradient, input);
}

/* The bias's gradient. */
static void bias_formula(const struct site *site, const char *dz, char *text)
{
    enum convention convention = site->check->problem.convention;
    size_t rank = site->weighted->output->shape.rank;
    if (convention == CONVENTION_COLUMNS) {
        snprintf(text, PHRASE_MAX, "%s.sum(axis=1, keepdims=True)", dz);
        return;
    }
    const char *axis = convention == CONVENTION_PYTORCH ? "dim" : "axis";
    size_t n = (size_t)snprintf(text, PHRASE_MAX, rank > 2 ? "%s.sum(%s=(0" : "%s.sum(%s=0)", dz, axis);
    for (size_t k = 1; k + 1 < rank; k++)
        n += (size_t)snprintf(text + n, PHRASE_MAX - n, ", %zu%s", k, k + 2 == rank ? "))" : "");
}

/* The input of the layer before its activation. */
static void input_not_activated(const struct site *site, char *text)
{
    const struct value *x = site->weighted->inputs[0];
    bool is_activated = x->made_by != NULL && x->made_by->op->kind == OP_ACTIVATION;
    symbol_of(site->check, is_activated ? x->made_by->inputs[0] : x, false, text);
}

/* z and h, what comes back there, and the layer's input. */
static bool value_name(const struct site *site, const char *key, char *text)
{
    if (strcmp(key, "z") == 0)
        symbol_of(site->check, activated(site), false, text);
    else if (strcmp(key, "dz") == 0)
        symbol_of_gradient(site->check, activated(site), false, text);
    else if (strcmp(key, "h") == 0)
        symbol_of(site->check, activation(site), true, text);
    else if (strcmp(key, "dh") == 0)
        symbol_of_gradient(site->check, activation(site), true, text);
    else if (strcmp(key, "x") == 0)
        symbol_of(site->check, site->weighted->inputs[0], true, text);
    else if (strcmp(key, "dx") == 0)
        symbol_of_gradient(site->check, site->weighted->inputs[0], true, text);
    else if (strcmp(key, "z_prev") == 0)
        input_not_activated(site, text);
    else
        return false;
    return true;
}

/* Whether a letter of a formula is a name, and not one of a word's. */
static bool stands_alone(const char *formula, const char *at)
{
    return (at == formula || !isalpha((unsigned char)at[-1])) && !isalpha((unsigned char)at[1]);
}

/* The derivative in terms of the output, given the input. */
static void formula_at_input(const struct site *site, const char *z, const char *dh, char *text)
{
    const char *at = site->activation->op->slope_of_output;
    size_t n = (size_t)snprintf(text, PHRASE_MAX, "%s * ", dh);
    if (at == NULL) snprintf(text + n, PHRASE_MAX - n, "%s'(%s)", site->activation->op->name, z);
    for (; at != NULL && *at != '\0' && n + SYMBOL_MAX < PHRASE_MAX; at++)
        n += (size_t)(*at == 'h' && stands_alone(site->activation->op->slope_of_output, at)
                          ? snprintf(text + n, PHRASE_MAX - n, "%s", z)
                          : snprintf(text + n, PHRASE_MAX - n, "%c", *at));
}

bool site_formula(const struct site *site, const char *key, char text[PHRASE_MAX])
{
    char x[SYMBOL_MAX], z[SYMBOL_MAX], dz[SYMBOL_MAX], dh[SYMBOL_MAX];
    if (value_name(site, key, text)) return true;
    value_name(site, "x", x);
    value_name(site, "z", z);
    value_name(site, "dz", dz);
    value_name(site, "dh", dh);
    if (strcmp(key, "weight") == 0)
        weight_formula(site, x, dz, text);
    else if (strcmp(key, "bias") == 0)
        bias_formula(site, dz, text);
    else if (strcmp(key, "send") == 0)
        send_formula(site, dz, true, text);
    else if (strcmp(key, "send_plain") == 0)
        send_formula(site, dz, false, text);
    else if (strcmp(key, "send_dh") == 0)
        send_formula(site, dh, true, text);
    else if (strcmp(key, "mask") == 0)
        mask(site, z, text);
    else if (strcmp(key, "mask_dh") == 0)
        mask(site, dh, text);
    else if (strcmp(key, "formula_at_input") == 0)
        formula_at_input(site, z, dh, text);
    else
        return false;
    return true;
}
