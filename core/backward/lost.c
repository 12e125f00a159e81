#include "core/backward/lost.h"

#include <string.h>

#include "core/backward/gradient_of.h"
#include "core/backward/judge.h"
#include "core/language/sharing.h"

enum { POISONED_FIRST = 16 };

bool lost_is(const struct run *run, const char *name)
{
    for (size_t i = 0; i < run->poisoned_count; i++)
        if (strcmp(run->poisoned[i], name) == 0) return true;
    return false;
}

static bool poison(struct run *run, const char *name)
{
    if (lost_is(run, name)) return true;
    const char **list = arena_grow(run->arena, (void *)run->poisoned, run->poisoned_count, &run->poisoned_room,
                                   sizeof *list, POISONED_FIRST);
    if (list == NULL) return false;
    run->poisoned = list;
    run->poisoned[run->poisoned_count++] = name;
    return true;
}

static int bind_name(struct evaluation *e, const struct expression *name, struct thing thing)
{
    return e->frame != NULL ? frame_bind(e, e->frame, name->symbol, thing)
                            : evaluation_bind(e, name->symbol, name->name, thing);
}

/* What was to be written into an array is lost under each of its names. */
static bool lose_shared(struct run *run, struct evaluation *e, const struct expression *target)
{
    const struct expression *root = target;
    struct error kept = *run->reader.error;
    struct thing held = {0};
    while (root->kind == EXPRESSION_SUBSCRIPT)
        root = root->operands[0];
    *run->reader.error = (struct error){0};
    bool shared = root->name != NULL && evaluation_evaluate(e, target, &held) == CODE_OK && held.kind == THING_ARRAY;
    if (run->reader.error->code == CODE_OUT_OF_MEMORY) return false;
    *run->reader.error = kept;
    if (shared) sharing_lose(held.array, root->name);
    return !shared || poison(run, root->name);
}

/* What had the name before is not what the code would go on with. */
static bool lose(struct run *run, struct evaluation *e, const struct expression *name)
{
    if (!poison(run, name->name)) return false;
    struct error kept = *run->reader.error;
    *run->reader.error = (struct error){0};
    int code = bind_name(e, name, (struct thing){.kind = THING_LOST, .text = name->name});
    if (code == CODE_OUT_OF_MEMORY) return false;
    *run->reader.error = kept;
    return true;
}

static bool make_up(struct run *run, struct evaluation *e, const struct expression *target, bool into,
                    struct outcome *outcome);

/* The same, put into a dictionary or list: grads["W1"] = ... */
static bool make_up_item(struct run *run, struct evaluation *e, const struct expression *target,
                         struct outcome *outcome)
{
    const struct expression *of = target->operands[0];
    struct thing key = {0}, held = {0}, put = {.kind = THING_LOST, .text = of->name}, ignored;
    struct error kept = *run->reader.error;
    size_t aim;
    const char *name;
    *run->reader.error = (struct error){0};
    bool known = evaluation_evaluate(e, of, &held) == CODE_OK &&
                 (held.kind == THING_DICTIONARY || held.kind == THING_LIST) &&
                 evaluation_evaluate(e, target->operands[1], &key) == CODE_OK;
    struct written_place place = {.name = of->name, .keys = {key}, .key_count = 1};
    if (held.kind == THING_LIST) place.count = held.sequence->count;
    if (held.kind == THING_LIST && key.kind == THING_NUMBER && key.number < 0)
        place.keys[0].number += (double)held.sequence->count;
    bool aimed = known && run_aim_of(run->surroundings, &place, &aim, &name) == AIMED_AT;
    if (aimed) outcome->fault_aim = aim;
    if (aimed && run->plan != NULL) {
        struct array *array = NULL;
        const struct shape *shape = &run->surroundings->aims[aim].shape;
        if (judge_put_right(run, e, aim, judge_scale_here(run, aim), shape, &array) == CODE_OK)
            put = thing_array(array);
    }
    if (known) subscript_write(e, &held, &key, 1, OPERATION_NONE, &put, &ignored);
    if (run->reader.error->code == CODE_OUT_OF_MEMORY) return false;
    *run->reader.error = kept;
    /* Of a tensor a part is one of all. */
    return known ? put.kind != THING_LOST || poison(run, of->name) : make_up(run, e, of, true, outcome);
}

/* What a statement at fault would have made: the right gradient where it is known which, else nothing. `into`: of what
 * is there, and not in its place. */
