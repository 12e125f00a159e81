/* What names stand for: on the outermost level, in a call, in the language. */
#include <string.h>

#include "core/base/spelling.h"
#include "core/language/evaluation.h"
#include "core/language/sharing.h"

struct local *frame_local(const struct frame *frame, size_t symbol)
{
    for (size_t i = 0; i < frame->count; i++)
        if (frame->locals[i].symbol == symbol) return &frame->locals[i];
    return NULL;
}

struct frame *frame_new(struct evaluation *e, struct frame *outer, bool library, size_t number)
{
    struct frame *frame = arena_alloc(e->arena, sizeof *frame);
    if (frame != NULL) *frame = (struct frame){.outer = outer, .library = library, .number = number};
    return frame;
}

/* What has a name already is another value under a second one, if that one's gradient was asked for: what comes back
 * through it is its own. */
static int tell_apart(struct evaluation *e, struct thing *thing)
{
    double numbers[1 + TENSOR_RANK_MAX] = {(double)thing->array->shape.rank};
    for (size_t i = 0; i < thing->array->shape.rank; i++)
        numbers[1 + i] = (double)thing->array->shape.dim[i];
    return array_op(e, "reshape", numbers, 1 + thing->array->shape.rank, &thing->array, 1, thing->array->type,
                    &thing->array);
}

enum { VERSIONS_FIRST = 2, LOCALS_FIRST = 8 };

int evaluation_bind(struct evaluation *e, size_t symbol, const char *name, struct thing thing)
{
    bool wanted = thing.kind == THING_ARRAY && e->wanted != NULL && e->wanted(e->context, name);
    if (wanted && thing.array->named && thing.array->numbers == NULL && tell_apart(e, &thing) != CODE_OK)
        return evaluation_failed(e);
    if (thing.kind == THING_ARRAY) thing.array->named = true;
    struct versions *versions = &e->names[symbol];
    struct version *list =
        arena_grow(e->arena, versions->list, versions->count, &versions->room, sizeof *list, VERSIONS_FIRST);
    if (list == NULL) return evaluation_no_memory(e);
    versions->list = list;
    versions->list[versions->count++] = (struct version){.thing = thing, .line = e->spot.line, .order = e->bound++};
    if (!wanted) return CODE_OK;
    struct value *value;
    int code = array_value(e, thing.array, &value);
    if (code == CODE_OK && thing.array->type == TYPE_FLOAT) value->differentiated = true;
    return code;
}

/* Those of a call are looked through one by one. */
enum { LOCALS_OF_A_STEP = 64 };

int frame_bind(struct evaluation *e, struct frame *frame, size_t symbol, struct thing thing)
{
    if (evaluation_step(e, frame->count / LOCALS_OF_A_STEP) != CODE_OK) return evaluation_failed(e);
    struct local *local = frame_local(frame, symbol);
    if (local != NULL) {
        local->thing = thing;
        return CODE_OK;
    }
    struct local *list = arena_grow(e->arena, frame->locals, frame->count, &frame->room, sizeof *list, LOCALS_FIRST);
    if (list == NULL) return evaluation_no_memory(e);
    frame->locals = list;
    frame->locals[frame->count++] = (struct local){.symbol = symbol, .thing = thing};
    return CODE_OK;
}

/* What is passed over before a dot: these modules, and an object whose attributes are names. */
static bool is_module(const char *name)
{
    static const char *const modules[] = {"np",  "numpy", "torch", "F",    "nn", "tf",
                                          "jnp", "math",  "scipy", "self", NULL};
    for (size_t i = 0; modules[i] != NULL; i++)
        if (strcmp(name, modules[i]) == 0) return true;
    return false;
}

static bool find_name(const struct evaluation *e, size_t symbol, struct thing *thing)
{
    for (const struct frame *frame = e->frame; frame != NULL; frame = frame->outer) {
        const struct local *local = frame_local(frame, symbol);
        if (local == NULL) continue;
        *thing = local->thing;
        return true;
    }
    if (e->frame != NULL && e->frame->library) return false; /* its symbols are others */
    const struct versions *versions = &e->names[symbol];
    if (versions->count == 0) return false;
    *thing = versions->list[versions->count - 1].thing;
    return true;
}

