#include "core/language/evaluation.h"

#include <string.h>

#include "core/base/spelling.h"
#include "core/language/equality.h"
#include "core/language/texts.h"

/* ---- names ---- */

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

static int bind(struct evaluation *e, size_t symbol, const char *name, struct thing thing)
{
    return e->frame != NULL ? frame_bind(e, e->frame, symbol, thing) : evaluation_bind(e, symbol, name, thing);
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
    for (size_t s = 0; known != NULL && s < e->syntax->name_count; s++)
        if (e->names[s].count > 0) known[count++] = e->syntax->names[s];
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

/* Whether somebody looks on: not at functions of the library, which are nobody's code. */
static bool is_observed(const struct evaluation *e)
{
    return e->observer != NULL && (e->frame == NULL || !e->frame->library);
}

static void note_read(struct evaluation *e, const struct thing *thing)
{
    if (is_observed(e) && thing->kind == THING_ARRAY) e->observer->reads(e->observer->context, e, thing->array);
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

static int evaluate_name(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    size_t locals = 0;
    for (const struct frame *frame = e->frame; frame != NULL; frame = frame->outer)
        locals += 1 + frame->count;
    if (evaluation_step(e, locals / LOCALS_OF_A_STEP) != CODE_OK) return evaluation_failed(e);
    int code = find_name(e, x->symbol, thing) ? CODE_OK : find_other(e, x->name, thing);
    if (code == CODE_OK) note_read(e, thing);
    return code;
}

int evaluation_find(struct evaluation *e, const char *name, struct thing *thing)
{
    size_t symbol = syntax_symbol(e->syntax, name);
    bool found = symbol < e->syntax->name_count && find_name(e, symbol, thing);
    int code = found ? CODE_OK : find_other(e, name, thing);
    if (code == CODE_OK) note_read(e, thing);
    return code;
}

int evaluation_written(struct evaluation *e, const struct written_place *written, struct thing *thing)
{
    return is_observed(e) ? e->observer->writes(e->observer->context, e, written, thing) : CODE_OK;
}

/* ---- attributes ---- */

static bool is_torch(const char *module)
{
    return strcmp(module, "torch") == 0 || strcmp(module, "F") == 0 || strcmp(module, "nn") == 0;
}

/* np.exp is exp, np.random.randn is randn, self.W1 is W1, nn.functional.relu is relu. */
static int evaluate_module_attribute(struct evaluation *e, const struct thing *of, const struct expression *x,
                                     struct thing *thing)
{
    static const char *const modules[] = {"random", "nn", "functional", "linalg", "Tensor", "special", NULL};
    const bool torch = is_torch(of->text), special = strcmp(of->text, "special") == 0;
    const struct builtin *builtin = torch || special ? functions_find_of(torch ? "torch" : "special", x->name) : NULL;
    struct thing word = {0};
    if (builtin == NULL) builtin = functions_find(x->name, false);
    if (strcmp(of->text, "self") == 0) return evaluate_name(e, x, thing);
    for (size_t i = 0; modules[i] != NULL; i++)
        if (strcmp(x->name, modules[i]) == 0) {
            *thing = (struct thing){.kind = THING_MODULE, .text = torch ? "torch" : x->name};
            return CODE_OK;
        }
    if (builtin != NULL) {
        *thing = (struct thing){.kind = THING_BUILTIN, .builtin = builtin};
        return CODE_OK;
    }
    if (functions_attribute(e, of, x->name, &word)) {
        *thing = word;
        return CODE_OK;
    }
    const char *nearest = functions_nearest(e->arena, x->name);
    return evaluation_fault(e, "there is no %.40s.%.80s%s%.80s%s", of->text, x->name,
                            nearest != NULL ? " (did you mean " : "", nearest != NULL ? nearest : "",
                            nearest != NULL ? "?)" : "");
}

static int evaluate_attribute(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    char words[SHAPE_TEXT_MAX + 32];
    struct thing of = {0};
    int code = evaluation_evaluate(e, x->operands[0], &of);
    if (code != CODE_OK) return code;
    evaluation_at(e, x->spot);
    if (of.kind == THING_MODULE) return evaluate_module_attribute(e, &of, x, thing);
    if (functions_attribute(e, &of, x->name, thing)) return e->reader->error->code;
    const struct builtin *method = functions_find(x->name, true);
    struct thing *self = arena_alloc(e->arena, sizeof *self);
    if (self == NULL) return evaluation_no_memory(e);
    if (method == NULL) return evaluation_fault(e, "%s has no \"%.80s\"", thing_words(&of, words), x->name);
    *self = of;
    *thing = (struct thing){.kind = THING_BUILTIN, .builtin = method, .self = self};
    return CODE_OK;
}

/* ---- expressions ---- */

static int assign(struct evaluation *e, const struct expression *target, struct thing thing);

static int evaluate_chain(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    struct thing right = {0};
    int code = evaluation_evaluate(e, x->operands[0], thing);
    for (size_t i = 1; code == CODE_OK && i < x->count; i++) {
        struct thing left = *thing;
        code = evaluation_evaluate(e, x->operands[i], &right);
        evaluation_at(e, x->operators[i - 1]);
        if (code == CODE_OK) code = evaluation_binary(e, x->operations[i - 1], &left, &right, thing);
    }
    return code;
}

static int evaluate_power(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    struct thing base = {0}, exponent = {0};
    int code = evaluation_evaluate(e, x->operands[0], &base);
    if (code == CODE_OK) code = evaluation_evaluate(e, x->operands[1], &exponent);
    evaluation_at(e, x->spot);
    return code == CODE_OK ? evaluation_binary(e, OPERATION_POWER, &base, &exponent, thing) : code;
}

/* a < b < c is a < b and b < c. */
static int evaluate_compare(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    struct thing left = {0}, right = {0};
    bool truth = true;
    int code = evaluation_evaluate(e, x->operands[0], &left);
    for (size_t i = 1; code == CODE_OK && truth && i < x->count; i++) {
        code = evaluation_evaluate(e, x->operands[i], &right);
        evaluation_at(e, x->spot);
        if (code == CODE_OK) code = evaluation_binary(e, x->operations[i - 1], &left, &right, thing);
        if (code == CODE_OK && x->count > 2) code = evaluation_truth(e, thing, &truth);
        left = right;
    }
    return code;
}

static int evaluate_words(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    bool truth = false, either = x->kind == EXPRESSION_EITHER;
    int code = evaluation_evaluate(e, x->operands[0], thing);
    for (size_t i = 1; code == CODE_OK && i < x->count; i++) {
        code = evaluation_truth(e, thing, &truth);
        if (code == CODE_OK && truth == either) break;
        if (code == CODE_OK) code = evaluation_evaluate(e, x->operands[i], thing);
    }
    return code;
}

static int evaluate_choice(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    bool truth = false;
    int code = evaluation_evaluate(e, x->operands[1], thing);
    evaluation_at(e, x->spot);
    if (code == CODE_OK) code = evaluation_truth(e, thing, &truth);
    return code == CODE_OK ? evaluation_evaluate(e, x->operands[truth ? 0 : 2], thing) : code;
}

static int evaluate_sequence(struct evaluation *e, const struct expression *x, enum thing_kind kind,
                             struct thing *thing)
{
    struct sequence *sequence = sequence_new(e->arena);
    int code = sequence != NULL ? evaluation_step(e, x->count) : evaluation_no_memory(e);
    for (size_t i = 0; code == CODE_OK && i < x->count; i++) {
        struct thing item = {0};
        code = evaluation_evaluate(e, x->operands[i], &item);
        if (code == CODE_OK && !sequence_add(e->arena, sequence, item)) code = evaluation_no_memory(e);
    }
    *thing = (struct thing){.kind = kind, .sequence = sequence};
    return code;
}

static int evaluate_slice(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    struct thing *bounds = arena_zeroed(e->arena, 3, sizeof *bounds);
    if (bounds == NULL) return evaluation_no_memory(e);
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < x->count; i++)
        if (x->operands[i] != NULL) code = evaluation_evaluate(e, x->operands[i], &bounds[i]);
    *thing = (struct thing){.kind = THING_SLICE, .bounds = bounds};
    return code;
}

static int evaluate_subscripts(struct evaluation *e, const struct expression *x, struct thing *subscripts,
                               size_t *count)
{
    *count = x->count - 1;
    if (*count > SUBSCRIPTS_MAX) return evaluation_fault(e, "more than %d subscripts", SUBSCRIPTS_MAX);
    for (size_t i = 0; i < *count; i++) {
        int code = evaluation_evaluate(e, x->operands[i + 1], &subscripts[i]);
        if (code != CODE_OK) return code;
    }
    if (*count == 1 && subscripts[0].kind == THING_TUPLE && subscripts[0].sequence->count <= SUBSCRIPTS_MAX) {
        const struct sequence *tuple = subscripts[0].sequence; /* x[(i, j)] is x[i, j] */
        *count = tuple->count;
        if (*count > 0) memcpy(subscripts, tuple->items, *count * sizeof *subscripts);
    }
    return CODE_OK;
}

/* Whether it is an object whose attributes and members are names: self, and what stands for it. */
static bool is_object(const struct thing *thing)
{
    return thing->kind == THING_MODULE && strcmp(thing->text, "self") == 0;
}

static int evaluate_subscript(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    struct thing of = {0}, subscripts[SUBSCRIPTS_MAX] = {0};
    size_t count;
    int code = evaluation_evaluate(e, x->operands[0], &of);
    if (code == CODE_OK) code = evaluate_subscripts(e, x, subscripts, &count);
    evaluation_at(e, x->spot);
    if (code != CODE_OK) return code;
    if (is_object(&of) && count == 1 && subscripts[0].kind == THING_TEXT)
        return evaluation_find(e, subscripts[0].text, thing);
    code = subscript_read(e, &of, subscripts, count, thing);
    if (code == CODE_OK && of.kind != THING_ARRAY) note_read(e, thing);
    return code;
}

/* Evaluates keys and values, and puts these under those: the last one of a key holds. */
static int add_members(struct evaluation *e, const struct expression *members, const struct thing *dictionary)
{
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i + 1 < members->count; i += 2) {
        struct thing key = {0}, value = {0}, ignored;
        code = evaluation_evaluate(e, members->operands[i], &key);
        if (code == CODE_OK) code = evaluation_evaluate(e, members->operands[i + 1], &value);
        if (code == CODE_OK) code = subscript_write(e, dictionary, &key, 1, OPERATION_NONE, &value, &ignored);
    }
    return code;
}

