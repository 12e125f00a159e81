/* The tables of the help pages, each made from the program's own table of the same. */
#ifndef STATIC_HELP_MAKER_TABLES_H
#define STATIC_HELP_MAKER_TABLES_H

#include <stdbool.h>

/* Prints the table of that name to standard output as HTML; false where there is none. */
bool tables_print(const char *name);

#endif
