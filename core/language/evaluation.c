#include "core/language/evaluation.h"

#include <string.h>

#include "core/language/texts.h"

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
    if (strcmp(of->text, "self") == 0) return evaluation_name(e, x, thing);
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

int evaluation_subscripts(struct evaluation *e, const struct expression *x, struct thing *subscripts, size_t *count)
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

bool evaluation_is_object(const struct thing *thing)
{
    return thing->kind == THING_MODULE && strcmp(thing->text, "self") == 0;
}

static int evaluate_subscript(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    struct thing of = {0}, subscripts[SUBSCRIPTS_MAX] = {0};
    size_t count;
    int code = evaluation_evaluate(e, x->operands[0], &of);
    if (code == CODE_OK) code = evaluation_subscripts(e, x, subscripts, &count);
    evaluation_at(e, x->spot);
    if (code != CODE_OK) return code;
    if (evaluation_is_object(&of) && count == 1 && subscripts[0].kind == THING_TEXT)
        return evaluation_find(e, subscripts[0].text, thing);
    code = subscript_read(e, &of, subscripts, count, thing);
    if (code == CODE_OK && of.kind != THING_ARRAY) evaluation_note_read(e, thing);
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
        code = evaluation_assign(e, x->operands[1], items->items[i], NULL);
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
        return evaluation_name(e, x, thing);
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