static int evaluate_dictionary(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    *thing = (struct thing){.kind = THING_DICTIONARY, .sequence = sequence_new(e->arena)};
    return thing->sequence != NULL ? add_members(e, x, thing) : evaluation_no_memory(e);
}

/* The turns of a comprehension, whose names are those of its own frame. */
static int run_turns(struct evaluation *e, const struct expression *x, const struct sequence *items,
                     const struct thing *made)
{
    struct thing item = {0};
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < items->count; i++) {
        bool taken = true;
        code = assign(e, x->operands[1], items->items[i]);
        if (code == CODE_OK && x->count > 3) code = evaluation_evaluate(e, x->operands[3], &item);
        if (code == CODE_OK && x->count > 3) code = evaluation_truth(e, &item, &taken);
        if (code != CODE_OK || !taken) continue;
        if (made->kind == THING_DICTIONARY) {
            code = add_members(e, x->operands[0], made);
            continue;
        }
        code = evaluation_evaluate(e, x->operands[0], &item);
        if (code == CODE_OK && !sequence_add(e->arena, made->sequence, item)) code = evaluation_no_memory(e);
    }
    return code;
}

static int evaluate_comprehension(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    struct sequence items = {0};
    struct thing over = {0};
    struct frame *around = e->frame,
                 *own = frame_new(e, around, around != NULL && around->library, evaluation_call_number(e));
    *thing = (struct thing){.kind = x->kind == EXPRESSION_DICTIONARY_COMPREHENSION ? THING_DICTIONARY : THING_LIST,
                            .sequence = sequence_new(e->arena)};
    if (own == NULL || thing->sequence == NULL) return evaluation_no_memory(e);
    int code = evaluation_evaluate(e, x->operands[2], &over);
    if (code == CODE_OK) code = evaluation_items(e, &over, &items);
    e->frame = own;
    if (code == CODE_OK) code = run_turns(e, x, &items, thing);
    e->frame = around;
    return code;
}

