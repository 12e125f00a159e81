/* What static/openapi.json says of a request's or an answer's members, as HTML. */
#ifndef STATIC_HELP_MAKER_MEMBERS_H
#define STATIC_HELP_MAKER_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>

/* Prints the members of a schema of that name to standard output; false where the description has none. */
bool members_print(const json_t *description, const char *schema);

/* The same of the arguments in the query of a check. */
bool members_print_query(const json_t *description);

#endif
