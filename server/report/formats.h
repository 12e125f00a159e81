/* The formats that the report of a check can be had in. To add one, write its writer and its line in the table. */
#ifndef SERVER_REPORT_FORMATS_H
#define SERVER_REPORT_FORMATS_H

#include "core/check/check.h"
#include "core/diagnosis/diagnose.h"
#include "server/text/text.h"

struct format {
    const char *name; /* in ?format= and in the capabilities */
    const char *media_type;
    void (*write)(struct text *text, const struct check *check, const struct report *report,
                  const struct diagnosis *diagnosis); /* diagnosis: NULL where there is none */
};

extern const struct format formats[]; /* the usual one first; ends with a NULL name */

/* The format of that name; NULL where there is none. */
const struct format *formats_find(const char *name);

#endif