static int evaluate_format(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    int code = CODE_OK;
    *thing = (struct thing){.kind = THING_TEXT, .text = ""};
    for (size_t i = 0; code == CODE_OK && i < x->count; i++) {
        struct thing part = {0}, text = {0}, before = *thing;
        code = evaluation_evaluate(e, x->operands[i], &part);
        if (code == CODE_OK) code = texts_of(e, &part, &text);
        if (code == CODE_OK) code = texts_join(e, before.text, text.text, thing);
    }
    return code;
}

static int evaluate(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    if (x->kind != EXPRESSION_CHAIN && x->kind != EXPRESSION_POWER) evaluation_at(e, x->spot);
    switch (x->kind) {
    case EXPRESSION_NUMBER:
        *thing = thing_number(x->number, x->is_whole ? TYPE_INT : TYPE_FLOAT);
        return CODE_OK;
    case EXPRESSION_STRING:
        *thing = (struct thing){.kind = THING_TEXT, .text = x->name};
        return CODE_OK;
    case EXPRESSION_NAME:
        return evaluate_name(e, x, thing);
    case EXPRESSION_CHAIN:
        return evaluate_chain(e, x, thing);
    case EXPRESSION_POWER:
        return evaluate_power(e, x, thing);
    case EXPRESSION_UNARY: {
        struct thing operand = {0};
        int code = evaluation_evaluate(e, x->operands[0], &operand);
        evaluation_at(e, x->spot);
        return code == CODE_OK ? evaluation_unary(e, x->operation, &operand, thing) : code;
    }
    case EXPRESSION_COMPARE:
        return evaluate_compare(e, x, thing);
    case EXPRESSION_BOTH:
    case EXPRESSION_EITHER:
        return evaluate_words(e, x, thing);
    case EXPRESSION_CHOICE:
        return evaluate_choice(e, x, thing);
    case EXPRESSION_CALL:
        return evaluation_call_at(e, x, thing);
    case EXPRESSION_ATTRIBUTE:
        return evaluate_attribute(e, x, thing);
    case EXPRESSION_SUBSCRIPT:
        return evaluate_subscript(e, x, thing);
    case EXPRESSION_SLICE:
        return evaluate_slice(e, x, thing);
    case EXPRESSION_TUPLE:
        return evaluate_sequence(e, x, THING_TUPLE, thing);
    case EXPRESSION_LIST:
        return evaluate_sequence(e, x, THING_LIST, thing);
    case EXPRESSION_DICTIONARY:
        return evaluate_dictionary(e, x, thing);
    case EXPRESSION_COMPREHENSION:
    case EXPRESSION_DICTIONARY_COMPREHENSION:
        return evaluate_comprehension(e, x, thing);
    case EXPRESSION_LAMBDA:
        return evaluation_define(e, x->function, thing);
    case EXPRESSION_ELLIPSIS:
        *thing = (struct thing){.kind = THING_ELLIPSIS};
        return CODE_OK;
    case EXPRESSION_FORMAT:
        return evaluate_format(e, x, thing);
    }
    return CODE_OK;
}

