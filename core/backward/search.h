/* The search for what is wrong with a student's code: the code is run with edits and under plans, and what each run
 * comes to is counted. Only for the files of this folder that search. */
#ifndef CORE_BACKWARD_SEARCH_H
#define CORE_BACKWARD_SEARCH_H

#include <stdint.h>

#include "core/backward/edits.h"
#include "core/backward/elsewhere.h"

enum { TALLY_SLIPS_MAX = 64, CORRECTIONS_MAX = 8 };

/* What a statement came to in a run. */
struct counted {
    bool slipped;  /* it made a gradient that is wrong */
    bool helper;   /* nothing says that it makes a gradient, */
    bool is_one;   /* but it makes some all the same */
    bool starts;   /* what it makes the first time is a gradient */
    size_t caller; /* what calls the function that it is in where it is wrong, while it is right where others do;
                      STATEMENT_NONE */
};

/* What a run came to. */
struct tally {
    bool good;                          /* it ran at all */
    size_t wrong;                       /* statements with a gradient that is wrong */
    size_t faults;                      /* statements that cannot be evaluated; these count as wrong, too */
    size_t judged;                      /* gradients that were looked at */
    size_t matched;                     /* things that are gradients by their numbers */
    size_t events;                      /* gradients that are wrong, each time that they are made */
    size_t parameters;                  /* of these, those of parameters */
    struct counted *of;                 /* by statement */
    struct slip slips[TALLY_SLIPS_MAX]; /* one for each statement */
    size_t slip_count;
};

/* The edits of a statement, and which of them are known to help nothing where the search is at one point. */
struct tried {
    uint64_t point; /* search_point */
    struct edit *edits;
    size_t count;
    bool *hopeless;
    struct tried *next; /* the same edits elsewhere */
};

struct search {
    struct arena *arena, own; /* own: of one run after the other */
    const struct run *plain;
    const size_t *claimed; /* by graded: the event of `plain` that is handed in */
    struct plan plan;
    const struct statement **functions; /* of the code's own */
    size_t function_count;
    bool *left;
    const struct edit *edits[CORRECTIONS_MAX]; /* that are taken */
    size_t edit_count;
    struct tally now, other;     /* with what is taken; with what is tried */
    struct tried **tried;        /* by statement */
    struct elsewhere *elsewhere; /* NULL: nobody has asked yet */
    struct tally now_there, other_there;
    double until;
    bool stopped, failed;
};

/* What is done about one thing that is wrong, and what it comes to. */
struct remedy {
    size_t statement;
    const struct edit *edit; /* NULL: it is put right as a gradient, by the plan */
    struct plan plan;
    size_t wrong, matched;
};

/* Finds the code's functions; false where memory is short. */
bool search_find_functions(struct search *s);

/* Statements of the code. */
size_t search_statements(const struct search *s);

/* Whether time is over, or nobody waits any more: s->stopped. To be asked from time to time by what takes long. */
bool search_has_ended(struct search *s);

/* Whether an edit of that statement is taken. */
bool search_is_edited(const struct search *s, size_t statement);

/* Room for what a run comes to; false where memory is short. The copy of one into another's room. */
bool tally_new(struct search *s, struct tally *tally);
void tally_copy(const struct search *s, const struct tally *from, struct tally *to);

/* Runs the code with one edit more (NULL: none) under a plan; false where it does not run to its end, or there is no
 * time or memory left: s->stopped, s->failed. */
bool search_try(struct search *s, const struct plan *plan, const struct edit *edit, struct tally *tally);

/* s->elsewhere, that it be looked for; false where memory is short. */
bool search_elsewhere(struct search *s);

/* What is wrong is less, and not because less was looked at. */
bool tally_is_better(const struct tally *a, const struct tally *b);

/* The fewer are wrong, the better; then the more is a gradient by its numbers; then the nearer to what stands there. */
bool remedy_is_nearer(const struct remedy *a, const struct remedy *b);

/* Tries the edits of a statement that cost `from` to `to`: *best becomes the best of them where that is better than it
 * is. With `slip`, that has to be right then. */
void search_try_edits(struct search *s, size_t statement, const struct slip *slip, int from, int to,
                      struct remedy *best);

#endif
