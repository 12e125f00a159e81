#include "core/backward/blame.h"

#include <math.h>
#include <string.h>

#include "core/base/clock.h"

enum { TALLY_SLIPS_MAX = 64, CORRECTIONS_MAX = 8, HELPERS_MAX = 24, RATIOS_MAX = 6 };

/* What a run came to. */
struct tally {
    bool good;                          /* it ran at all */
    size_t wrong, graded;               /* statements with a gradient that is wrong; those of what is graded */
    bool *slipped;                      /* by statement */
    bool *helper;                       /* by statement: what it makes is no gradient */
    struct slip slips[TALLY_SLIPS_MAX]; /* one for each statement */
    size_t slip_count;
};

struct search {
    struct arena *arena, own; /* own: of one run after the other */
    const struct run *plain;
    struct plan plan;
    bool *left;
    const struct edit *edits[CORRECTIONS_MAX]; /* that are taken */
    size_t edit_count;
    struct tally now, other; /* with what is taken; with what is tried */
    double until;
    bool stopped, failed;
};

static size_t statements(const struct search *s)
{
    return s->plain->syntax.statement_count;
}

static bool tally_new(struct search *s, struct tally *tally)
{
    *tally = (struct tally){.slipped = arena_zeroed(s->arena, statements(s), sizeof(bool)),
                            .helper = arena_zeroed(s->arena, statements(s), sizeof(bool))};
    return tally->slipped != NULL && tally->helper != NULL;
}

static void tally_copy(const struct search *s, const struct tally *from, struct tally *to)
{
    bool *slipped = to->slipped, *helper = to->helper;
    memcpy(slipped, from->slipped, statements(s) * sizeof(bool));
    memcpy(helper, from->helper, statements(s) * sizeof(bool));
    *to = *from;
    to->slipped = slipped;
    to->helper = helper;
}

static void count_slips(const struct search *s, const struct run *run, struct tally *tally)
{
    const struct surroundings *around = run->surroundings;
    for (size_t i = 0; i < run->slip_count; i++) {
        const struct slip *slip = &run->slips[i];
        if (slip->statement >= statements(s) || tally->slipped[slip->statement]) continue;
        tally->slipped[slip->statement] = true;
        tally->wrong++;
        tally->graded += aim_is_parameter(around, slip->aim);
        if (tally->slip_count < TALLY_SLIPS_MAX) tally->slips[tally->slip_count++] = *slip;
    }
    for (size_t i = 0; i < statements(s); i++) {
        const struct outcome *outcome = &run->outcomes[i];
        bool gradient = false;
        for (size_t e = outcome->first; e != EVENT_NONE; e = run->events[e].next)
            gradient = gradient || run->events[e].right || (run->events[e].aimed == AIMED_AT && run->events[e].judged);
        tally->helper[i] = outcome->executed && !gradient && !tally->slipped[i];
        if (outcome->fault != NULL) tally->wrong++; /* what cannot be evaluated is worse than what is wrong */
    }
}

/* Runs the code with one edit more (NULL: none) under a plan. */
static bool try(struct search *s, const struct plan *plan, const struct edit *edit, struct tally *tally)
{
    const struct edit *edits[CORRECTIONS_MAX + 1];
    size_t count = s->edit_count, length;
    struct run run;
    bool *slipped = tally->slipped, *helper = tally->helper;
    memcpy(edits, s->edits, count * sizeof *edits);
    if (edit != NULL) edits[count++] = edit;
    memset(slipped, 0, statements(s) * sizeof(bool));
    memset(helper, 0, statements(s) * sizeof(bool));
    *tally = (struct tally){.slipped = slipped, .helper = helper, .wrong = SIZE_MAX, .graded = SIZE_MAX};
    if (s->stopped || s->failed) return false;
    if (clock_thread_seconds() > s->until) {
        s->stopped = true;
        return false;
    }
    const char *text = edits_apply(&s->own, s->plain, edits, count, &length);
    int code = text != NULL ? run_code(&run, &s->own, s->plain->surroundings, plan, text, length) : CODE_OUT_OF_MEMORY;
    if (code == CODE_OUT_OF_MEMORY) {
        s->failed = true;
        return false;
    }
    tally->good = run.error.code == CODE_OK && !run.full && run.syntax.statement_count == statements(s);
    if (tally->good) {
        tally->wrong = tally->graded = 0;
        count_slips(s, &run, tally);
    }
    arena_reset(&s->own);
    return tally->good;
}

