#include "core/backward/search.h"

#include <string.h>

#include "core/backward/run.h"
#include "core/base/clock.h"

size_t search_statements(const struct search *s)
{
    return s->plain->syntax.statement_count;
}

bool tally_new(struct search *s, struct tally *tally)
{
    *tally = (struct tally){.of = arena_zeroed(s->arena, search_statements(s), sizeof *tally->of)};
    return tally->of != NULL;
}

void tally_copy(const struct search *s, const struct tally *from, struct tally *to)
{
    struct counted *of = to->of;
    memcpy(of, from->of, search_statements(s) * sizeof *of);
    *to = *from;
    to->of = of;
}

/* Where a statement of a function is wrong as one statement calls that, and right as others do. */
static size_t find_caller(const struct run *run, size_t statement)
{
    size_t caller = STATEMENT_NONE;
    bool right = false;
    for (size_t i = 0; i < run->slip_count; i++) {
        if (run->slips[i].statement != statement) continue;
        const size_t by = run_caller(run, run->slips[i].call);
        if (by == STATEMENT_NONE || (caller != STATEMENT_NONE && by != caller)) return STATEMENT_NONE;
        caller = by;
    }
    for (size_t e = run->outcomes[statement].first; e != EVENT_NONE; e = run->events[e].next) {
        const size_t by = run_caller(run, run->events[e].frame);
        right = right || (run->events[e].right && by != STATEMENT_NONE && by != caller);
    }
    return right ? caller : STATEMENT_NONE;
}

static void count_slips(const struct search *s, const struct run *run, struct tally *tally)
{
    const struct surroundings *around = run->surroundings;
    for (size_t i = 0; i < run->slip_count; i++) {
        const struct slip *slip = &run->slips[i];
        if (slip->statement >= search_statements(s) || tally->of[slip->statement].slipped) continue;
        tally->of[slip->statement].slipped = true;
        tally->wrong++;
        if (tally->slip_count < TALLY_SLIPS_MAX) tally->slips[tally->slip_count++] = *slip;
    }
    for (size_t i = 0; i < run->count; i++)
        tally->judged += run->events[i].aimed == AIMED_AT && run->events[i].judged;
    for (size_t i = 0; i < run->count; i++)
        tally->matched += run->events[i].right;
    tally->events = run->slip_count;
    for (size_t i = 0; i < run->slip_count; i++)
        tally->parameters += aim_is_parameter(around, run->slips[i].aim);
    for (size_t i = 0; i < search_statements(s); i++) {
        const struct outcome *outcome = &run->outcomes[i];
        bool gradient = false, one = outcome->first != EVENT_NONE;
        for (size_t e = outcome->first; e != EVENT_NONE; e = run->events[e].next)
            gradient = gradient || (run->events[e].aimed == AIMED_AT && run->events[e].judged && !s->left[i]);
        for (size_t e = outcome->first; e != EVENT_NONE; e = run->events[e].next)
            one = one && run->events[e].right;
        tally->of[i].is_one = one;
        tally->of[i].caller = tally->of[i].slipped ? find_caller(run, i) : STATEMENT_NONE;
        const struct event *begin = outcome->first != EVENT_NONE ? &run->events[outcome->first] : NULL;
        /* A second name for a gradient of another value says nothing. */
        tally->of[i].starts = begin != NULL && begin->right && begin->same == EVENT_NONE;
        tally->of[i].helper = outcome->executed && !gradient && !tally->of[i].slipped;
        tally->faults += outcome->fault != NULL || outcome->poisoned;
    }
    tally->wrong += tally->faults;
}

bool search_find_functions(struct search *s)
{
    s->functions = arena_array(s->arena, search_statements(s), sizeof *s->functions);
    for (size_t i = 0; s->functions != NULL && i < search_statements(s); i++) {
        const struct statement *one = s->plain->statements[i];
        if (one != NULL && one->kind == STATEMENT_DEFINE) s->functions[s->function_count++] = one;
    }
    return s->functions != NULL;
}

