/* How edits are written down: what stands in the code, and what is put in its place. Only for the files that know what
 * edits there are. */
#ifndef CORE_BACKWARD_EDIT_TEXTS_H
#define CORE_BACKWARD_EDIT_TEXTS_H

#include "core/backward/edit.h"
#include "core/backward/operands.h"

/* The edits of a statement while they are listed. */
struct lister {
    struct arena *arena;
    const struct run *plain;
    size_t statement;
    struct edit *list;
    size_t count;
    struct operands operands;
    int cost;      /* of the edits that are being listed */
    bool bound;    /* what is walked next has a subscript or an attribute behind it */
    bool argument; /* it is what a function of that name is called with */
    bool target;   /* it is what is assigned to */
    bool failed;
};

/* Adds one: what stands in [from, to) becomes the text. One too many, or too long, is left out. */
void edit_add(struct lister *l, const char *from, const char *to, const char *mistake, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Another text for all of an expression; one more behind it, with "(a + b)" around it where that is needed. */
void edit_replace(struct lister *l, const struct expression *x, const char *mistake, const char *text);
void edit_extend(struct lister *l, const struct expression *x, const char *mistake, const char *behind);

/* Bytes of its text; whether it has one in the code; whether it is in parentheses as a whole; whether something may
 * stand behind it without any; whether two are written alike. */
int edit_width(const struct expression *x);
bool edit_has_text(const struct lister *l, const struct expression *x);
bool edit_is_enclosed(const struct expression *x);
bool edit_is_primary(const struct expression *x);
bool edit_has_same_text(const struct expression *a, const struct expression *b);

#endif
