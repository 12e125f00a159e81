#include "core/graph/intermediates.h"

#include <stdlib.h>
#include <string.h>

/* A whole number from 1 without sign, spaces or leading zeros: "z01" and "z+1" are not names. */
static bool read_number(const char *text, size_t *k)
{
    if (text[0] < '1' || text[0] > '9' || strlen(text) > 9) return false;
    char *end;
    *k = strtoul(text, &end, 10);
    return *end == '\0';
}

const struct node *network_one_activation(const struct value *value)
{
    const struct node *found = NULL;
    for (size_t i = 0; i < value->use_count; i++) {
        const struct node *node = value->uses[i].node;
        if (node->op->kind != OP_ACTIVATION) continue;
        if (found != NULL) return NULL;
        found = node;
    }
    return found;
}

const struct node *network_activation(const struct value *value)
{
    return value->use_count == 1 ? network_one_activation(value) : NULL;
}

bool intermediate_find(const struct network *network, const char *name, struct intermediate *intermediate)
{
    if (network->find != NULL) {
        *intermediate = (struct intermediate){.value = network->find(network, name)};
        return intermediate->value != NULL;
    }
    intermediate->gradient = name[0] == 'd';
    if (intermediate->gradient) name += strncmp(name, "dL_d", 4) == 0 ? 4 : 1;
    intermediate->value = network->output;
    if (strcmp(name, "y_hat") == 0) return true;

    size_t k;
    if ((name[0] != 'z' && name[0] != 'h') || !read_number(name + 1, &k) || k > network->numbered_count) return false;
    intermediate->value = network->layers[network->numbered[k - 1]]->output;
    const struct node *activation = name[0] == 'h' ? network_one_activation(intermediate->value) : NULL;
    if (activation != NULL) intermediate->value = activation->output;
    return true;
}