static bool find_word(const char *name, struct thing *thing)
{
    if (strcmp(name, "True") == 0 || strcmp(name, "False") == 0)
        *thing = thing_number(name[0] == 'T', TYPE_BOOL);
    else if (strcmp(name, "None") == 0)
        *thing = (struct thing){.kind = THING_NONE};
    else if (strcmp(name, "__name__") == 0)
        *thing = (struct thing){.kind = THING_TEXT, .text = "__main__"};
    else if (is_module(name))
        *thing = (struct thing){.kind = THING_MODULE, .text = name};
    else
        return false;
    return true;
}

/* A name of the program, one of what it was given, or a function that the unknown one may have been meant for. */
static const char *nearest_name(struct evaluation *e, const char *name)
{
    size_t count = 0;
    const char **known = arena_array(e->arena, e->syntax->name_count + e->unused_count, sizeof *known);
    for (size_t s = 0; known != NULL && s < e->syntax->name_count; s++) {
        const struct versions *versions = &e->names[s];
        bool there = versions->count > 0 && versions->list[versions->count - 1].thing.kind != THING_LOST;
        if (there) known[count++] = e->syntax->names[s];
    }
    for (size_t i = 0; known != NULL && i < e->unused_count; i++)
        known[count++] = e->unused[i];
    const char *nearest = spelling_nearest(name, known, count);
    return nearest != NULL ? nearest : functions_nearest(e->arena, name);
}

static int unknown_name(struct evaluation *e, const char *name)
{
    const char *nearest = e->observer == NULL || !e->observer->brief ? nearest_name(e, name) : NULL;
    if (nearest != NULL)
        return evaluation_fault(e, "nothing is called \"%.80s\" here (did you mean %.80s?)", name, nearest);
    return evaluation_fault(e, "nothing is called \"%.80s\" here", name);
}

void evaluation_note_read(struct evaluation *e, const struct thing *thing)
{
    if (evaluation_is_observed(e) && thing->kind == THING_ARRAY)
        e->observer->reads(e->observer->context, e, thing->array);
}

/* What no name of the program's own stands for. */
static int find_other(struct evaluation *e, const char *name, struct thing *thing)
{
    if (find_word(name, thing)) return CODE_OK;
    const struct builtin *builtin = functions_find_python(name);
    bool known = builtin == NULL && e->observer != NULL && e->observer->unknown(e->observer->context, e, name, thing);
    if (builtin == NULL && !known) return unknown_name(e, name);
    if (builtin != NULL) *thing = (struct thing){.kind = THING_BUILTIN, .builtin = builtin};
    return CODE_OK;
}

int evaluation_lost(struct evaluation *e, const struct thing *lost)
{
    struct thing ignored;
    if (e->observer != NULL) e->observer->unknown(e->observer->context, e, lost->text, &ignored);
    return unknown_name(e, lost->text);
}

/* What was found under a name, as it is now. */
static int read_found(struct evaluation *e, struct thing *thing)
{
    if (thing->kind == THING_LOST) return evaluation_lost(e, thing);
    int code = sharing_thing_now(e, thing);
    if (code == CODE_OK) evaluation_note_read(e, thing);
    return code;
}

int evaluation_name(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    size_t locals = 0;
    for (const struct frame *frame = e->frame; frame != NULL; frame = frame->outer)
        locals += 1 + frame->count;
    if (evaluation_step(e, locals / LOCALS_OF_A_STEP) != CODE_OK) return evaluation_failed(e);
    int code = find_name(e, x->symbol, thing) ? CODE_OK : find_other(e, x->name, thing);
    return code == CODE_OK ? read_found(e, thing) : code;
}

int evaluation_find(struct evaluation *e, const char *name, struct thing *thing)
{
    size_t symbol = syntax_symbol(e->syntax, name);
    bool found = symbol < e->syntax->name_count && find_name(e, symbol, thing);
    int code = found ? CODE_OK : find_other(e, name, thing);
    return code == CODE_OK ? read_found(e, thing) : code;
}

int evaluation_written(struct evaluation *e, const struct written_place *written, struct thing *thing)
{
    return evaluation_is_observed(e) ? e->observer->writes(e->observer->context, e, written, thing) : CODE_OK;
}