int evaluation_evaluate(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    /* Most are over in no time, but a program may have very many, and have them within each other. */
    enum { EVALUATIONS_OF_A_STEP = 8, DEPTH_MAX = 1000 };
    if (++e->evaluated % EVALUATIONS_OF_A_STEP == 0 && evaluation_step(e, 1) != CODE_OK) return evaluation_failed(e);
    if (e->depth == DEPTH_MAX)
        return evaluation_fault(e, "more than %d calls and brackets are evaluated within each other", DEPTH_MAX);
    e->depth++;
    int code = evaluate(e, x, thing);
    e->depth--;
    return code;
}

/* ---- what can be run over ---- */

int evaluation_items(struct evaluation *e, const struct thing *thing, struct sequence *items)
{
    char words[SHAPE_TEXT_MAX + 32];
    *items = (struct sequence){0};
    if (thing->kind == THING_TUPLE || thing->kind == THING_LIST) {
        *items = *thing->sequence;
        items->room = 0; /* the list may grow while it is run over: these are the items that it has now */
        return evaluation_step(e, items->count);
    }
    size_t count = 0;
    if (thing->kind == THING_RANGE)
        count = thing->range->count;
    else if (thing->kind == THING_DICTIONARY)
        count = thing->sequence->count / 2;
    else if (thing->kind == THING_ARRAY && thing->array->shape.rank > 0)
        count = thing->array->shape.dim[0];
    else
        return evaluation_fault(e, "%s cannot be run over", thing_words(thing, words));
    int code = evaluation_step(e, count);
    for (size_t i = 0; code == CODE_OK && i < count; i++) {
        struct thing item, index = thing_number((double)i, TYPE_INT);
        if (thing->kind == THING_RANGE)
            item = range_item(thing->range, i);
        else if (thing->kind == THING_DICTIONARY)
            item = thing->sequence->items[2 * i];
        else
            code = subscript_read(e, thing, &index, 1, &item);
        if (code == CODE_OK && !sequence_add(e->arena, items, item)) code = evaluation_no_memory(e);
    }
    return code;
}

