/* Statements: assignments, loops, branches, blocks. */
#include <string.h>

#include "core/language/equality.h"
#include "core/language/evaluation.h"
#include "core/language/sharing.h"

static int bind(struct evaluation *e, size_t symbol, const char *name, struct thing thing)
{
    return e->frame != NULL ? frame_bind(e, e->frame, symbol, thing) : evaluation_bind(e, symbol, name, thing);
}

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
    if (evaluation_is_object(thing)) return assign_members(e, target);
    int code = evaluation_items(e, thing, &items);
    if (code == CODE_OK && items.count != target->count)
        return evaluation_fault(e, "%zu names for %zu values", target->count, items.count);
    for (size_t i = 0; code == CODE_OK && i < items.count; i++)
        code = evaluation_assign(e, target->operands[i], items.items[i], NULL);
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

/* Somebody looks on at what is put somewhere; with `before`, it is put into that, and all that share it have it. */
static int put(struct evaluation *e, struct written_place *written, const struct thing *before, struct thing *thing)
{
    written->updates = before != NULL;
    if (e->observer == NULL) return CODE_OK;
    bool shared = before != NULL && before->kind == THING_ARRAY && thing->kind == THING_ARRAY &&
                  e->observer->shares(e->observer->context, before->array);
    struct array *made = shared ? thing->array : NULL;
    if (shared) sharing_change(e, before->array, made);
    if (shared) written->changed = before->array;
    if (evaluation_written(e, written, thing) != CODE_OK) return evaluation_failed(e);
    if (shared && thing->kind == THING_ARRAY) sharing_change(e, made, thing->array);
    return CODE_OK;
}

/* What was put into a list or dictionary, the observer having had its say. */
static int written_into(struct evaluation *e, const struct expression *target, const struct thing *of,
                        const struct thing *key, const struct thing *before)
{
    struct written_place written = {.name = NULL};
    struct thing thing = {0}, ignored, index = *key;
    if (e->observer == NULL) return CODE_OK;
    if (equality_key(e, key, &index) != CODE_OK) return evaluation_failed(e);
    int code = name_container(e, target->operands[0], &written);
    if (code == CODE_OK) code = subscript_read(e, of, key, 1, &thing);
    if (code != CODE_OK) return code;
    if (of->kind == THING_LIST && index.number < 0) index.number += (double)of->sequence->count;
    if (of->kind == THING_LIST) written.count = of->sequence->count;
    if (written.key_count < WRITTEN_KEYS_MAX) written.keys[written.key_count++] = index;
    code = put(e, &written, before, &thing);
    return code == CODE_OK ? subscript_write(e, of, key, 1, OPERATION_NONE, &thing, &ignored) : code;
}

/* An array is written over where it is: with as many elements, and of its type. (A program may say it so all the same,
 * as its arrays are values.) */
static int check_in_place(struct evaluation *e, const struct thing *before, const struct thing *after)
{
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    if (e->observer == NULL || before->kind != THING_ARRAY || after->kind != THING_ARRAY ||
        before->array->shape.rank == 0)
        return CODE_OK;
    const struct array *was = before->array, *is = after->array;
    if (!shape_equal(&was->shape, &is->shape))
        return evaluation_fault(e, "what comes out has shape %s, and does not fit into %s, where it is to be put",
                                shape_text(&is->shape, a), shape_text(&was->shape, b));
    if (was->whole && is->type > TYPE_INT)
        return evaluation_fault(e, "an array of integers takes no other numbers in place");
    return CODE_OK;
}

/* d[key] = what, d[key] += what, where d is a list or dictionary; `before` as evaluation_assign has it. */
static int write_item(struct evaluation *e, const struct expression *target, const struct thing *of,
                      const struct thing *key, enum operation operation, const struct thing *what,
                      const struct thing *before)
{
    struct thing was = {0}, after = *what, ignored;
    int code = CODE_OK;
    if (operation != OPERATION_NONE) {
        code = subscript_read(e, of, key, 1, &was);
        if (code == CODE_OK) code = evaluation_update(e, operation, &was, what, &after);
        if (code == CODE_OK) code = check_in_place(e, &was, &after);
        before = &was;
    }
    if (code == CODE_OK) code = subscript_write(e, of, key, 1, OPERATION_NONE, &after, &ignored);
    return code == CODE_OK ? written_into(e, target, of, key, before) : code;
}