bool search_has_ended(struct search *s)
{
    s->stopped = s->stopped || clock_thread_seconds() > s->until || run_is_cancelled(s->plain);
    return s->stopped;
}

/* search_try, with the forward values that `plain` ran on. */
static bool try_on(struct search *s, const struct run *plain, const struct plan *plan, const struct edit *edit,
                   struct tally *tally)
{
    const struct edit *edits[CORRECTIONS_MAX + 1];
    size_t count = s->edit_count, length;
    struct run run;
    memcpy(edits, s->edits, count * sizeof *edits);
    if (edit != NULL) edits[count++] = edit;
    memset(tally->of, 0, search_statements(s) * sizeof *tally->of);
    *tally = (struct tally){.of = tally->of, .wrong = SIZE_MAX};
    if (s->failed || search_has_ended(s)) return false;
    const char *text = edits_apply(&s->own, s->plain, edits, count, &length);
    int code = text != NULL ? run_code(&run, &s->own, plain->surroundings, plan, text, length) : CODE_OUT_OF_MEMORY;
    if (code == CODE_OUT_OF_MEMORY) {
        s->failed = true;
        return false;
    }
    tally->good = run.error.code == CODE_OK && run.syntax.statement_count == search_statements(s);
    /* What cannot be evaluated itself is no remedy, though the right gradient takes the place of what it would make. */
    if (tally->good && edit != NULL) tally->good = run.outcomes[edit->statement].fault == NULL;
    if (tally->good) {
        tally->wrong = 0;
        count_slips(s, &run, tally);
    }
    arena_reset(&s->own);
    return tally->good;
}

bool search_try(struct search *s, const struct plan *plan, const struct edit *edit, struct tally *tally)
{
    return try_on(s, s->plain, plan, edit, tally);
}

bool search_elsewhere(struct search *s)
{
    if (s->elsewhere != NULL) return true;
    s->elsewhere = arena_alloc(s->arena, sizeof *s->elsewhere);
    return s->elsewhere != NULL && elsewhere_find(s->arena, s->plain, s->elsewhere) == CODE_OK &&
           tally_new(s, &s->now_there) && tally_new(s, &s->other_there);
}

/* Whether an edit that makes something right (s->other) does so with other parameters, too. Where as much is not wrong
 * there, nothing is known. */
static bool holds_elsewhere(struct search *s, const struct edit *edit)
{
    s->failed = s->failed || !search_elsewhere(s);
    if (s->failed || !s->elsewhere->is) return !s->failed;
    struct plan plan = s->plan;
    plan.plain = &s->elsewhere->plain;
    if (!try_on(s, plan.plain, &plan, NULL, &s->now_there) || s->now_there.wrong < s->now.wrong) return !s->failed;
    size_t righted = s->now.wrong - s->other.wrong;
    return try_on(s, plan.plain, &plan, edit, &s->other_there) && s->other_there.wrong + righted <= s->now_there.wrong;
}

bool tally_is_better(const struct tally *a, const struct tally *b)
{
    return a->good && a->wrong < b->wrong && a->faults <= b->faults && a->judged >= b->judged;
}

bool search_is_edited(const struct search *s, size_t statement)
{
    for (size_t i = 0; i < s->edit_count; i++)
        if (s->edits[i]->statement == statement) return true;
    return false;
}

bool remedy_is_nearer(const struct remedy *a, const struct remedy *b)
{
    if (b->statement == STATEMENT_NONE || a->wrong != b->wrong)
        return b->statement == STATEMENT_NONE || a->wrong < b->wrong;
    if (a->matched != b->matched) return a->matched > b->matched;
    if (a->edit == NULL || b->edit == NULL) return a->edit != NULL && b->edit == NULL;
    return a->edit->cost < b->edit->cost;
}

