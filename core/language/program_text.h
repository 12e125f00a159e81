/* The text of a program, and what is wrong with it: every fault has the line and the column where it is. */
#ifndef CORE_LANGUAGE_PROGRAM_TEXT_H
#define CORE_LANGUAGE_PROGRAM_TEXT_H

#include "core/base/arena.h"
#include "core/base/error.h"

/* A place in the text: line and column from 1, columns in bytes. */
struct spot {
    unsigned line, column;
};

/* What all of the language's rooms share while they work on one text. */
struct text_reader {
    struct arena *arena;
    struct error *error;
    struct spot fault; /* where it is; line 0 while there is none */
};

/* CODE_PROGRAM_ERROR with "line 3, column 9: ..." in front, unless an error stands there already. Returns its code. */
int text_fault(struct text_reader *reader, struct spot spot, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for an error that an op or the graph has made: puts the place in front of it, unless it is none of the
 * text's doing, as where memory is short. */
int text_fault_at(struct text_reader *reader, struct spot spot, const struct error *what);

/* CODE_OUT_OF_MEMORY. */
static inline int text_no_memory(struct text_reader *reader)
{
    error_set(reader->error, CODE_OUT_OF_MEMORY, "out of memory");
    return CODE_OUT_OF_MEMORY;
}

#endif