static int write_subscript(struct evaluation *e, const struct expression *target, enum operation operation,
                           const struct thing *what, const struct thing *before)
{
    struct thing of = {0}, subscripts[SUBSCRIPTS_MAX] = {0}, changed = {0};
    size_t count;
    int code = evaluation_evaluate(e, target->operands[0], &of);
    if (code == CODE_OK) code = evaluation_subscripts(e, target, subscripts, &count);
    if (code == CODE_OK) code = sharing_thing_now(e, &of); /* they may have written into it */
    evaluation_at(e, target->spot);
    bool object = evaluation_is_object(&of), /* params["W1"] -= ...: nobody reads it from there */
        fixed = before != NULL && before->kind == THING_ARRAY && of.kind == THING_TUPLE;
    bool copied = before != NULL && before->kind == THING_ARRAY && of.kind == THING_ARRAY &&
                  evaluation_is_observed(e) && before->array->base == NULL;
    if (code == CODE_OK && copied) return CODE_OK; /* dW[[0, 1]][0] = ...: what an index picks is a copy */
    if (code == CODE_OK && (object || fixed)) {    /* what was written into is there already */
        struct written_place nowhere = {.name = NULL};
        struct thing changed_one = *what;
        return before != NULL ? put(e, &nowhere, before, &changed_one) : CODE_OK;
    }
    if (code == CODE_OK && is_container(&of) && count == 1)
        return write_item(e, target, &of, &subscripts[0], operation, what, before);
    if (code == CODE_OK) code = subscript_write(e, &of, subscripts, count, operation, what, &changed);
    return code == CODE_OK ? evaluation_assign(e, target->operands[0], changed, &of) : code;
}

/* self.dW1 = ... is dW1 = ..., as x.grad = ... is none of a name's. */
static bool is_attribute_of_self(const struct expression *target)
{
    return target->kind == EXPRESSION_ATTRIBUTE && target->operands[0]->kind == EXPRESSION_NAME &&
           strcmp(target->operands[0]->name, "self") == 0;
}

static int assign(struct evaluation *e, const struct expression *target, struct thing thing)
{
    return evaluation_assign(e, target, thing, NULL);
}

int evaluation_assign(struct evaluation *e, const struct expression *target, struct thing thing,
                      const struct thing *before)
{
    evaluation_at(e, target->spot);
    if (target->kind == EXPRESSION_SUBSCRIPT) return write_subscript(e, target, OPERATION_NONE, &thing, before);
    if (target->kind == EXPRESSION_TUPLE || target->kind == EXPRESSION_LIST) return assign_several(e, target, &thing);
    bool named = target->kind == EXPRESSION_NAME || is_attribute_of_self(target);
    if (!named && (before == NULL || before->kind != THING_ARRAY || !evaluation_is_observed(e)))
        return evaluation_fault(e, target->kind == EXPRESSION_ATTRIBUTE ? "only attributes of self can be assigned"
                                                                        : "nothing can be assigned to this");
    struct written_place written = {.name = named ? target->name : NULL};
    if (put(e, &written, before, &thing) != CODE_OK) return evaluation_failed(e);
    if (!named) return CODE_OK; /* dW.T[0] = ..., f()[0] = ...: what it is of has it now */
    return target->kind == EXPRESSION_NAME ? bind(e, target->symbol, target->name, thing)
                                           : evaluation_bind(e, target->symbol, target->name, thing);
}

static int run_update(struct evaluation *e, const struct statement *s)
{
    struct thing what = {0}, before = {0}, after = {0};
    const struct expression *target = s->targets[0];
    int code = evaluation_evaluate(e, s->value, &what);
    if (code != CODE_OK) return code;
    if (target->kind == EXPRESSION_SUBSCRIPT) return write_subscript(e, target, s->operation, &what, NULL);
    code = evaluation_evaluate(e, target, &before);
    evaluation_at(e, s->spot);
    if (code == CODE_OK) code = evaluation_update(e, s->operation, &before, &what, &after);
    if (code == CODE_OK) code = check_in_place(e, &before, &after);
    return code == CODE_OK ? evaluation_assign(e, target, after, &before) : code;
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
        if (code == CODE_OK) code = evaluation_is_observed(e) ? run_observed(e, s, &taken) : run_branch(e, s, &taken);
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
        code = evaluation_is_observed(e) ? run_observed(e, block->list[i], NULL) : run_statement(e, block->list[i]);
        if (e->leaving != LEAVING_NOT || (e->frame != NULL && e->frame->returned)) break;
    }
    return code;
}