static bool is_better(const struct tally *a, const struct tally *b)
{
    return a->good && a->wrong < b->wrong;
}

/* ---- conventions ---- */

static void add_ratio(double *ratios, size_t *count, double ratio)
{
    if (ratio == 0 || fabs(ratio - 1) < 1e-6 || *count == RATIOS_MAX) return;
    for (size_t i = 0; i < *count; i++)
        if (fabs(ratios[i] - ratio) <= 1e-9 * fabs(ratio)) return;
    ratios[(*count)++] = ratio;
}

/* Gradients on the way may all be multiples of what they are, the factor being put in where a parameter's is made: m
 * times, where dW = 1/m * dZ @ A.T. That is so where more of what is graded is right then. */
static void settle_scales(struct search *s)
{
    double ratios[RATIOS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < s->now.slip_count; i++) {
        const struct slip *slip = &s->now.slips[i];
        bool graded = aim_is_parameter(s->plain->surroundings, slip->aim);
        add_ratio(ratios, &count, graded && slip->ratio != 0 ? 1 / slip->ratio : slip->ratio);
    }
    for (size_t i = 0; i < count && s->plan.scale_count < SCALES_MAX; i++) {
        struct plan plan = s->plan;
        plan.scales[plan.scale_count++] = ratios[i];
        plan.first_scale = ratios[i];
        bool better =
            try(s, &plan, NULL, &s->other) && is_better(&s->other, &s->now) && s->other.graded < s->now.graded;
        if (!better) { /* where others have another scale already */
            plan.first_scale = s->plan.first_scale;
            better = try(s, &plan, NULL, &s->other) && is_better(&s->other, &s->now) && s->other.graded < s->now.graded;
        }
        if (!better) continue;
        s->plan = plan;
        tally_copy(s, &s->other, &s->now);
    }
}

/* What is called like a gradient and is none, as where dz is the derivative of an activation alone: others come out
 * right if it is left as it is, and wrong if it is not. */
static void settle_left(struct search *s)
{
    const struct surroundings *around = s->plain->surroundings;
    for (size_t i = 0; i < s->now.slip_count; i++) {
        const struct slip slip = s->now.slips[i];
        if (aim_is_parameter(around, slip.aim)) continue;
        s->left[slip.statement] = true;
        if (try(s, &s->plan, NULL, &s->other) && s->other.good && s->other.wrong + 1 < s->now.wrong) {
            tally_copy(s, &s->other, &s->now);
            i = (size_t)-1;
        } else {
            s->left[slip.statement] = false;
        }
    }
}

/* ---- edits ---- */

static void take(struct search *s, const struct edit *edit)
{
    s->edits[s->edit_count++] = edit;
    tally_copy(s, &s->other, &s->now);
}

static void blame_on(struct blame *blame, size_t statement, const struct edit *edit, const struct slip *slip)
{
    if (blame->count == BLAMED_MAX) return;
    blame->list[blame->count++] = (struct blamed){.statement = statement,
                                                  .edit = edit,
                                                  .aim = slip != NULL ? slip->aim : GRADIENT_NONE,
                                                  .ratio = slip != NULL ? slip->ratio : 0,
                                                  .group = statement};
}

/* The statements that build what an event finishes: themselves, and those before them at its place. */
static size_t find_group(const struct run *run, size_t event, size_t *list, size_t room)
{
    size_t count = 0;
    for (size_t i = event; i != EVENT_NONE && count < room; i = run->events[i].before) {
        const struct event *e = &run->events[i];
        bool there = false;
        for (size_t k = 0; k < count; k++)
            there = there || list[k] == e->statement;
        if (!there) list[count++] = e->statement;
        const struct event *before = e->before != EVENT_NONE ? &run->events[e->before] : NULL;
        if (!e->updates && (before == NULL || !before->rewrites)) break;
    }
    return count;
}

/* The event of the plain run that a slip was found at. */
static size_t find_plain_event(const struct run *plain, const struct slip *slip)
{
    size_t found = EVENT_NONE;
    for (size_t e = plain->outcomes[slip->statement].first; e != EVENT_NONE; e = plain->events[e].next)
        if (plain->events[e].aim == slip->aim) found = e;
    return found != EVENT_NONE ? found : plain->outcomes[slip->statement].last;
}

enum { GROUP_MAX = 12 };

static bool is_edited(const struct search *s, size_t statement)
{
    for (size_t i = 0; i < s->edit_count; i++)
        if (s->edits[i]->statement == statement) return true;
    return false;
}

