/* The text of a program as tokens: Python's, as far as the language has them. */
#ifndef CORE_LANGUAGE_SCANNER_H
#define CORE_LANGUAGE_SCANNER_H

#include <stddef.h>

#include "core/language/program_text.h"

enum token_kind {
    TOKEN_END,     /* of the text */
    TOKEN_NEWLINE, /* the end of a statement: of a line, or ';' */
    TOKEN_INDENT,  /* the lines from here on stand further in, */
    TOKEN_DEDENT,  /* or further out again: one for each step */
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_STRING, /* without its quotes */
    TOKEN_FORMAT, /* likewise, of f"..." */
    TOKEN_OPERATOR,
};

struct token {
    enum token_kind kind;
    struct spot spot;
    const char *text; /* in the program */
    size_t length;
    double number; /* of TOKEN_NUMBER */
    int is_whole;  /* likewise: it is written as an integer */
};

/* All tokens, the last one being TOKEN_END, from the arena. A byte that starts no token, a bracket that is closed by
 * another kind or never, an indentation that fits no line before, a string without end, or more than 32 brackets or
 * blocks within each other are faults. */
int scanner_read(struct text_reader *reader, const char *text, size_t length, struct token **tokens);

/* Blocks, brackets and operators within each other. */
enum { LANGUAGE_LEVELS_MAX = 32 };

#endif
