/* The text of a program that a node of its graph came from. */
#ifndef CORE_LANGUAGE_SOURCE_H
#define CORE_LANGUAGE_SOURCE_H

#include "core/language/program.h"

/* A part of the program's text, which is not terminated. */
struct source_text {
    const char *begin;
    size_t length; /* 0: it is not known */
};

/* The expression whose operation stands at a place: "x - mu" of its "-". */
struct source_text source_expression(const struct program *program, struct place place);

/* A line without what it is indented by, and without a comment's end of line. */
struct source_text source_line(const struct program *program, size_t line);

#endif
