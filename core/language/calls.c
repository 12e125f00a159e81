/* Calls: of functions of the program, of those of the language, and of methods that change what they are called on. */
#include <string.h>

#include "core/language/evaluation.h"
#include "core/language/sharing.h"

enum { CALLS_MAX = 32 };

/* What stands for a parameter that is not given. In somebody's code it may be what the language has not: it is at fault
 * once it is needed then. */
static int evaluate_default(struct evaluation *e, const struct expression *fallback, struct thing **thing)
{
    struct thing *made = arena_zeroed(e->arena, 1, sizeof *made);
    if (made == NULL) return evaluation_no_memory(e);
    int code = evaluation_evaluate(e, fallback, made);
    if (code == CODE_OK) *thing = made;
    if (code != CODE_PROGRAM_ERROR || e->observer == NULL || e->spent) return code;
    *e->reader->error = (struct error){0};
    e->reader->fault = (struct spot){0};
    return CODE_OK;
}

int evaluation_define(struct evaluation *e, const struct statement *function, struct thing *thing)
{
    struct closure *closure = arena_alloc(e->arena, sizeof *closure);
    struct thing **defaults = arena_zeroed(e->arena, function->parameter_count, sizeof *defaults);
    if (closure == NULL || defaults == NULL) return evaluation_no_memory(e);
    int code = CODE_OK;
    for (size_t p = 0; code == CODE_OK && p < function->parameter_count; p++)
        if (function->parameters[p].fallback != NULL)
            code = evaluate_default(e, function->parameters[p].fallback, &defaults[p]);
    *closure = (struct closure){.frame = e->frame, .defaults = defaults};
    *thing = (struct thing){.kind = THING_FUNCTION, .function = function, .closure = closure};
    return code;
}

/* Whether self, a method's first parameter, is left out, as where it is called without its object. */
static bool is_bare(const struct statement *function, const struct thing *arguments, const char *const *keywords,
                    size_t count)
{
    if (function->parameter_count == 0 || strcmp(function->parameters[0].name, "self") != 0) return false;
    return count == 0 || keywords[0] != NULL || arguments[0].kind != THING_MODULE || count < function->parameter_count;
}

/* The arguments of a call under the names of the parameters. */
static int bind_arguments(struct evaluation *e, const struct statement *function, const struct thing *arguments,
                          const char *const *keywords, size_t count, struct frame *frame)
{
    bool bare = is_bare(function, arguments, keywords, count);
    int code = CODE_OK;
    if (bare) /* it is all names then */
        code =
            frame_bind(e, frame, function->parameters[0].symbol, (struct thing){.kind = THING_MODULE, .text = "self"});
    for (size_t i = 0; code == CODE_OK && i < count; i++) {
        size_t p = i + bare;
        if (keywords[i] != NULL)
            for (p = 0; p < function->parameter_count && strcmp(function->parameters[p].name, keywords[i]) != 0;)
                p++;
        if (p >= function->parameter_count && keywords[i] != NULL)
            return evaluation_fault(e, "%.80s has no parameter %.80s", function->name, keywords[i]);
        if (p >= function->parameter_count)
            return evaluation_fault(e, "%.80s takes %zu arguments, not %zu", function->name, function->parameter_count,
                                    count);
        if (frame_local(frame, function->parameters[p].symbol) != NULL)
            return evaluation_fault(e, "%.80s gets its %.80s twice", function->name, function->parameters[p].name);
        code = frame_bind(e, frame, function->parameters[p].symbol, arguments[i]);
    }
    return code;
}

/* What stands for parameters that are not given: of a function of the library it is evaluated now, and with its own
 * names, which are not the program's. */
static int bind_defaults(struct evaluation *e, const struct statement *function, struct thing *const *defaults,
                         struct frame *frame)
{
    struct frame *caller = e->frame;
    int code = CODE_OK;
    for (size_t p = 0; code == CODE_OK && p < function->parameter_count; p++) {
        const struct parameter *parameter = &function->parameters[p];
        struct thing fallback = {0};
        if (frame_local(frame, parameter->symbol) != NULL) continue;
        if (parameter->fallback == NULL)
            return evaluation_fault(e, "%.80s is called without its %.80s", function->name, parameter->name);
        e->frame = frame;
        if (defaults != NULL && defaults[p] != NULL)
            fallback = *defaults[p];
        else
            code = evaluation_evaluate(e, parameter->fallback, &fallback);
        e->frame = caller;
        if (code == CODE_OK) code = frame_bind(e, frame, parameter->symbol, fallback);
    }
    return code;
}

