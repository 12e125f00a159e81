/* libFuzzer over whole requests, from the JSON document to the written report. The bytes decide on a network, on what
 * is handed in for it, and on how the text is damaged in the end; bytes that begin with '{' are a body themselves.
 * FUZZ_SHOW=1 in the environment prints the bodies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/limits.h"
#include "tests/fuzz/backward.h"
#include "tests/fuzz/handin.h"
#include "tests/fuzz/holds.h"
#include "tests/fuzz/vary.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* What a request of this size may take; and the most pieces of memory that it is made of. */
#define MEMORY (64 * LIMIT_MIB)
enum { PIECES = 256 };

/* Kept from one input to the next, as the daemon keeps its arenas: what is there is not zeros. */
static struct arena for_bodies, for_answers, for_others;

static void set_up(void)
{
    static bool ready;
    if (ready) return;
    ready = true;
    answer_setup();
    arena_init(&for_bodies, MEMORY);
    arena_init(&for_answers, MEMORY);
    arena_init(&for_others, MEMORY);
}

/* The answer's JSON, for the caller to json_decref. */
static json_t *ask(const struct text *body, unsigned steps, struct answer *answer)
{
    require(!body->failed, "no room for the body");
    if (getenv("FUZZ_SHOW") != NULL) fprintf(stderr, "%.*s\n\n", (int)body->length, body->data);
    arena_reset(&for_answers);
    answer_body(&for_answers, body->data, body->length, steps, answer);
    return holds_answer(answer);
}

/* ---- the same once more ---- */

