/* What the daemon would answer to a body, in process and without HTTP. The only file here that knows how a check is
 * done; all others know JSON. */
#ifndef TESTS_FUZZ_ANSWER_H
#define TESTS_FUZZ_ANSWER_H

#include "server/text/text.h"

enum { ANSWER_OTHERS_MAX = 24 };

struct answer {
    int status;
    struct text json, text; /* the report in both formats; text is empty where status is not 200 */
    struct {
        const char *name, *media_type;
        struct text document;
    } others[ANSWER_OTHERS_MAX]; /* and in all others, with what they take; none where status is not 200 */
    size_t other_count;
};

/* Once, before the first. */
void answer_setup(void);

/* Steps that the search for mistakes may take: of a quarter of a second it can make many times more, but most
 * of what may go wrong does so early. */
enum { STEPS_ORDINARY = 100, STEPS_MANY = 2000 };

/* Everything comes from the arena, whose memory may run short (status 503). */
void answer_body(struct arena *arena, const char *body, size_t length, unsigned steps, struct answer *answer);

#endif
