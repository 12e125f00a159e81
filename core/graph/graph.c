#include "core/graph/graph.h"

#include <string.h>

/* More elements than that in one tensor cannot be meant; keeps a size in bytes, times a few, within 64 bits. */
#define ELEMENTS_MAX ((size_t)1 << 40)

void graph_begin(struct arena *arena, struct graph *graph)
{
    *graph = (struct graph){.arena = arena};
}

/* Room for one more pointer in a list; false when memory is short. */
static bool grow(struct arena *arena, void *list, size_t count, size_t *room)
{
    enum { FIRST = 32 };
    void **larger = arena_grow(arena, *(void ***)list, count, room, sizeof *larger, FIRST);
    if (larger == NULL) return false;
    *(void ***)list = larger;
    return true;
}

/* `order` says how the axes lie inside, which may not be the request's way. */
static int check_size(const struct shape *shape, const char *what, const char *order, size_t *size, struct error *error)
{
    char text[SHAPE_TEXT_MAX];
    for (size_t i = 0; i < shape->rank; i++)
        if (shape->dim[i] == 0)
            return error_set(error, CODE_OUT_OF_RANGE, "%s of shape %s%s has no elements", what,
                             shape_text(shape, text), order);
    if (!shape_size(shape, size) || *size > ELEMENTS_MAX)
        return error_set(error, CODE_OUT_OF_RANGE, "%s of shape %s%s is too large", what, shape_text(shape, text),
                         order);
    return CODE_OK;
}

static struct value *add_value(struct graph *graph, enum value_kind kind, const char *name, const struct shape *shape,
                               size_t size)
{
    struct value *value = arena_alloc(graph->arena, sizeof *value);
    if (value == NULL || !grow(graph->arena, &graph->values, graph->value_count, &graph->value_room)) return NULL;
    value->index = graph->value_count;
    value->kind = kind;
    value->name = name;
    shape_copy(&value->shape, shape);
    value->size = size;
    value->made_by = NULL;
    value->uses = NULL;
    value->use_count = 0;
    value->is_term = false;
    value->differentiated = kind != VALUE_DATA;
    graph->values[graph->value_count++] = value;
    return value;
}

int graph_give(struct graph *graph, enum value_kind kind, const char *name, const struct shape *shape, const char *what,
               struct value **value, struct error *error)
{
    size_t size = 0;
    if (check_size(shape, what, kind != VALUE_PARAMETER ? " (batch first)" : "", &size, error) != CODE_OK)
        return error->code;
    *value = add_value(graph, kind, name, shape, size);
    return *value != NULL ? CODE_OK : error_out_of_memory(error);
}

int graph_apply(struct graph *graph, const struct op *op, const double *attributes, struct value *const *inputs,
                size_t count, const struct op_plan *plan, struct place place, struct node **made, struct error *error)
{
    size_t size = 0;
    if (check_size(&plan->out, "an output", plan->out.rank > 0 ? " (batch first)" : "", &size, error) != CODE_OK)
        return error->code;
    struct node *node = arena_alloc(graph->arena, sizeof *node);
    struct value **list = arena_array(graph->arena, count, sizeof *list);
    if (node == NULL || list == NULL || !grow(graph->arena, &graph->nodes, graph->node_count, &graph->node_room))
        return error_out_of_memory(error);
    memcpy(list, inputs, count * sizeof *list);
    *node = (struct node){.index = graph->node_count,
                          .op = op,
                          .attributes = attributes,
                          .inputs = list,
                          .input_count = count,
                          .output = add_value(graph, VALUE_COMPUTED, NULL, &plan->out, size),
                          .place = place};
    if (node->output == NULL) return error_out_of_memory(error);
    memcpy(node->saved, plan->saved, sizeof node->saved);
    node->output->made_by = node;
    graph->nodes[graph->node_count++] = node;
    graph->work += plan->work;
    *made = node;
    return CODE_OK;
}

bool graph_add_term(struct graph *graph, struct value *value)
{
    if (!grow(graph->arena, &graph->terms, graph->term_count, &graph->term_room)) return false;
    value->is_term = true;
    value->term = graph->term_count;
    graph->terms[graph->term_count++] = value;
    return true;
}

/* ---- once all is there ---- */

static bool is_term_of_given(const struct node *node)
{
    bool term = node->output->is_term;
    for (size_t i = 0; i < node->input_count; i++)
        term = term && (node->inputs[i] == NULL || node->inputs[i]->made_by == NULL);
    return term;
}

/* Stable: terms of given values alone, then all others. */
static bool order_nodes(struct graph *graph)
{
    size_t n = 0, first = 0;
    for (size_t i = 0; i < graph->node_count; i++)
        first += is_term_of_given(graph->nodes[i]);
    if (first == 0) return true;
    struct node **ordered = arena_array(graph->arena, graph->node_count, sizeof *ordered);
    if (ordered == NULL) return false;
    for (size_t i = 0; i < graph->node_count; i++)
        ordered[is_term_of_given(graph->nodes[i]) ? n++ : first++] = graph->nodes[i];
    for (size_t i = 0; i < graph->node_count; i++)
        ordered[i]->index = i;
    graph->nodes = ordered;
    graph->node_room = graph->node_count;
    return true;
}

bool graph_finish(struct graph *graph)
{
    if (!order_nodes(graph)) return false;
    size_t total = 0;
    for (size_t i = 0; i < graph->node_count; i++)
        for (size_t k = 0; k < graph->nodes[i]->input_count; k++) {
            struct value *value = graph->nodes[i]->inputs[k];
            if (value == NULL) continue;
            value->use_count++;
            total++;
        }
    struct use *uses = arena_array(graph->arena, total, sizeof *uses), *next = uses;
    struct use **place = arena_array(graph->arena, graph->value_count, sizeof *place);
    if (uses == NULL || place == NULL) return false;
    for (size_t v = 0; v < graph->value_count; v++) {
        graph->values[v]->uses = place[v] = next;
        next += graph->values[v]->use_count;
    }
    for (size_t i = 0; i < graph->node_count; i++)
        for (size_t k = 0; k < graph->nodes[i]->input_count; k++) {
            const struct value *value = graph->nodes[i]->inputs[k];
            if (value != NULL) *place[value->index]++ = (struct use){.node = graph->nodes[i], .input = k};
        }
    return true;
}

/* ---- ancestry ---- */

enum { WORD_BITS = 64 };

bool graph_ancestry(struct arena *arena, const struct graph *graph, struct value *const *of, size_t count,
                    struct ancestry *ancestry)
{
    ancestry->words = count / WORD_BITS + 1;
    ancestry->sets = NULL;
    size_t words;
    if (__builtin_mul_overflow(ancestry->words, graph->value_count, &words)) return false;
    ancestry->sets = arena_zeroed(arena, words, sizeof *ancestry->sets);
    if (ancestry->sets == NULL) return false;
    for (size_t i = 0; i < count; i++)
        ancestry->sets[of[i]->index * ancestry->words + i / WORD_BITS] |= 1ULL << i % WORD_BITS;
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct node *node = graph->nodes[i];
        unsigned long long *set = ancestry->sets + node->output->index * ancestry->words;
        for (size_t k = 0; k < node->input_count; k++)
            for (size_t w = 0; node->inputs[k] != NULL && w < ancestry->words; w++)
                set[w] |= ancestry->sets[node->inputs[k]->index * ancestry->words + w];
    }
    return true;
}

bool ancestry_has(const struct ancestry *ancestry, const struct value *value, size_t which)
{
    return ancestry->sets[value->index * ancestry->words + which / WORD_BITS] >> which % WORD_BITS & 1;
}