/* The edit of a statement after which the fewest are wrong; NULL where none makes it fewer. The first of equals. */
static const struct edit *best_edit(struct search *s, size_t statement, const struct slip *slip, size_t *wrong)
{
    struct edit *edits;
    size_t count;
    const struct edit *best = NULL;
    *wrong = s->now.wrong;
    if (is_edited(s, statement) || s->edit_count == CORRECTIONS_MAX) return NULL;
    if (!edits_list(s->arena, s->plain, statement, &edits, &count)) {
        s->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < count && !s->stopped && !s->failed; i++) {
        if (!try(s, &s->plan, &edits[i], &s->other) || s->other.wrong >= *wrong) continue;
        if (slip != NULL && s->other.slipped[slip->statement]) continue;
        best = &edits[i];
        *wrong = s->other.wrong;
        if (*wrong == 0 || (slip != NULL && *wrong + 1 == s->now.wrong)) break;
    }
    return best;
}

/* Helpers that were run before what is wrong; the latest first. */
static size_t list_helpers(const struct search *s, size_t *list)
{
    size_t count = 0, last = 0;
    for (size_t i = 0; i < s->now.slip_count; i++)
        if (s->now.slips[i].statement > last) last = s->now.slips[i].statement;
    for (size_t i = statements(s); i-- > 0 && count < HELPERS_MAX;) {
        const struct statement *statement = s->plain->statements[i];
        if (statement == NULL || !s->now.helper[i] || is_edited(s, i)) continue;
        bool makes = statement->kind == STATEMENT_ASSIGN || statement->kind == STATEMENT_UPDATE ||
                     statement->kind == STATEMENT_EXPRESSION || statement->kind == STATEMENT_RETURN;
        if (makes) list[count++] = i;
    }
    return count;
}

/* A helper that should have been a gradient: the one with which the fewest are wrong. */
static size_t best_put(struct search *s, size_t statement, struct plan *best)
{
    const struct run *plain = s->plain;
    const struct surroundings *around = plain->surroundings;
    size_t wrong = s->now.wrong, first = plain->outcomes[statement].first;
    if (first == EVENT_NONE || plain->outcomes[statement].begun != 1 || s->plan.put_count == PUTS_MAX) return wrong;
    const struct event *event = &plain->events[first];
    for (size_t a = 0; a < around->aim_count && !s->stopped && !s->failed; a++) {
        if (event->array->size != around->aims[a].size || !aim_fits(&around->aims[a], &event->array->shape)) continue;
        struct plan plan = s->plan;
        plan.puts[plan.put_count].statement = statement;
        plan.puts[plan.put_count].execution = event->execution;
        plan.puts[plan.put_count].aim = a;
        plan.puts[plan.put_count++].scale = plan.first_scale;
        if (!try(s, &plan, NULL, &s->other) || s->other.wrong >= wrong) continue;
        wrong = s->other.wrong;
        *best = plan;
    }
    return wrong;
}

/* Blames a helper with which at least `least` fewer are wrong; false where there is none. */
static bool blame_helper(struct search *s, struct blame *blame, size_t least)
{
    size_t helpers[HELPERS_MAX], count = list_helpers(s, helpers), best_wrong = s->now.wrong,
                                 statement = STATEMENT_NONE;
    const struct edit *edit = NULL;
    struct plan put = s->plan;
    for (size_t i = 0; i < count && !s->stopped && !s->failed; i++) {
        size_t wrong;
        const struct edit *found = best_edit(s, helpers[i], NULL, &wrong);
        if (found == NULL || wrong >= best_wrong) continue;
        best_wrong = wrong;
        edit = found;
        statement = helpers[i];
    }
    for (size_t i = 0; edit == NULL && i < count && !s->stopped && !s->failed; i++) {
        struct plan plan = s->plan;
        size_t wrong = best_put(s, helpers[i], &plan);
        if (wrong >= best_wrong) continue;
        best_wrong = wrong;
        put = plan;
        statement = helpers[i];
    }
    if (statement == STATEMENT_NONE || best_wrong + least > s->now.wrong) return false;
    if (edit == NULL) s->plan = put;
    if (!try(s, &s->plan, edit, &s->other)) return false;
    if (edit != NULL)
        take(s, edit);
    else
        tally_copy(s, &s->other, &s->now);
    const struct slip as = {.aim = edit == NULL ? put.puts[put.put_count - 1].aim : GRADIENT_NONE};
    blame_on(blame, statement, edit, &as);
    return true;
}

