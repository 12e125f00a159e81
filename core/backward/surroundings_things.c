#include "core/backward/surroundings_things.h"

#include <stdio.h>
#include <string.h>

#include "core/base/spelling.h"

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

/* Copies into another evaluation, where what the program has computed is numbers. Frames that functions have of where
 * they were defined are copied once each. */
struct copying {
    struct evaluation *e;
    const struct surroundings *s;
    struct copied {
        struct copied *next;
        const struct frame *from;
        struct frame *to;
    } * frames;
};

static int copy_thing(struct copying *c, const struct thing *from, size_t depth, struct thing *to);

static int copy_items(struct copying *c, const struct thing *from, size_t depth, struct thing *to)
{
    struct sequence *copy = sequence_new(c->e->arena);
    int code = copy != NULL ? evaluation_step(c->e, from->sequence->count) : text_no_memory(c->e->reader);
    for (size_t i = 0; code == CODE_OK && i < from->sequence->count; i++) {
        struct thing item = {0};
        code = copy_thing(c, &from->sequence->items[i], depth + 1, &item);
        if (code == CODE_OK && !sequence_add(c->e->arena, copy, item)) code = text_no_memory(c->e->reader);
    }
    *to = (struct thing){.kind = from->kind, .sequence = copy};
    return code;
}

/* NULL of NULL, and of what lies too deep. */
static int copy_frame(struct copying *c, const struct frame *from, size_t depth, struct frame **to)
{
    *to = NULL;
    if (from == NULL || depth >= COPY_DEPTH_MAX) return CODE_OK;
    for (const struct copied *known = c->frames; known != NULL; known = known->next) {
        if (evaluation_step(c->e, 1) != CODE_OK) return evaluation_failed(c->e);
        if (known->from != from) continue;
        *to = known->to;
        return CODE_OK;
    }
    struct copied *copied = arena_alloc(c->e->arena, sizeof *copied);
    *to = frame_new(c->e, NULL, from->library, from->number);
    if (copied == NULL || *to == NULL) return text_no_memory(c->e->reader);
    *copied = (struct copied){.next = c->frames, .from = from, .to = *to};
    c->frames = copied;
    int code = copy_frame(c, from->outer, depth + 1, &(*to)->outer);
    for (size_t i = 0; code == CODE_OK && i < from->count; i++) {
        struct thing thing = {0};
        code = evaluation_step(c->e, 1);
        if (code == CODE_OK) code = copy_thing(c, &from->locals[i].thing, depth + 1, &thing);
        if (code == CODE_OK) code = frame_bind(c->e, *to, from->locals[i].symbol, thing);
    }
    return code;
}

static int copy_function(struct copying *c, const struct thing *from, size_t depth, struct thing *to)
{
    size_t count = from->function->parameter_count;
    struct closure *closure = arena_zeroed(c->e->arena, 1, sizeof *closure);
    struct thing **defaults = arena_zeroed(c->e->arena, count, sizeof *defaults);
    if (closure == NULL || defaults == NULL) return text_no_memory(c->e->reader);
    int code = copy_frame(c, from->closure->frame, depth + 1, &closure->frame);
    for (size_t p = 0; code == CODE_OK && p < count; p++) {
        if (from->closure->defaults[p] == NULL) continue;
        defaults[p] = arena_alloc(c->e->arena, sizeof **defaults);
        if (defaults[p] == NULL) return text_no_memory(c->e->reader);
        code = copy_thing(c, from->closure->defaults[p], depth + 1, defaults[p]);
    }
    closure->defaults = defaults;
    *to = *from;
    to->closure = closure;
    return code;
}

/* What is settled; NULL where its numbers are not on the host. */
static int copy_array(struct copying *c, const struct array *from, struct array **to)
{
    const double *numbers = from->numbers != NULL ? from->numbers
                            : from->value != NULL ? c->s->values[from->value->index]
                                                  : NULL;
    *to = NULL;
    if (numbers == NULL) return CODE_OK;
    *to = new_array(c->e, &from->shape, from->size, from->type, numbers);
    return *to != NULL ? CODE_OK : text_no_memory(c->e->reader);
}