int evaluation_extend(struct evaluation *e, struct sequence *list, const struct thing *what)
{
    struct sequence items = {0};
    int code = evaluation_items(e, what, &items);
    for (size_t i = 0; code == CODE_OK && i < items.count; i++)
        if (!sequence_add(e->arena, list, items.items[i])) code = evaluation_no_memory(e);
    return code;
}

int evaluation_update(struct evaluation *e, enum operation operation, const struct thing *before,
                      const struct thing *what, struct thing *after)
{
    if (operation != OPERATION_ADD || before->kind != THING_LIST)
        return evaluation_binary(e, operation, before, what, after);
    *after = *before;
    return evaluation_extend(e, before->sequence, what);
}

/* ---- statements ---- */

/* W, b = cache: what has these names. */
static int assign_members(struct evaluation *e, const struct expression *target)
{
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < target->count; i++) {
        const struct expression *one = target->operands[i];
        struct thing thing = {0};
        if (one->kind == EXPRESSION_TUPLE || one->kind == EXPRESSION_LIST) {
            code = assign_members(e, one);
            continue;
        }
        if (one->kind != EXPRESSION_NAME || strcmp(one->name, "_") == 0) continue;
        e->spot = one->spot;
        code = evaluation_find(e, one->name, &thing);
        if (code == CODE_OK) code = bind(e, one->symbol, one->name, thing);
    }
    return code;
}

static int assign_several(struct evaluation *e, const struct expression *target, const struct thing *thing)
{
    struct sequence items = {0};
    if (is_object(thing)) return assign_members(e, target);
    int code = evaluation_items(e, thing, &items);
    if (code == CODE_OK && items.count != target->count)
        return evaluation_fault(e, "%zu names for %zu values", target->count, items.count);
    for (size_t i = 0; code == CODE_OK && i < items.count; i++)
        code = assign(e, target->operands[i], items.items[i]);
    return code;
}

static bool is_container(const struct thing *thing)
{
    return thing->kind == THING_LIST || thing->kind == THING_DICTIONARY;
}

/* The name of a list or dictionary, and the keys on the way into it. */
static int name_container(struct evaluation *e, const struct expression *x, struct written_place *written)
{
    if (x->kind == EXPRESSION_NAME || x->kind == EXPRESSION_ATTRIBUTE) {
        written->name = x->name;
        return CODE_OK;
    }
    if (x->kind != EXPRESSION_SUBSCRIPT || x->count != 2) return CODE_OK;
    int code = name_container(e, x->operands[0], written);
    if (code != CODE_OK || written->key_count == WRITTEN_KEYS_MAX) return code;
    return evaluation_evaluate(e, x->operands[1], &written->keys[written->key_count++]);
}

/* What was put into a list or dictionary, the observer having had its say. */
static int written_into(struct evaluation *e, const struct expression *target, const struct thing *of,
                        const struct thing *key, bool updates)
{
    struct written_place written = {.updates = updates};
    struct thing thing = {0}, ignored, index = *key;
    if (e->observer == NULL) return CODE_OK;
    if (equality_key(e, key, &index) != CODE_OK) return evaluation_failed(e);
    int code = name_container(e, target->operands[0], &written);
    if (code == CODE_OK) code = subscript_read(e, of, key, 1, &thing);
    if (code != CODE_OK) return code;
    if (of->kind == THING_LIST && index.number < 0) index.number += (double)of->sequence->count;
    if (of->kind == THING_LIST) written.count = of->sequence->count;
    if (written.key_count < WRITTEN_KEYS_MAX) written.keys[written.key_count++] = index;
    code = evaluation_written(e, &written, &thing);
    return code == CODE_OK ? subscript_write(e, of, key, 1, OPERATION_NONE, &thing, &ignored) : code;
}