/* Without a closure it is one of the library. */
static int call_function(struct evaluation *e, const struct statement *function, const struct closure *closure,
                         const struct thing *arguments, const char *const *keywords, size_t count, struct thing *result)
{
    struct frame *caller = e->frame,
                 *frame = frame_new(e, closure != NULL ? closure->frame : NULL, closure == NULL, ++e->calls);
    struct spot here = e->spot;
    if (frame == NULL) return evaluation_no_memory(e);
    if (e->levels == CALLS_MAX)
        return evaluation_fault(e, "more than %d calls within each other (the language has no recursion)", CALLS_MAX);
    e->levels++;
    int code = bind_arguments(e, function, arguments, keywords, count, frame);
    if (code == CODE_OK) code = bind_defaults(e, function, closure != NULL ? closure->defaults : NULL, frame);
    if (code == CODE_OK) e->spot = here;
    e->frame = frame;
    if (code == CODE_OK) code = evaluation_run(e, &function->body);
    e->levels--;
    e->frame = caller;
    e->spot = here;
    *result = frame->result;
    if (code == CODE_OK && result->kind == THING_LOST) return evaluation_lost(e, result);
    return code;
}

int evaluation_call_written(struct evaluation *e, const struct statement *function, struct thing *arguments,
                            const char *const *keywords, size_t count, struct thing *result)
{
    return call_function(e, function, NULL, arguments, keywords, count, result);
}

int evaluation_call(struct evaluation *e, const struct thing *callee, struct thing *arguments,
                    const char *const *keywords, size_t count, struct thing *result)
{
    char words[SHAPE_TEXT_MAX + 32];
    if (evaluation_step(e, 1) != CODE_OK) return evaluation_failed(e);
    if (callee->kind == THING_FUNCTION)
        return call_function(e, callee->function, callee->closure, arguments, keywords, count, result);
    if (callee->kind == THING_BUILTIN) return functions_call(e, callee, arguments, keywords, count, result);
    if (callee->kind == THING_NUMBER && callee->self != NULL) { /* x.size(), x.size(0) */
        struct thing all[2] = {*callee->self, {0}};
        if (count > 1) return evaluation_fault(e, "size() takes one axis at most");
        if (count == 1) all[1] = arguments[0];
        return function_by_name(e, count == 1 ? "size" : "shape", all, 1 + count, result);
    }
    if (callee->kind == THING_TEXT && count == 1) { /* np.int64(x), np.float32(x): a type's name */
        const struct thing cast = {.kind = THING_BUILTIN, .builtin = functions_find("astype", false)};
        struct thing both[2] = {arguments[0], *callee};
        const char *const none[2] = {NULL, NULL};
        return functions_call(e, &cast, both, none, 2, result);
    }
    return evaluation_fault(e, "%s cannot be called", thing_words(callee, words));
}

/* f(*x): the elements of x stand in its place. */
static int spread(struct evaluation *e, const struct thing *thing, struct sequence *all, struct sequence *keywords)
{
    const struct thing none = {.kind = THING_TEXT};
    struct sequence items = {0};
    int code = evaluation_items(e, thing, &items);
    for (size_t i = 0; code == CODE_OK && i < items.count; i++)
        if (!sequence_add(e->arena, all, items.items[i]) || !sequence_add(e->arena, keywords, none))
            code = evaluation_no_memory(e);
    return code;
}

