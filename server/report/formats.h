/* The formats that the report of a check can be had in. To add one, write its writer and its line in the table. */
#ifndef SERVER_REPORT_FORMATS_H
#define SERVER_REPORT_FORMATS_H

#include "core/check/check.h"
#include "core/diagnosis/diagnose.h"
#include "server/report/verdicts.h"
#include "server/text/text.h"

struct format {
    const char *name; /* in ?format= and in the capabilities */
    const char *media_type;
    bool accepted; /* it is what Accept asks for with its media type */
    bool marks;    /* it tells which elements are wrong: check->mark */
    /* Either writes the whole report; diagnosis: NULL where there is none; */
    void (*write)(struct text *text, const struct check *check, const struct report *report,
                  const struct diagnosis *diagnosis);
    verdicts_writer *tell; /* or what the walk through it gives. */
    unsigned takes;        /* by bit: each format_option */
    const char *reader;    /* who reads it, and what that one should know: for people */
};

extern const struct format formats[]; /* the usual one first; ends with a NULL name */

enum { FORMATS_MAX = 24 }; /* the table is shorter */

/* What a request may ask of formats, by format_option. */
struct format_asked {
    const char *name;           /* in the query */
    const char *const *choices; /* ends with NULL; NULL: any text */
};
extern const struct format_asked format_options[FORMAT_OPTIONS];

/* The format of that name; NULL where there is none. */
const struct format *formats_find(const char *name);

/* Writes a report; options[FORMAT_OPTIONS]: what was asked, NULL of what was not. Where memory runs short, text->failed
 * says so. */
void formats_write(const struct format *format, const char *const *options, struct text *text,
                   const struct check *check, const struct report *report, const struct diagnosis *diagnosis);

#endif