static int write_subscript(struct evaluation *e, const struct expression *target, enum operation operation,
                           const struct thing *what, bool updates)
{
    struct thing of = {0}, subscripts[SUBSCRIPTS_MAX] = {0}, changed = {0};
    size_t count;
    int code = evaluation_evaluate(e, target->operands[0], &of);
    if (code == CODE_OK) code = evaluate_subscripts(e, target, subscripts, &count);
    evaluation_at(e, target->spot);
    if (code == CODE_OK && is_object(&of)) return CODE_OK; /* params["W1"] -= ...: nobody reads it from there */
    if (code == CODE_OK) code = subscript_write(e, &of, subscripts, count, operation, what, &changed);
    if (code == CODE_OK && is_container(&of))
        return written_into(e, target, &of, &subscripts[0], updates || operation != OPERATION_NONE);
    return code == CODE_OK ? evaluation_assign(e, target->operands[0], changed, true) : code;
}

/* self.dW1 = ... is dW1 = ..., as x.grad = ... is none of a name's. */
static int assign_attribute(struct evaluation *e, const struct expression *target, struct thing thing)
{
    const struct expression *of = target->operands[0];
    if (of->kind != EXPRESSION_NAME || strcmp(of->name, "self") != 0)
        return evaluation_fault(e, "only attributes of self can be assigned");
    return evaluation_bind(e, target->symbol, target->name, thing);
}

static int assign(struct evaluation *e, const struct expression *target, struct thing thing)
{
    return evaluation_assign(e, target, thing, false);
}

int evaluation_assign(struct evaluation *e, const struct expression *target, struct thing thing, bool updates)
{
    const struct written_place written = {.name = target->name, .updates = updates};
    evaluation_at(e, target->spot);
    if ((target->kind == EXPRESSION_NAME || target->kind == EXPRESSION_ATTRIBUTE) &&
        evaluation_written(e, &written, &thing) != CODE_OK)
        return evaluation_failed(e);
    switch (target->kind) {
    case EXPRESSION_NAME:
        return bind(e, target->symbol, target->name, thing);
    case EXPRESSION_ATTRIBUTE:
        return assign_attribute(e, target, thing);
    case EXPRESSION_SUBSCRIPT:
        return write_subscript(e, target, OPERATION_NONE, &thing, updates);
    case EXPRESSION_TUPLE:
    case EXPRESSION_LIST:
        return assign_several(e, target, &thing);
    default:
        return evaluation_fault(e, "nothing can be assigned to this");
    }
}

static int run_update(struct evaluation *e, const struct statement *s)
{
    struct thing what = {0}, before = {0}, after = {0};
    const struct expression *target = s->targets[0];
    int code = evaluation_evaluate(e, s->value, &what);
    if (code != CODE_OK) return code;
    if (target->kind == EXPRESSION_SUBSCRIPT) return write_subscript(e, target, s->operation, &what, true);
    code = evaluation_evaluate(e, target, &before);
    evaluation_at(e, s->spot);
    if (code == CODE_OK) code = evaluation_update(e, s->operation, &before, &what, &after);
    return code == CODE_OK ? evaluation_assign(e, target, after, true) : code;
}

static int run_for(struct evaluation *e, const struct statement *s)
{
    struct sequence items = {0};
    struct thing over = {0};
    int code = evaluation_evaluate(e, s->value, &over);
    if (code == CODE_OK) code = evaluation_items(e, &over, &items);
    for (size_t i = 0; code == CODE_OK && i < items.count; i++) {
        code = assign(e, s->targets[0], items.items[i]);
        if (code == CODE_OK) code = evaluation_run(e, &s->body);
        bool left = e->leaving == LEAVING_LOOP || (e->frame != NULL && e->frame->returned);
        e->leaving = LEAVING_NOT;
        if (left) break;
    }
    return code;
}

/* With the words of the program; of the library's functions, with the string alone. */
static int raise(struct evaluation *e, const struct statement *s)
{
    const char *text = s->begin, *end = s->end;
    const bool library = e->frame != NULL && e->frame->library;
    if (library) {
        text = (const char *)memchr(text, '"', (size_t)(end - text)) + 1;
    }
    return evaluation_fault(e, "%s%.*s",
                            library               ? ""
                            : e->observer != NULL ? "the code comes to this: "
                                                  : "the program comes to this: ",
                            (int)(end - text < 200 ? end - text : 200), text);
}

