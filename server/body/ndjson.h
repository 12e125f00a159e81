/* Bodies of application/x-ndjson: a JSON text a line, and of each the members as they stand there. */
#ifndef SERVER_BODY_NDJSON_H
#define SERVER_BODY_NDJSON_H

#include <stdbool.h>
#include <stddef.h>

#define NDJSON_MEDIA_TYPE "application/x-ndjson"

struct ndjson_line {
    const char *text; /* within the body, without what ends the line */
    size_t length, number;
};

/* The next line that is not blank, from *at on, which goes behind it; *number counts all lines, blank ones, too. False
 * where there is none before `end`. */
bool ndjson_next(const char **at, const char *end, size_t *number, struct ndjson_line *line);

enum { NDJSON_MEMBERS_MAX = 64 };

/* A member of an object: its name without the quotes, its value as it stands there. */
struct ndjson_member {
    const char *name, *value;
    size_t name_length, value_length;
};

/* The members of the object that a text is. No more is looked at than is needed to tell them apart: whether the text is
 * JSON is for its reader to say. False where it is no object, has more than NDJSON_MEMBERS_MAX members, or escapes in
 * the name of one; *count are the members before that. */
bool ndjson_members(const char *text, size_t length, struct ndjson_member members[NDJSON_MEMBERS_MAX], size_t *count);

/* Whether a member has that name. */
bool ndjson_is(const struct ndjson_member *member, const char *name);

/* The one of that name; NULL where there is none. */
const struct ndjson_member *ndjson_find(const struct ndjson_member *members, size_t count, const char *name);

#endif