/* The edit of what made a gradient that makes it right; *statement whose. */
static const struct edit *explain_slip(struct search *s, const struct slip *slip, size_t *statement)
{
    size_t group[GROUP_MAX], wrong;
    size_t count = find_group(s->plain, find_plain_event(s->plain, slip), group, GROUP_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct edit *edit = best_edit(s, group[i], slip, &wrong);
        *statement = group[i];
        if (edit != NULL) return edit;
    }
    return NULL;
}

/* Whether a statement of a group only makes room. */
static bool makes_room(const struct run *plain, size_t statement)
{
    for (size_t e = plain->outcomes[statement].first; e != EVENT_NONE; e = plain->events[e].next)
        if (!plain->events[e].zeros || plain->events[e].updates) return false;
    return true;
}

static void blame_group(struct search *s, struct blame *blame, const struct slip *slip)
{
    size_t group[GROUP_MAX];
    size_t count = find_group(s->plain, find_plain_event(s->plain, slip), group, GROUP_MAX);
    for (size_t i = count; i-- > 0;) {
        if (count > 1 && makes_room(s->plain, group[i])) continue;
        bool there = false;
        for (size_t k = 0; k < blame->count; k++)
            there = there || blame->list[k].statement == group[i];
        if (there) continue;
        blame_on(blame, group[i], NULL, slip);
        if (blame->count > 0) blame->list[blame->count - 1].group = slip->statement;
    }
}

static void blame_slips(struct search *s, struct blame *blame)
{
    bool *told = arena_zeroed(s->arena, statements(s), sizeof *told);
    if (told == NULL) s->failed = true;
    for (size_t i = 0; told != NULL && i < s->now.slip_count && !s->failed;) {
        const struct slip slip = s->now.slips[i];
        size_t statement = slip.statement;
        if (told[slip.statement]) {
            i++;
            continue;
        }
        told[slip.statement] = true;
        const struct edit *edit = explain_slip(s, &slip, &statement);
        if (edit != NULL && try(s, &s->plan, edit, &s->other)) {
            take(s, edit);
            blame_on(blame, statement, edit, &slip);
            i = 0;
            continue;
        }
        if (blame_helper(s, blame, 1)) {
            i = 0;
            continue;
        }
        blame_group(s, blame, &slip);
        i++;
    }
}

/* What could not be evaluated, and can with an edit. */
static void explain_faults(struct search *s, struct blame *blame)
{
    for (size_t i = 0; i < statements(s) && !s->stopped && !s->failed; i++) {
        size_t wrong;
        if (s->plain->outcomes[i].fault == NULL) continue;
        const struct edit *edit = best_edit(s, i, NULL, &wrong);
        if (edit == NULL || !try(s, &s->plan, edit, &s->other)) continue;
        take(s, edit);
        blame_on(blame, i, edit, NULL);
    }
}

int blame_find(struct arena *arena, const struct run *plain, double seconds, struct blame *blame)
{
    struct search s = {.arena = arena, .plain = plain, .until = clock_thread_seconds() + seconds};
    *blame = (struct blame){.text = plain->syntax.text, .length = plain->syntax.length};
    arena_init(&s.own, arena->limit - arena->held);
    s.own.fail_in = arena->fail_in;
    s.plan = (struct plan){.plain = plain, .first_scale = 1};
    s.left = arena_zeroed(arena, statements(&s), sizeof *s.left);
    s.plan.left = s.left;
    s.failed = s.left == NULL || !tally_new(&s, &s.now) || !tally_new(&s, &s.other);
    if (!s.failed && try(&s, &s.plan, NULL, &s.now) && s.now.wrong > 0) {
        explain_faults(&s, blame);
        settle_scales(&s);
        settle_left(&s);
        while (s.now.wrong > 1 && blame_helper(&s, blame, 2))
            continue;
        blame_slips(&s, blame);
    }
    arena->fail_in = s.own.fail_in;
    arena_free(&s.own);
    blame->stopped = s.stopped;
    if (s.failed) return CODE_OUT_OF_MEMORY;
    blame->plan = s.plan;
    blame->text = edits_apply(arena, plain, s.edits, s.edit_count, &blame->length);
    if (blame->text == NULL) return CODE_OUT_OF_MEMORY;
    return run_code(&blame->run, arena, plain->surroundings, &blame->plan, blame->text, blame->length);
}