static int evaluate_arguments(struct evaluation *e, const struct expression *x, struct sequence *all,
                              const char ***words)
{
    struct sequence keywords = {0};
    struct thing thing = {0};
    for (size_t i = 1; i < x->count; i++) {
        const struct thing keyword = {.kind = THING_TEXT, .text = x->keywords[i]};
        int code = evaluation_evaluate(e, x->operands[i], &thing);
        if (code == CODE_OK && x->keywords[i] == syntax_star)
            code = spread(e, &thing, all, &keywords);
        else if (code == CODE_OK &&
                 (!sequence_add(e->arena, all, thing) || !sequence_add(e->arena, &keywords, keyword)))
            code = evaluation_no_memory(e);
        if (code != CODE_OK) return code;
    }
    *words = arena_array(e->arena, keywords.count, sizeof **words);
    if (*words == NULL) return evaluation_no_memory(e);
    for (size_t i = 0; i < keywords.count; i++)
        (*words)[i] = keywords.items[i].text;
    return CODE_OK;
}

/* ---- calls that change what they are about, as a statement would ---- */

/* np.add.at(a, i, b) is a[i] += b, where an index that is there twice adds twice. */
static bool adds_at(const struct expression *x)
{
    const struct expression *at = x->operands[0], *add = at->kind == EXPRESSION_ATTRIBUTE ? at->operands[0] : NULL;
    return add != NULL && strcmp(at->name, "at") == 0 &&
           (add->kind == EXPRESSION_ATTRIBUTE || add->kind == EXPRESSION_NAME) && strcmp(add->name, "add") == 0;
}

static int add_at(struct evaluation *e, const struct expression *x)
{
    struct thing of, what, changed, subscripts[SUBSCRIPTS_MAX] = {{0}};
    size_t count = 1;
    evaluation_at(e, x->operands[0]->spot);
    if (x->count != 4 || x->keywords[1] != NULL || x->keywords[2] != NULL || x->keywords[3] != NULL)
        return evaluation_fault(e, "np.add.at takes an array, an index, and what is added there");
    int code = evaluation_evaluate(e, x->operands[1], &of);
    if (code == CODE_OK) code = evaluation_evaluate(e, x->operands[2], &subscripts[0]);
    if (code == CODE_OK) code = evaluation_evaluate(e, x->operands[3], &what);
    if (code == CODE_OK) code = sharing_thing_now(e, &of);
    evaluation_at(e, x->operands[0]->spot);
    if (code == CODE_OK && of.kind != THING_ARRAY) return evaluation_fault(e, "np.add.at adds to an array");
    if (code == CODE_OK && subscripts[0].kind == THING_TUPLE && subscripts[0].sequence->count <= SUBSCRIPTS_MAX) {
        const struct sequence *tuple = subscripts[0].sequence;
        count = tuple->count;
        if (count > 0) memcpy(subscripts, tuple->items, count * sizeof *subscripts);
    }
    if (code == CODE_OK) code = subscript_write(e, &of, subscripts, count, OPERATION_ADD_EACH, &what, &changed);
    return code == CODE_OK ? evaluation_assign(e, x->operands[1], changed, &of) : code;
}

/* What x is about where it calls a method of that name; NULL where it does not. */
static const struct expression *changed_by(const struct expression *x, const char *method)
{
    const struct expression *callee = x->operands[0];
    return callee->kind == EXPRESSION_ATTRIBUTE && strcmp(callee->name, method) == 0 ? callee->operands[0] : NULL;
}

/* target[...] = what */
static int write_all(struct evaluation *e, const struct expression *target, const struct thing *what)
{
    const struct thing everywhere = {.kind = THING_ELLIPSIS};
    struct thing of = {0}, changed = {0};
    int code = evaluation_evaluate(e, target, &of);
    if (code == CODE_OK) code = subscript_write(e, &of, &everywhere, 1, OPERATION_NONE, what, &changed);
    return code == CODE_OK ? evaluation_assign(e, target, changed, &of) : code;
}