static uint64_t hash(uint64_t so_far, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++)
        so_far = (so_far ^ at[i]) * 1099511628211u;
    return so_far;
}

static uint64_t hash_number(uint64_t so_far, double number)
{
    return hash(so_far, &number, sizeof number);
}

/* What tells this point of the search from all others: the plan, and the edits that are taken. */
static uint64_t find_point(const struct search *s)
{
    const struct plan *plan = &s->plan;
    uint64_t point = hash_number(14695981039346656037u, plan->first_scale);
    for (size_t i = 0; i < plan->scale_count; i++)
        point = hash_number(point, plan->scales[i]);
    if (plan->left != NULL) point = hash(point, plan->left, search_statements(s) * sizeof *plan->left);
    for (size_t i = 0; i < plan->put_count; i++) {
        const size_t put[] = {plan->puts[i].statement, plan->puts[i].execution, plan->puts[i].aim};
        point = hash_number(hash(point, put, sizeof put), plan->puts[i].scale);
    }
    for (size_t i = 0; i < plan->apart_count; i++)
        point = hash(point, &plan->apart[i], sizeof(void *));
    for (size_t i = 0; i < s->edit_count; i++) {
        const size_t place[] = {s->edits[i]->from, s->edits[i]->to};
        point = hash(hash(point, place, sizeof place), s->edits[i]->text, strlen(s->edits[i]->text));
    }
    return point;
}

/* The edits of a statement at this point; NULL where memory is short. */
static struct tried *find_tried(struct search *s, size_t statement)
{
    const uint64_t point = find_point(s);
    if (s->tried == NULL) s->tried = arena_zeroed(s->arena, search_statements(s), sizeof(struct tried *));
    if (s->tried == NULL) return NULL;
    struct tried *first = s->tried[statement], *tried = first;
    while (tried != NULL && tried->point != point)
        tried = tried->next;
    if (tried != NULL) return tried;
    tried = arena_alloc(s->arena, sizeof *tried);
    if (tried == NULL) return NULL;
    *tried = (struct tried){.point = point, .next = first};
    if (first != NULL) {
        tried->edits = first->edits;
        tried->count = first->count;
    } else if (!edits_list(s->arena, s->plain, statement, &tried->edits, &tried->count)) {
        return NULL;
    }
    tried->hopeless = arena_zeroed(s->arena, tried->count + 1, sizeof *tried->hopeless);
    if (tried->hopeless == NULL) return NULL;
    s->tried[statement] = tried;
    return tried;
}

/* s->other with an edit, where that is better than s->now is; what is not is never tried again at this point. */
static bool is_better_with(struct search *s, struct tried *tried, size_t i)
{
    if (tried->hopeless[i]) return false;
    if (search_try(s, &s->plan, &tried->edits[i], &s->other) && tally_is_better(&s->other, &s->now)) return true;
    tried->hopeless[i] = !s->stopped;
    return false;
}

void search_try_edits(struct search *s, size_t statement, const struct slip *slip, int from, int to,
                      struct remedy *best)
{
    if (search_is_edited(s, statement) || s->edit_count == CORRECTIONS_MAX || s->stopped || s->failed) return;
    struct tried *tried = find_tried(s, statement);
    s->failed = tried == NULL;
    for (size_t i = 0; !s->failed && i < tried->count && !s->stopped; i++) {
        const struct edit *edit = &tried->edits[i];
        if (edit->cost < from || edit->cost > to || !is_better_with(s, tried, i)) continue;
        if (slip != NULL && s->other.of[slip->statement].slipped) continue;
        const struct remedy remedy = {.statement = statement,
                                      .edit = edit,
                                      .plan = s->plan,
                                      .wrong = s->other.wrong,
                                      .matched = s->other.matched};
        if (remedy_is_nearer(&remedy, best)) {
            if (!holds_elsewhere(s, edit)) continue;
            *best = remedy;
        }
        to = edit->cost; /* what is further away is not tried then */
    }
}