/* An if, or an elif: what is done where its condition holds, or what is done otherwise where no elif follows. */
static int run_branch(struct evaluation *e, const struct statement *s, bool *taken)
{
    struct thing condition = {0};
    bool truth = false;
    int code = evaluation_evaluate(e, s->value, &condition);
    if (code == CODE_OK) code = evaluation_truth(e, &condition, &truth);
    *taken = truth || !s->is_followed;
    return code == CODE_OK && *taken ? evaluation_run(e, truth ? &s->body : &s->otherwise) : code;
}

static int run_observed(struct evaluation *e, const struct statement *s, bool *taken);

/* One elif after the other, not within the other: there may be many. */
static int run_if(struct evaluation *e, const struct statement *s)
{
    bool taken = false;
    int code = run_branch(e, s, &taken);
    while (code == CODE_OK && !taken) {
        s = s->otherwise.list[0];
        evaluation_at(e, s->spot);
        code = evaluation_step(e, 1);
        if (code == CODE_OK) code = is_observed(e) ? run_observed(e, s, &taken) : run_branch(e, s, &taken);
    }
    return code;
}

static int run_statement(struct evaluation *e, const struct statement *s)
{
    struct thing thing = {0};
    int code = CODE_OK;
    evaluation_at(e, s->spot);
    if (evaluation_step(e, 1) != CODE_OK) return evaluation_failed(e);
    switch (s->kind) {
    case STATEMENT_ASSIGN:
        code = evaluation_evaluate(e, s->value, &thing);
        for (size_t i = 0; code == CODE_OK && i < s->target_count; i++)
            code = assign(e, s->targets[i], thing);
        return code;
    case STATEMENT_UPDATE:
        return run_update(e, s);
    case STATEMENT_EXPRESSION:
        return evaluation_evaluate(e, s->value, &thing);
    case STATEMENT_FOR:
        return run_for(e, s);
    case STATEMENT_IF:
        return run_if(e, s);
    case STATEMENT_DEFINE:
        code = evaluation_define(e, s, &thing);
        return code == CODE_OK ? bind(e, s->symbol, s->name, thing) : code;
    case STATEMENT_RETURN:
        if (e->frame == NULL) return evaluation_fault(e, "a return stands outside of a def");
        if (s->value != NULL) code = evaluation_evaluate(e, s->value, &thing);
        e->frame->result = thing;
        e->frame->returned = true;
        return code;
    case STATEMENT_BREAK:
        e->leaving = LEAVING_LOOP;
        return CODE_OK;
    case STATEMENT_CONTINUE:
        e->leaving = LEAVING_TURN;
        return CODE_OK;
    case STATEMENT_RAISE:
        return raise(e, s);
    case STATEMENT_PASS:
        return CODE_OK;
    case STATEMENT_CLASS:
        return evaluation_run(e, &s->body);
    }
    return CODE_OK;
}

/* The same while somebody looks on, who may go on behind a fault; with `taken`, of an elif. */
static int run_observed(struct evaluation *e, const struct statement *s, bool *taken)
{
    const struct observer *observer = e->observer;
    struct frame *frame = e->frame;
    size_t levels = e->levels;
    int code = observer->begins(observer->context, e, s);
    if (code == CODE_OK) code = taken != NULL ? run_branch(e, s, taken) : run_statement(e, s);
    if (code == CODE_PROGRAM_ERROR && !e->spent && observer->fails(observer->context, e, s)) {
        *e->reader->error = (struct error){0};
        e->reader->fault = (struct spot){0};
        code = CODE_OK;
        if (taken != NULL) *taken = true;
    }
    e->frame = frame;
    e->levels = levels;
    observer->ends(observer->context, e, s);
    return code;
}

int evaluation_run(struct evaluation *e, const struct block *block)
{
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < block->count; i++) {
        code = is_observed(e) ? run_observed(e, block->list[i], NULL) : run_statement(e, block->list[i]);
        if (e->leaving != LEAVING_NOT || (e->frame != NULL && e->frame->returned)) break;
    }
    return code;
}