/* d.update({...}), d.update(key=value) */
static int update_dictionary(struct evaluation *e, const struct expression *x, const struct expression *target,
                             const struct thing *of)
{
    struct thing more = {0}, ignored;
    int code = CODE_OK;
    for (size_t i = 1; code == CODE_OK && i < x->count; i++) {
        code = evaluation_evaluate(e, x->operands[i], &more);
        const struct thing key = {.kind = THING_TEXT, .text = x->keywords[i]};
        if (code == CODE_OK && key.text != NULL)
            code = subscript_write(e, of, &key, 1, OPERATION_NONE, &more, &ignored);
        else if (code == CODE_OK && more.kind != THING_DICTIONARY)
            return evaluation_fault(e, "update takes a dictionary");
        for (size_t k = 0; code == CODE_OK && key.text == NULL && k < more.sequence->count; k += 2)
            code = subscript_write(e, of, &more.sequence->items[k], 1, OPERATION_NONE, &more.sequence->items[k + 1],
                                   &ignored);
    }
    return code == CODE_OK ? evaluation_assign(e, target, *of, of) : code;
}

/* np.copyto(target, what) */
static bool copies_to(const struct expression *x)
{
    const struct expression *callee = x->operands[0];
    return callee->kind == EXPRESSION_ATTRIBUTE && strcmp(callee->name, "copyto") == 0 && x->count == 3 &&
           x->keywords[1] == NULL && x->keywords[2] == NULL;
}

/* Whether x is such a call, and what became of it. */
static bool changes(struct evaluation *e, const struct expression *x, int *code)
{
    const struct expression *filled = changed_by(x, "fill"), *sorted = changed_by(x, "sort"),
                            *updated = changed_by(x, "update"),
                            *target = filled != NULL   ? filled
                                      : sorted != NULL ? sorted
                                                       : updated;
    struct thing of = {0}, what = {0};
    *code = CODE_OK;
    if (adds_at(x)) {
        *code = add_at(e, x);
        return true;
    }
    if (copies_to(x)) {
        *code = evaluation_evaluate(e, x->operands[2], &what);
        if (*code == CODE_OK) *code = write_all(e, x->operands[1], &what);
        return true;
    }
    if (target == NULL || (target->kind != EXPRESSION_NAME && target->kind != EXPRESSION_ATTRIBUTE &&
                           target->kind != EXPRESSION_SUBSCRIPT))
        return false;
    *code = evaluation_evaluate(e, target, &of);
    if (*code != CODE_OK) return true;
    if (updated != NULL && of.kind == THING_DICTIONARY) {
        *code = update_dictionary(e, x, target, &of);
        return true;
    }
    if (of.kind != THING_ARRAY || (filled != NULL && x->count != 2) || (sorted != NULL && x->count != 1)) return false;
    *code = filled != NULL ? evaluation_evaluate(e, x->operands[1], &what) : function_by_name(e, "sort", &of, 1, &what);
    if (*code == CODE_OK) *code = write_all(e, target, &what);
    return true;
}

/* f(x, out=y) is y[...] = f(x), too. */
static int write_out(struct evaluation *e, const struct expression *x, const struct thing *callee, struct thing *what)
{
    const struct expression *target = NULL;
    for (size_t i = 1; callee->kind == THING_BUILTIN && i < x->count; i++)
        if (x->keywords[i] != NULL && strcmp(x->keywords[i], "out") == 0) target = x->operands[i];
    bool none = target == NULL || (target->kind == EXPRESSION_NAME && strcmp(target->name, "None") == 0);
    if (none) return CODE_OK;
    int code = write_all(e, target, what);
    bool named = target->kind == EXPRESSION_NAME || target->kind == EXPRESSION_ATTRIBUTE;
    return code == CODE_OK && named ? evaluation_evaluate(e, target, what) : code; /* which is what it gives */
}

int evaluation_call_at(struct evaluation *e, const struct expression *x, struct thing *thing)
{
    struct sequence arguments = {0};
    int code;
    const char **keywords;
    struct thing callee = {0};
    *thing = (struct thing){.kind = THING_NONE};
    if (changes(e, x, &code)) return code;
    code = evaluation_evaluate(e, x->operands[0], &callee);
    if (code == CODE_OK) code = evaluate_arguments(e, x, &arguments, &keywords);
    if (code != CODE_OK) return code;
    evaluation_at(e, x->operands[0]->kind == EXPRESSION_ATTRIBUTE ? x->operands[0]->spot : x->spot);
    code = evaluation_call(e, &callee, arguments.items, keywords, arguments.count, thing);
    return code == CODE_OK ? write_out(e, x, &callee, thing) : code;
}
