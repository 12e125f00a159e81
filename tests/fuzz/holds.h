/* What has to be true of every answer. */
#ifndef TESTS_FUZZ_HOLDS_H
#define TESTS_FUZZ_HOLDS_H

#include <jansson.h>

#include "tests/fuzz/answer.h"
#include "tests/fuzz/handin.h"
#include "tests/fuzz/require.h"

/* Whatever the body was. Returns the answer's JSON, for the caller to json_decref. */
json_t *holds_answer(const struct answer *answer);

/* Of a report on what was handed in. */
void holds_report(const json_t *report, const struct assignment *assignment, const struct handin *handin);

#endif
