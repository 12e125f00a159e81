/* One walk through the report of a check, for the formats that others read: a line for each thing that is graded, and
 * for each that was not expected, with all that is to be said of it in words of its own. No line has a number of the
 * reference. What a client made up is cleaned (titles.h); what a format's own syntax takes is its writer's. */
#ifndef SERVER_REPORT_VERDICTS_H
#define SERVER_REPORT_VERDICTS_H

#include "core/check/check.h"
#include "core/diagnosis/diagnose.h"
#include "server/text/text.h"

/* What a request may ask of a format. */
enum format_option {
    FORMAT_VISIBILITY, /* who sees the result */
    FORMAT_HINTS,      /* who sees what was done wrong */
    FORMAT_SUITE,      /* what the tests together are called */
    FORMAT_FILE,       /* the file that they are about */
    FORMAT_SCORES,     /* one for all */
    FORMAT_OPTIONS
};

/* Mistakes, or lines of a student's code that are wrong, which lines tell; and what these words may come to in one
 * document before those that follow give the names of mistakes alone. */
enum { VERDICTS_MISTAKES_MAX = 8, VERDICTS_WORDS_MAX = 256 << 10 };

/* A mistake that was found, or a line of the student's code that is marked as wrong. */
struct told {
    const char *id;      /* of the mistake, or the line's mark */
    const char *message; /* a sentence or more */
    const char *hint;    /* NULL where there is none, */
    const char *others;  /* nor others that give the same numbers */
    size_t only;         /* it touches this line alone; else those below */
};

struct line {
    const char *title;  /* the name, unique in the report */
    const char *status; /* "mismatch" */
    const char *shape;  /* "[2,3]"; "" where nothing was expected */
    const char *words;  /* "2 of 2 elements differ, the most at [1]"; "" */
    const char *detail; /* the same, and "max diff 1.20e-01" where something was compared */
    bool passed;
    bool unexpected;    /* nothing is asked of that name: 0 of 0 points */
    double points, max; /* 0 <= points <= max */
    unsigned mistakes;  /* by bit: those that touch it */
    const struct entry *entry;
};

struct verdicts {
    struct arena *arena;
    bool failed; /* memory was short: the document is to be thrown away */
    const struct check *check;
    const struct report *report;
    const char *const *options; /* by format_option: NULL where nothing was asked */
    bool passed;
    double points, max; /* the sums of the lines', in their order */
    double score;       /* in [0, 1] */
    struct line *lines; /* graded ones first, then unexpected */
    size_t count, graded;
    struct told mistakes[VERDICTS_MISTAKES_MAX];
    size_t mistake_count;
    const char *remark; /* what no mistake explains, and where it may come from; NULL; belongs to */
    size_t remarked;    /* this line */
    size_t words;       /* bytes of mistakes that were told */
};

/* Writes a document of a format. */
typedef void verdicts_writer(struct text *text, struct verdicts *verdicts);

/* Memory from the arena; verdicts->failed where that is short, and then there are no lines. diagnosis: NULL where there
 * is none. */
void verdicts_make(struct arena *arena, const struct check *check, const struct report *report,
                   const struct diagnosis *diagnosis, struct verdicts *verdicts);

/* What was asked, cleaned like a name; or what it is where nothing was. */
const char *verdicts_option(struct verdicts *verdicts, enum format_option option, const char *otherwise);

/* All that is to be said of a line: its status, what that comes from, each mistake that touches it with its hint. On
 * several lines, or all on one. In the arena; "" when memory is short. */
const char *verdicts_reason(struct verdicts *verdicts, const struct line *line, bool one_line);

/* "mismatch: 2 of 2 elements differ, ...", without mistakes. */
const char *verdicts_verdict(struct verdicts *verdicts, const struct line *line);

/* A mistake with its hint, on lines of its own; without its id. */
const char *verdicts_told(struct verdicts *verdicts, const struct told *told);

/* "4 of 6 points. Not asked for: W9." */
const char *verdicts_summary(struct verdicts *verdicts);

/* A text that was written into the arena, terminated; "" when memory was short. */
const char *verdicts_text(struct verdicts *verdicts, struct text *text);

#endif
