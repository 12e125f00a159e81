/* The evaluation of a program: from its tree to a graph of values. What follows from constants alone is computed on the
 * way; all else becomes nodes. */
#ifndef CORE_LANGUAGE_EVALUATION_H
#define CORE_LANGUAGE_EVALUATION_H

#include "core/language/arrays.h"

enum { SUBSCRIPTS_MAX = 2 * LANGUAGE_RANK_MAX };

/* Runs a block's statements; an expression. */
int evaluation_run(struct evaluation *e, const struct block *block);
int evaluation_evaluate(struct evaluation *e, const struct expression *expression, struct thing *thing);

/* The subscripts of x[...], of which there is room for SUBSCRIPTS_MAX: x[(i, j)] is x[i, j]. */
int evaluation_subscripts(struct evaluation *e, const struct expression *x, struct thing *subscripts, size_t *count);

/* Whether it is an object whose attributes and members are names: self, and what stands for it. */
bool evaluation_is_object(const struct thing *thing);

/* ---- names (naming.c) ---- */

/* What an expression's name stands for; a fault where that is nothing. */
int evaluation_name(struct evaluation *e, const struct expression *x, struct thing *thing);

/* Tells the observer, where there is one, of an array that was read. */
void evaluation_note_read(struct evaluation *e, const struct thing *thing);

/* Gives a name on the outermost level its next version. */
int evaluation_bind(struct evaluation *e, size_t symbol, const char *name, struct thing thing);

/* The thing of that name, as an expression would have it; a fault where there is none. */
int evaluation_find(struct evaluation *e, const char *name, struct thing *thing);

/* Puts a thing where a target says: a name, an attribute, a subscript, several of them. With `before`, what was there
 * is in it: an array was written into, or a list or dictionary. */
int evaluation_assign(struct evaluation *e, const struct expression *target, struct thing thing,
                      const struct thing *before);

/* A frame without names, from the arena; NULL where memory is short. */
struct frame *frame_new(struct evaluation *e, struct frame *outer, bool library, size_t number);

/* What a symbol stands for in a frame; NULL where that has none of its own. Gives it a thing there. */
struct local *frame_local(const struct frame *frame, size_t symbol);
int frame_bind(struct evaluation *e, struct frame *frame, size_t symbol, struct thing thing);

/* Tells the observer, where there is one, that something is put somewhere, which that may change. */
int evaluation_written(struct evaluation *e, const struct written_place *written, struct thing *thing);

/* The items of what can be run over: tuple, list, range, dictionary (keys), or an array along its first axis. */
int evaluation_items(struct evaluation *e, const struct thing *thing, struct sequence *items);

/* Puts the items of something behind those of a list. */
int evaluation_extend(struct evaluation *e, struct sequence *list, const struct thing *what);

/* What becomes of `before` by before += what, and the like: a list is extended itself. */
int evaluation_update(struct evaluation *e, enum operation operation, const struct thing *before,
                      const struct thing *what, struct thing *after);

/* ---- calls (calls.c) ---- */

/* What a def or a lambda makes: a function that has the names that are there now. What stands for parameters that are
 * not given is evaluated. */
int evaluation_define(struct evaluation *e, const struct statement *function, struct thing *thing);

/* A call as an expression has it. */
int evaluation_call_at(struct evaluation *e, const struct expression *x, struct thing *thing);

/* Calls what can be called: count arguments, keywords by argument (NULL: by position). */
int evaluation_call(struct evaluation *e, const struct thing *callee, struct thing *arguments,
                    const char *const *keywords, size_t count, struct thing *result);

/* Calls a function that is written in the language, but stands in no program. */
int evaluation_call_written(struct evaluation *e, const struct statement *function, struct thing *arguments,
                            const char *const *keywords, size_t count, struct thing *result);

/* ---- operators (operators.c) ---- */

/* Two things with an operator between them; one with one before it. */
int evaluation_binary(struct evaluation *e, enum operation operation, const struct thing *a, const struct thing *b,
                      struct thing *result);
int evaluation_unary(struct evaluation *e, enum operation operation, const struct thing *a, struct thing *result);

/* Whether something holds, which must be known now. */
int evaluation_truth(struct evaluation *e, const struct thing *thing, bool *truth);

/* ---- subscripts (subscript.c) ---- */

int subscript_read(struct evaluation *e, const struct thing *of, const struct thing *subscripts, size_t count,
                   struct thing *result);

/* What `of` becomes once something was written there: a list or dictionary is changed itself, an array is another one
 * then. `operation`, of an array: OPERATION_NONE to put it there, else what to do with what is there. */
int subscript_write(struct evaluation *e, const struct thing *of, const struct thing *subscripts, size_t count,
                    enum operation operation, const struct thing *what, struct thing *result);

/* ---- functions (functions.c) ---- */

/* a @ b, of any ranks from 1 on. */
int functions_matmul(struct evaluation *e, struct array *a, struct array *b, struct thing *result);

/* The builtin of that name; NULL where there is none. With `method`, one that things have. */
const struct builtin *functions_find(const char *name, bool method);
int functions_call(struct evaluation *e, const struct thing *callee, struct thing *arguments,
                   const char *const *keywords, size_t count, struct thing *result);

/* What a builtin is called. */
const char *builtin_name(const struct builtin *builtin);

/* Calls the builtin of that name with so many arguments. */
int function_by_name(struct evaluation *e, const char *name, struct thing *arguments, size_t count,
                     struct thing *result);

/* The function of a name in a room ("torch"), where that has another meaning there than in NumPy; NULL where it has
 * not. */
const struct builtin *functions_find_of(const char *room, const char *name);

/* What a name without a module stands for: Python's function where it has one, else as functions_find. */
const struct builtin *functions_find_python(const char *name);

/* What a name that is unknown may have been meant for; NULL where there is nothing like it. */
const char *functions_nearest(struct arena *arena, const char *name);

/* An attribute that is a value, not a method: .T, .shape, .ndim, .size. False where there is none of the name. */
bool functions_attribute(struct evaluation *e, const struct thing *of, const char *name, struct thing *result);

#endif
