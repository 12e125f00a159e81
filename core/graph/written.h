/* Formulas as text, in NumPy's notation: how tightly one holds together, and templates that are filled in with others.
 */
#ifndef CORE_GRAPH_WRITTEN_H
#define CORE_GRAPH_WRITTEN_H

#include <stdbool.h>
#include <stddef.h>

/* The most bytes of a formula that anybody reads, its end included. */
enum { WRITTEN_MAX = 200 };

/* What holds a formula together at its loosest, from "a > b" to "(a)" or "a.T". */
enum written_level { LEVEL_ANY, LEVEL_SUM, LEVEL_PRODUCT, LEVEL_SIGN, LEVEL_POWER, LEVEL_ATOM };

struct written {
    const char *text; /* NULL: there is none */
    enum written_level level;
};

/* Room for a formula that is being put together. */
struct written_buffer {
    char text[WRITTEN_MAX];
    size_t length;
    bool failed; /* it does not fit */
};

void written_begin(struct written_buffer *buffer);
void written_add(struct written_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* With parentheses where it is looser than that. */
void written_add_within(struct written_buffer *buffer, const struct written *what, enum written_level least);

/* The level of a template, what stands in braces being held together by itself. */
enum written_level written_level_of(const char *template);

/* Puts what `word` gives for what stands in braces in their place, with parentheses where they are needed. False where
 * a word has no text or all is too long. Into *level what holds it together. */
typedef struct written (*written_word)(void *context, const char *symbol, size_t length);
bool written_fill(const char *template, written_word word, void *context, struct written_buffer *buffer,
                  enum written_level *level);

#endif