static bool make_up(struct run *run, struct evaluation *e, const struct expression *target, bool into,
                    struct outcome *outcome)
{
    const struct written_place written = {.name = target->name};
    size_t aim;
    const char *of;
    if (target->kind == EXPRESSION_TUPLE || target->kind == EXPRESSION_LIST) {
        for (size_t i = 0; i < target->count; i++)
            if (!make_up(run, e, target->operands[i], into, outcome)) return false;
        return true;
    }
    if (target->kind == EXPRESSION_SUBSCRIPT) {
        bool item = target->operands[0]->kind == EXPRESSION_NAME && target->count == 2;
        if (into && !lose_shared(run, e, target)) return false;
        return item ? make_up_item(run, e, target, outcome) : make_up(run, e, target->operands[0], true, outcome);
    }
    if (target->kind != EXPRESSION_NAME && target->kind != EXPRESSION_ATTRIBUTE) return true;
    bool aimed = run_is_main_frame(run, evaluation_call_number(e)) &&
                 run_aim_of(run->surroundings, &written, &aim, &of) == AIMED_AT;
    if (aimed) outcome->fault_aim = aim;
    if (into && !lose_shared(run, e, target)) return false;
    if (run->plan == NULL || !aimed) return lose(run, e, target);
    struct array *array = NULL;
    struct error kept = *run->reader.error;
    *run->reader.error = (struct error){0};
    const struct shape *shape = &run->surroundings->aims[aim].shape;
    int code = judge_put_right(run, e, aim, judge_scale_here(run, aim), shape, &array);
    if (code == CODE_OK) code = bind_name(e, target, thing_array(array));
    if (code == CODE_OUT_OF_MEMORY) return false;
    *run->reader.error = kept;
    return true;
}

/* All that a block would have made that is not run, as it is not known whether, or how often. */
static bool make_up_block(struct run *run, struct evaluation *e, const struct block *block, struct outcome *outcome)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct statement *s = block->list[i];
        for (size_t t = 0; s->kind != STATEMENT_DEFINE && t < s->target_count; t++)
            if (!make_up(run, e, s->targets[t], s->kind == STATEMENT_UPDATE, outcome)) return false;
        if (s->kind != STATEMENT_DEFINE && s->kind != STATEMENT_CLASS &&
            (!make_up_block(run, e, &s->body, outcome) || !make_up_block(run, e, &s->otherwise, outcome)))
            return false;
    }
    return true;
}

/* What a call that is there for what it does would have written into: np.add.at(dx, ...), dx.fill(0). */
static bool make_up_call(struct run *run, struct evaluation *e, const struct expression *call, struct outcome *outcome)
{
    static const char *const writes[] = {"at",     "copyto", "put",    "put_along_axis", "fill", "sort",
                                         "append", "insert", "extend", "update",         NULL};
    if (call->kind != EXPRESSION_CALL || call->operands[0]->kind != EXPRESSION_ATTRIBUTE) return true;
    const struct expression *callee = call->operands[0];
    size_t i = 0;
    while (writes[i] != NULL && strcmp(writes[i], callee->name) != 0)
        i++;
    if (writes[i] == NULL) return true;
    bool first = i < 4; /* of a module: into its first argument */
    const struct expression *into = first ? (call->count > 1 ? call->operands[1] : NULL) : callee->operands[0];
    return into == NULL || make_up(run, e, into, true, outcome);
}

static const char *const result_name = "what a function hands back";

/* One item of what a function hands back; lost where it cannot be evaluated. */
static bool hand_back(struct run *run, struct evaluation *e, const struct expression *x, struct thing *thing)
{
    *run->reader.error = (struct error){0};
    if (evaluation_evaluate(e, x, thing) == CODE_OK) return true;
    if (run->reader.error->code == CODE_OUT_OF_MEMORY) return false;
    *thing = (struct thing){.kind = THING_LOST, .text = result_name};
    return true;
}

/* What a return would have handed back: of several things those that are there. */
static bool make_up_result(struct run *run, struct evaluation *e, const struct expression *value)
{
    const struct error kept = *run->reader.error;
    struct thing *result = &e->frame->result;
    *result = (struct thing){.kind = THING_LOST, .text = result_name};
    if (!poison(run, result_name)) return false;
    if (value == NULL || value->kind != EXPRESSION_TUPLE) return true;
    struct sequence *items = sequence_new(e->arena);
    for (size_t i = 0; items != NULL && i < value->count; i++) {
        struct thing item = {0};
        if (!hand_back(run, e, value->operands[i], &item) || !sequence_add(e->arena, items, item)) return false;
    }
    *result = (struct thing){.kind = THING_TUPLE, .sequence = items};
    *run->reader.error = kept;
    return items != NULL;
}

bool lost_with(struct run *run, struct evaluation *e, const struct statement *statement, struct outcome *outcome)
{
    if (statement->kind == STATEMENT_FOR || statement->kind == STATEMENT_IF)
        return make_up_block(run, e, &statement->body, outcome) &&
               make_up_block(run, e, &statement->otherwise, outcome);
    if (statement->kind == STATEMENT_RETURN) {
        bool called = e->frame != NULL && evaluation_call_number(e) != run->main_frame; /* by the code itself */
        return !called || make_up_result(run, e, statement->value);
    }
    if (statement->kind == STATEMENT_EXPRESSION) return make_up_call(run, e, statement->value, outcome);
    for (size_t t = 0; t < statement->target_count; t++)
        if (!make_up(run, e, statement->targets[t], statement->kind == STATEMENT_UPDATE, outcome)) return false;
    return true;
}