/* What the program has written into and nobody has asked for as a whole since: the same with what was written. */
static int copy_written(struct copying *c, const struct array *from, struct array **to)
{
    struct array *under, *what, *copy = new_array(c->e, &from->shape, from->size, from->type, NULL);
    struct write *writes = arena_array(c->e->arena, from->write_count, sizeof *writes);
    *to = NULL;
    if (copy == NULL || writes == NULL) return text_no_memory(c->e->reader);
    int code = copy_array(c, from->under, &under);
    const struct write *w = from->writes;
    for (size_t i = from->write_count; code == CODE_OK && i-- > 0; w = w->before) {
        code = evaluation_step(c->e, 1);
        if (code == CODE_OK) code = copy_array(c, w->what, &what);
        if (code != CODE_OK || what == NULL) return code;
        writes[i] = *w;
        writes[i].what = what;
        writes[i].before = i > 0 ? &writes[i - 1] : NULL;
        writes[i].spot = c->e->spot;
    }
    if (code != CODE_OK || under == NULL) return code;
    copy->under = under;
    copy->writes = &writes[from->write_count - 1];
    copy->write_count = from->write_count;
    *to = copy;
    return CODE_OK;
}

static int copy_thing(struct copying *c, const struct thing *from, size_t depth, struct thing *to)
{
    *to = *from;
    if (depth >= COPY_DEPTH_MAX) *to = (struct thing){.kind = THING_NONE};
    if (from->kind == THING_LIST || from->kind == THING_TUPLE || from->kind == THING_DICTIONARY)
        return depth < COPY_DEPTH_MAX ? copy_items(c, from, depth, to) : CODE_OK;
    if (from->kind == THING_FUNCTION) return depth < COPY_DEPTH_MAX ? copy_function(c, from, depth, to) : CODE_OK;
    if (from->kind != THING_ARRAY) return CODE_OK;
    const struct array *array = from->array;
    bool written = array->numbers == NULL && array->value == NULL && array->writes != NULL;
    struct array *copy = NULL;
    int code = written ? copy_written(c, array, &copy) : copy_array(c, array, &copy);
    *to = copy != NULL ? thing_array(copy) : (struct thing){.kind = THING_NONE};
    return code;
}

int things_bind(struct evaluation *e, const struct surroundings *s)
{
    struct copying c = {.e = e, .s = s};
    int code = CODE_OK;
    for (size_t n = 0; s->program != NULL && code == CODE_OK && n < s->program->syntax.name_count; n++) {
        const struct versions *versions = &s->program->evaluation.names[n];
        struct thing thing = {0};
        if (versions->count == 0) continue;
        code = copy_thing(&c, &versions->list[versions->count - 1].thing, 0, &thing);
        if (code == CODE_OK) code = evaluation_bind(e, n, s->program->syntax.names[n], thing);
    }
    return code;
}

/* ---- by name ---- */

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
    if (spelling_is_one_of(name, weights)) return list_of(e, s, "W", NULL, thing);
    if (spelling_is_one_of(name, biases)) return list_of(e, s, "b", NULL, thing);
    if (spelling_is_one_of(name, sums)) return list_of(e, s, "z", NULL, thing);
    return spelling_is_one_of(name, outputs) &&
           list_of(e, s, s->program == NULL || known_find(s, "h1") ? "h" : "a", "x", thing);
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
    if (s->upstream != NULL && spelling_is_one_of(name, arrivals)) return give_arriving(e, s, thing);
    if (spelling_is_one_of(name, holders)) {
        *thing = (struct thing){.kind = THING_MODULE, .text = "self"};
        return true;
    }
    size_t symbol = syntax_symbol(e->syntax, name);
    if (!spelling_is_one_of(name, results) || symbol == e->syntax->name_count) return false;
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
    bool arrives = spelling_is_one_of(name, arrivals) ||
                   (known != NULL && s->output != NULL && known->aim == s->aim_of[s->output->index]);
    return arrives && give_arriving(e, s, thing);
}