static bool same_text(const struct text *a, const struct text *b)
{
    return a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

static bool same(const struct answer *a, const struct answer *b)
{
    if (a->other_count != b->other_count) return false;
    for (size_t i = 0; i < a->other_count; i++)
        if (!same_text(&a->others[i].document, &b->others[i].document)) return false;
    return a->status == b->status && same_text(&a->json, &b->json) && same_text(&a->text, &b->text);
}

/* The same body gives the same answer; or, where a piece of memory is refused on the way, that report or a 503. Half of
 * the time that is taken for granted: a second answer costs as much as the first. */
static void ask_again(struct dice *dice, const struct text *body, unsigned steps, const struct answer *first)
{
    struct answer second;
    unsigned pick = dice_pick(dice, 4);
    bool refuse = pick == 3;
    if (pick < 2) return;
    arena_reset(&for_others);
    if (refuse) for_others.fail_in = 1 + dice_pick(dice, PIECES);
    answer_body(&for_others, body->data, body->length, steps, &second);
    for_others.fail_in = 0;
    bool holds = same(first, &second);
    if (refuse && !holds) /* what is wrong with a body may be told in fewer words */
        holds = second.status == 503 || (second.status == first->status && first->status != 200);
    if (!holds)
        fprintf(stderr, "%.*s\n%.*s\n", (int)first->json.length, first->json.data, (int)second.json.length,
                second.json.data);
    require(holds, refuse ? "another answer with less memory" : "another answer to the same body");
}

/* ---- damage ---- */

static size_t place(struct dice *dice, size_t length)
{
    size_t high = dice_pick(dice, 256);
    return (high * 256 + dice_pick(dice, 256)) % (length + 1);
}

/* Replaces `gone` bytes at a place of the text. */
static void splice(struct text *text, size_t at, size_t gone, const char *bytes, size_t length)
{
    struct text result;
    if (gone > text->length - at) gone = text->length - at;
    text_init(&result, text->arena);
    text_bytes(&result, text->data, at);
    text_bytes(&result, bytes, length);
    text_bytes(&result, text->data + at + gone, text->length - at - gone);
    *text = result;
}

static void damage(struct dice *dice, struct text *text)
{
    static const char *const tokens[] = {
        "null", "NaN", "1e999", "[", "]",   "{",  "}",  ",",     "\"",   "\\",   "\"\\ud800\"", "-", "0",
        "1e-9", "[]",  "{}",    "0", "1,1", "2,", "[1", "[[0]]", "\xFF", "true", "\"W1\":1,",   " ", "1e308",
    };
    enum { TOKENS = sizeof tokens / sizeof *tokens };
    size_t at = place(dice, text->length);
    char byte = (char)dice_pick(dice, 256);
    switch (dice_pick(dice, 5)) {
    case 0:
        splice(text, at, 1, &byte, 1);
        break;
    case 1:
        splice(text, at, 1 + dice_pick(dice, 64), NULL, 0);
        break;
    case 2: {
        const char *token = tokens[(unsigned char)byte % TOKENS];
        splice(text, at, dice_pick(dice, 4), token, strlen(token));
        break;
    }
    case 3: { /* once more, what stands there */
        size_t left = text->length - at, length = (unsigned char)byte < left ? (unsigned char)byte : left;
        splice(text, place(dice, text->length), 0, text->data + at, length);
        break;
    }
    default:
        splice(text, at, text->length, NULL, 0);
        break;
    }
}

/* ---- requests that are made ---- */

static bool is_refused(const json_t *report, const char *code)
{
    const char *said = json_string_value(json_object_get(report, "code"));
    return said != NULL && strcmp(said, code) == 0;
}

/* Whether a good request has a report: there is none where it is too much work, where its numbers may overflow, or
 * where it hands in nothing to compare. */
static bool is_graded(const struct answer *answer, const json_t *report, bool finite)
{
    if (is_refused(report, "too_much_work") || (!finite && is_refused(report, "not_finite"))) return false;
    if (is_refused(report, "missing_member")) return false;
    if (answer->status != 200) fprintf(stderr, "%.*s\n", (int)answer->json.length, answer->json.data);
    require(answer->status == 200, "a good request is refused");
    return true;
}

/* The right gradients of an assignment. False where it has none. */
static bool find_reference(struct assignment *assignment, bool values, struct reference *reference)
{
    bool verify = assignment->verify;
    assignment->verify = false; /* once, of the answer to what is handed in, is enough */
    struct text body;
    struct answer answer;
    text_init(&body, &for_bodies);
    text_add(&body, "{");
    assignment_write(&body, assignment);
    reference_ask(&body, assignment, values);
    text_add(&body, "}");
    json_t *report = ask(&body, STEPS_ORDINARY, &answer);
    bool graded = is_graded(&answer, report, false);
    if (graded) require(reference_read(report, assignment, values, reference), "a reference is missing");
    json_decref(report);
    assignment->verify = verify;
    return graded;
}

/* What the others lack is added once more, where they lacked it. */
static void send_twice(const struct assignment *assignment, const struct reference *reference, struct reference *other)
{
    for (size_t p = 0; p < assignment->parameter_count; p++) {
        const struct matrix *right = &reference->gradients[p];
        for (size_t i = 0; i < right->rows * right->columns; i++)
            other->gradients[p].at[i] = 2 * right->at[i] - other->gradients[p].at[i];
    }
}

/* What is handed in in place of the right gradients: what comes out of wrong programs. */
static bool find_other(struct dice *dice, const struct assignment *assignment, const struct reference *reference,
                       struct reference *other)
{
    static struct assignment varied;
    static struct reference found;
    unsigned pick = dice_pick(dice, 6);
    if (pick < 2 || assignment->parameter_count == 0) return false;
    if (pick < 5 && backward_fits(assignment)) {
        *other = *reference;
        backward_roll(dice, assignment, other);
        return true;
    }
    varied = *assignment;
    bool cut = pick > 2 && vary_cut(dice, &varied, reference), twice = cut && dice_rarely(dice, 3);
    if (!cut) vary_roll(dice, &varied);
    if (!find_reference(&varied, false, &found)) return false;
    vary_map(assignment, &varied, &found, other);
    if (twice) send_twice(assignment, reference, other);
    return true;
}

static void fuzz_made(struct dice *dice)
{
    static struct assignment assignment;
    static struct reference reference, other;
    static struct handin handin;
    assignment = (struct assignment){0};
    assignment_roll(dice, &assignment);
    if (!find_reference(&assignment, true, &reference)) return;
    bool wrong = find_other(dice, &assignment, &reference, &other);
    handin_roll(dice, &assignment, &reference, wrong ? &other : NULL, &handin);

    struct text body;
    struct answer answer;
    text_init(&body, &for_bodies);
    text_add(&body, "{");
    assignment_write(&body, &assignment);
    handin_write(&body, &assignment, &reference, &handin);
    text_add(&body, "}");
    unsigned damages = dice_rarely(dice, 4) ? 1 + dice_pick(dice, 3) : 0;
    for (unsigned i = 0; i < damages && body.length > 0; i++)
        damage(dice, &body);
    unsigned steps = dice_rarely(dice, 32) ? STEPS_MANY : STEPS_ORDINARY;
    json_t *report = ask(&body, steps, &answer);
    if (damages == 0 && is_graded(&answer, report, true)) holds_report(report, &assignment, &handin);
    json_decref(report);
    ask_again(dice, &body, steps, &answer);
}

static void fuzz_body(struct dice *dice, const uint8_t *bytes, size_t length)
{
    struct answer answer;
    struct text body;
    text_init(&body, &for_bodies);
    text_bytes(&body, (const char *)bytes, length);
    json_decref(ask(&body, STEPS_ORDINARY, &answer));
    ask_again(dice, &body, STEPS_ORDINARY, &answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct dice dice = {.at = bytes, .end = bytes + length};
    set_up();
    arena_reset(&for_bodies);
    if (length > 0 && bytes[0] == '{')
        fuzz_body(&dice, bytes, length);
    else
        fuzz_made(&dice);
    return 0;
}
