#include "core/diagnosis/symbols.h"

#include <stdio.h>

#include "core/graph/intermediates.h"

/* The k of z<k>: which of the layers with parameters of their own a node is, from 1; 0 where it is none. */
static size_t symbol_number(const struct network *network, const struct node *node)
{
    for (size_t k = 0; node != NULL && k < network->numbered_count; k++)
        if (network->layers[network->numbered[k]] == node) return k + 1;
    return 0;
}

/* A value goes by its name in another shape, too. */
static const struct value *before_reshape(const struct value *value)
{
    while (value->made_by != NULL && value->made_by->op->plain == PLAIN_SAME)
        value = value->made_by->inputs[0];
    return value;
}

/* The name of a parameter or a member of data; NULL where it has none. */
static const char *given_name(const struct check *check, const struct value *value)
{
    const struct network *network = check->problem.network;
    for (size_t p = 0; p < network->graded_count; p++)
        if (network->graded[p].value == value) return check->problem.names[p];
    return value->name;
}

void symbol_of(const struct check *check, const struct value *value, bool as_input, char word[SYMBOL_MAX])
{
    const struct network *network = check->problem.network;
    value = before_reshape(value);
    const struct node *node = value->made_by;
    if (node == NULL) {
        snprintf(word, SYMBOL_MAX, "%.80s", given_name(check, value));
        return;
    }
    size_t k = symbol_number(network, node);
    bool makes_h = node->op->kind == OP_ACTIVATION && network_one_activation(node->inputs[0]) == node;
    size_t activated = makes_h ? symbol_number(network, before_reshape(node->inputs[0])->made_by) : 0;
    const char *name = network->definition->layers[node->place.layer].name;
    if (k > 0)
        snprintf(word, SYMBOL_MAX, as_input && network_one_activation(value) == NULL ? "h%zu" : "z%zu", k);
    else if (activated > 0)
        snprintf(word, SYMBOL_MAX, "h%zu", activated);
    else if (name != NULL)
        snprintf(word, SYMBOL_MAX, "%.80s", name);
    else
        snprintf(word, SYMBOL_MAX, "(output of layer %zu)", node->place.layer);
}

void symbol_of_gradient(const struct check *check, const struct value *value, bool as_input, char word[SYMBOL_MAX])
{
    char of[SYMBOL_MAX];
    symbol_of(check, value, as_input, of);
    snprintf(word, SYMBOL_MAX, "d%.90s", of);
}

void symbol_of_graded(const struct check *check, size_t p, char word[SYMBOL_MAX])
{
    const char *name = check->problem.names[p];
    bool attribute = check->problem.convention == CONVENTION_PYTORCH && check->problem.network->graded[p].slot != NULL;
    snprintf(word, SYMBOL_MAX, attribute ? "%.80s.grad" : "d%.80s", name);
}

void symbol_in_words(const struct check *check, const struct value *value, char phrase[PHRASE_MAX])
{
    const struct node *node = value->made_by;
    if (node == NULL)
        snprintf(phrase, PHRASE_MAX, "%.80s", given_name(check, value));
    else
        snprintf(phrase, PHRASE_MAX, "the output of layer %zu (%s)", node->place.layer, node->op->name);
}
