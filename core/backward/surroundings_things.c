#include "core/backward/surroundings_things.h"

#include <stdio.h>
#include <string.h>

/* ---- arrays ---- */

static struct array *new_array(struct evaluation *e, const struct shape *shape, size_t size, enum number_type type,
                               const double *numbers)
{
    struct array *array = arena_zeroed(e->arena, 1, sizeof *array);
    if (array == NULL) return NULL;
    *array = (struct array){.shape = *shape, .size = size, .type = type, .numbers = numbers};
    return array;
}

static bool known_thing(struct evaluation *e, const struct known *known, struct thing *thing)
{
    struct array *array = new_array(e, &known->shape, known->size, known->type, known->numbers);
    if (array != NULL) *thing = thing_array(array);
    return array != NULL;
}

/* ---- what a program has ---- */

enum { COPY_DEPTH_MAX = 5 };

static int copy_thing(struct evaluation *e, const struct surroundings *s, const struct thing *from, size_t depth,
                      struct thing *to);

static int copy_items(struct evaluation *e, const struct surroundings *s, const struct thing *from, size_t depth,
                      struct thing *to)
{
    struct sequence *copy = sequence_new(e->arena);
    int code = copy != NULL ? evaluation_step(e, from->sequence->count) : text_no_memory(e->reader);
    for (size_t i = 0; code == CODE_OK && i < from->sequence->count; i++) {
        struct thing item = {0};
        code = copy_thing(e, s, &from->sequence->items[i], depth + 1, &item);
        if (code == CODE_OK && !sequence_add(e->arena, copy, item)) code = text_no_memory(e->reader);
    }
    *to = (struct thing){.kind = from->kind, .sequence = copy};
    return code;
}

static int copy_thing(struct evaluation *e, const struct surroundings *s, const struct thing *from, size_t depth,
                      struct thing *to)
{
    *to = *from;
    if (depth == COPY_DEPTH_MAX) *to = (struct thing){.kind = THING_NONE};
    if (from->kind == THING_LIST || from->kind == THING_TUPLE || from->kind == THING_DICTIONARY)
        return depth < COPY_DEPTH_MAX ? copy_items(e, s, from, depth, to) : CODE_OK;
    if (from->kind != THING_ARRAY) return CODE_OK;
    const struct array *array = from->array;
    const double *numbers = array->numbers != NULL ? array->numbers
                            : array->value != NULL ? s->values[array->value->index]
                                                   : NULL;
    *to = (struct thing){.kind = THING_NONE};
    if (numbers == NULL) return CODE_OK;
    struct array *copy = new_array(e, &array->shape, array->size, array->type, numbers);
    if (copy == NULL) return text_no_memory(e->reader);
    *to = thing_array(copy);
    return CODE_OK;
}

int things_bind(struct evaluation *e, const struct surroundings *s)
{
    int code = CODE_OK;
    for (size_t n = 0; s->program != NULL && code == CODE_OK && n < s->program->syntax.name_count; n++) {
        const struct versions *versions = &s->program->evaluation.names[n];
        struct thing thing = {0};
        if (versions->count == 0) continue;
        code = copy_thing(e, s, &versions->list[versions->count - 1].thing, 0, &thing);
        if (code == CODE_OK) code = evaluation_bind(e, n, s->program->syntax.names[n], thing);
    }
    return code;
}

/* ---- by name ---- */

static bool is_one_of(const char *name, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcmp(name, words[i]) == 0) return true;
    return false;
}

/* [W1, W2, ...]; with `first`, that in front. */
static bool list_of(struct evaluation *e, const struct surroundings *s, const char *prefix, const char *first,
                    struct thing *thing)
{
    struct sequence *list = sequence_new(e->arena);
    char name[32];
    const struct known *known = first != NULL ? known_find(s, first) : NULL;
    struct thing item;
    if (list == NULL || (first != NULL && known == NULL)) return false;
    if (known != NULL && (!known_thing(e, known, &item) || !sequence_add(e->arena, list, item))) return false;
    for (size_t k = 1; k < 1000; k++) {
        snprintf(name, sizeof name, "%s%zu", prefix, k);
        known = known_find(s, name);
        if (known == NULL) break;
        if (!known_thing(e, known, &item) || !sequence_add(e->arena, list, item)) return false;
    }
    *thing = (struct thing){.kind = THING_LIST, .sequence = list};
    return list->count > (first != NULL);
}

static bool find_list(struct evaluation *e, const struct surroundings *s, const char *name, struct thing *thing)
{
    static const char *const weights[] = {"weights", "Ws", "W", NULL}, *const biases[] = {"biases", "bs", "b", NULL},
                             *const sums[] = {"zs", "Zs", "Z", "z", NULL}, *const outputs[] = {"activations", "As",
                                                                                               "hs",          "a",
                                                                                               "A",           "h",
                                                                                               NULL};
    if (is_one_of(name, weights)) return list_of(e, s, "W", NULL, thing);
    if (is_one_of(name, biases)) return list_of(e, s, "b", NULL, thing);
    if (is_one_of(name, sums)) return list_of(e, s, "z", NULL, thing);
    return is_one_of(name, outputs) && list_of(e, s, s->program == NULL || known_find(s, "h1") ? "h" : "a", "x", thing);
}

static const struct aim *arriving(const struct surroundings *s)
{
    size_t aim = s->output != NULL ? s->aim_of[s->output->index] : GRADIENT_NONE;
    return aim != GRADIENT_NONE ? &s->aims[aim] : NULL;
}

static bool give_arriving(struct evaluation *e, const struct surroundings *s, struct thing *thing)
{
    const struct aim *aim = arriving(s);
    struct array *array = aim != NULL ? new_array(e, &aim->shape, aim->size, TYPE_FLOAT, aim->numbers) : NULL;
    if (array != NULL) *thing = thing_array(array);
    return array != NULL;
}

static const char *const arrivals[] = {"dout",     "upstream",    "grad_output", "dOut",      "d_out", "upstream_grad",
                                       "grad_out", "output_grad", "dL_dout",     "delta_out", NULL};

bool things_find(struct evaluation *e, const struct surroundings *s, const char *name, struct thing *thing)
{
    static const char *const holders[] = {
        "cache",  "caches",        "params",  "parameters", "self",  "model",        "net",
        "memory", "forward_cache", "ctx",     "state",      "saved", "values",       "intermediates",
        "store",  "forward",       "outputs", "fwd",        "tape",  "weights_dict", NULL};
    static const char *const results[] = {"grads", "gradients", "grad", "derivatives", "gradient", "dparams", NULL};
    const struct known *known = known_find(s, name);
    if (known != NULL) return known_thing(e, known, thing);
    if (find_list(e, s, name, thing)) return true;
    if (s->upstream != NULL && is_one_of(name, arrivals)) return give_arriving(e, s, thing);
    if (is_one_of(name, holders)) {
        *thing = (struct thing){.kind = THING_MODULE, .text = "self"};
        return true;
    }
    size_t symbol = syntax_symbol(e->syntax, name);
    if (!is_one_of(name, results) || symbol == e->syntax->name_count) return false;
    struct sequence *sequence = sequence_new(e->arena);
    if (sequence == NULL) return false;
    *thing = (struct thing){.kind = THING_DICTIONARY, .sequence = sequence};
    return evaluation_bind(e, symbol, name, *thing) == CODE_OK;
}

bool things_argument(struct evaluation *e, const struct surroundings *s, const char *name, struct thing *thing)
{
    size_t symbol = syntax_symbol(e->syntax, name);
    if (symbol < e->syntax->name_count && e->names[symbol].count > 0) {
        *thing = e->names[symbol].list[e->names[symbol].count - 1].thing;
        return true;
    }
    if (things_find(e, s, name, thing)) return true;
    const struct known *known = known_of_gradient(s, name, false);
    bool arrives =
        is_one_of(name, arrivals) || (known != NULL && s->output != NULL && known->aim == s->aim_of[s->output->index]);
    return arrives && give_arriving(e, s, thing);
}
