#include "core/backward/blame.h"

#include <math.h>
#include <string.h>

#include "core/base/clock.h"

enum { TALLY_SLIPS_MAX = 64, CORRECTIONS_MAX = 8, HELPERS_MAX = 24, RATIOS_MAX = 6 };

/* What a run came to. */
struct tally {
    bool good;                          /* it ran at all */
    size_t wrong, graded;               /* statements with a gradient that is wrong; those of a parameter's */
    size_t faults;                      /* statements that cannot be evaluated; these count as wrong, too */
    size_t judged;                      /* gradients that were looked at */
    size_t matched;                     /* things that are gradients by their numbers */
    size_t events;                      /* gradients that are wrong, each time that they are made */
    size_t parameters;                  /* of these, those of parameters */
    bool *slipped;                      /* by statement */
    bool *helper;                       /* by statement: nothing says that it makes a gradient */
    bool *is_one;                       /* by statement: a helper that makes gradients all the same */
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
                            .helper = arena_zeroed(s->arena, statements(s), sizeof(bool)),
                            .is_one = arena_zeroed(s->arena, statements(s), sizeof(bool))};
    return tally->slipped != NULL && tally->helper != NULL && tally->is_one != NULL;
}

static void tally_copy(const struct search *s, const struct tally *from, struct tally *to)
{
    bool *slipped = to->slipped, *helper = to->helper, *is_one = to->is_one;
    memcpy(slipped, from->slipped, statements(s) * sizeof(bool));
    memcpy(helper, from->helper, statements(s) * sizeof(bool));
    memcpy(is_one, from->is_one, statements(s) * sizeof(bool));
    *to = *from;
    to->slipped = slipped;
    to->helper = helper;
    to->is_one = is_one;
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
    for (size_t i = 0; i < run->count; i++)
        tally->judged += run->events[i].aimed == AIMED_AT && run->events[i].judged;
    for (size_t i = 0; i < run->count; i++)
        tally->matched += run->events[i].right;
    tally->events = run->slip_count;
    for (size_t i = 0; i < run->slip_count; i++)
        tally->parameters += aim_is_parameter(around, run->slips[i].aim);
    for (size_t i = 0; i < statements(s); i++) {
        const struct outcome *outcome = &run->outcomes[i];
        bool gradient = false, one = outcome->first != EVENT_NONE;
        for (size_t e = outcome->first; e != EVENT_NONE; e = run->events[e].next)
            gradient = gradient || (run->events[e].aimed == AIMED_AT && run->events[e].judged && !s->left[i]);
        for (size_t e = outcome->first; e != EVENT_NONE; e = run->events[e].next)
            one = one && run->events[e].right;
        tally->is_one[i] = one;
        tally->helper[i] = outcome->executed && !gradient && !tally->slipped[i];
        tally->faults += outcome->fault != NULL || outcome->poisoned;
    }
    tally->wrong += tally->faults;
}

/* Runs the code with one edit more (NULL: none) under a plan. */
static bool try(struct search *s, const struct plan *plan, const struct edit *edit, struct tally *tally)
{
    const struct edit *edits[CORRECTIONS_MAX + 1];
    size_t count = s->edit_count, length;
    struct run run;
    bool *slipped = tally->slipped, *helper = tally->helper, *is_one = tally->is_one;
    memcpy(edits, s->edits, count * sizeof *edits);
    if (edit != NULL) edits[count++] = edit;
    memset(slipped, 0, statements(s) * sizeof(bool));
    memset(helper, 0, statements(s) * sizeof(bool));
    memset(is_one, 0, statements(s) * sizeof(bool));
    *tally =
        (struct tally){.slipped = slipped, .helper = helper, .is_one = is_one, .wrong = SIZE_MAX, .graded = SIZE_MAX};
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

/* What is wrong is less, and not because less was looked at. */
static bool is_better(const struct tally *a, const struct tally *b)
{
    return a->good && a->wrong < b->wrong && a->faults <= b->faults && a->judged >= b->judged;
}

/* Whether a parameter's gradient is right now that was not. */
static bool helps_parameter(const struct search *s, const struct tally *now, const struct tally *before)
{
    if (now->parameters < before->parameters) return true;
    for (size_t i = 0; i < before->slip_count; i++) {
        const struct slip *slip = &before->slips[i];
        if (!aim_is_parameter(s->plain->surroundings, slip->aim)) continue;
        if (!now->slipped[slip->statement]) return true;
        for (size_t k = 0; k < now->slip_count; k++)
            if (now->slips[k].statement == slip->statement && now->slips[k].ratio != slip->ratio) return true;
    }
    return false;
}

/* ---- conventions ---- */

static void add_ratio(double *ratios, size_t *count, double ratio)
{
    if (ratio == 0 || fabs(ratio - 1) < 1e-6 || *count == RATIOS_MAX) return;
    for (size_t i = 0; i < *count; i++)
        if (fabs(ratios[i] - ratio) <= 1e-9 * fabs(ratio)) return;
    ratios[(*count)++] = ratio;
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
        if (try(s, &s->plan, NULL, &s->other) && s->other.wrong <= s->now.wrong &&
            s->other.parameters < s->now.parameters) {
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

/* What is done about one thing that is wrong, and what it comes to. */
struct remedy {
    size_t statement;
    const struct edit *edit; /* NULL: it is put right as a gradient, by the plan */
    struct plan plan;
    size_t wrong, matched;
};

/* The fewer are wrong, the better; then the more is a gradient by its numbers; then the nearer to what stands there. */
static bool is_nearer(const struct remedy *a, const struct remedy *b)
{
    if (b->statement == STATEMENT_NONE || a->wrong != b->wrong)
        return b->statement == STATEMENT_NONE || a->wrong < b->wrong;
    if (a->matched != b->matched) return a->matched > b->matched;
    if (a->edit == NULL || b->edit == NULL) return a->edit != NULL && b->edit == NULL;
    return a->edit->cost < b->edit->cost;
}

/* Tries the edits of a statement: *best becomes the best of them where that is better than it is. With `slip`, that has
 * to be right then. */
static void try_edits(struct search *s, size_t statement, const struct slip *slip, struct remedy *best)
{
    struct edit *edits;
    size_t count;
    if (is_edited(s, statement) || s->edit_count == CORRECTIONS_MAX || s->stopped || s->failed) return;
    if (!edits_list(s->arena, s->plain, statement, &edits, &count)) {
        s->failed = true;
        return;
    }
    int found = 0; /* what is further away is not tried then */
    for (size_t i = 0; i < count && !s->stopped && !s->failed && (found == 0 || edits[i].cost <= found); i++) {
        if (!try(s, &s->plan, &edits[i], &s->other) || !is_better(&s->other, &s->now)) continue;
        if (slip != NULL && s->other.slipped[slip->statement]) continue;
        const struct remedy remedy = {.statement = statement,
                                      .edit = &edits[i],
                                      .plan = s->plan,
                                      .wrong = s->other.wrong,
                                      .matched = s->other.matched};
        if (is_nearer(&remedy, best)) *best = remedy;
        found = edits[i].cost;
    }
}

/* ---- helpers ---- */

static bool assigns(const struct expression *target, const char *name)
{
    if (target->kind == EXPRESSION_SUBSCRIPT) return assigns(target->operands[0], name);
    for (size_t i = 0; (target->kind == EXPRESSION_TUPLE || target->kind == EXPRESSION_LIST) && i < target->count; i++)
        if (assigns(target->operands[i], name)) return true;
    return (target->kind == EXPRESSION_NAME || target->kind == EXPRESSION_ATTRIBUTE) && strcmp(target->name, name) == 0;
}

static void reach_name(const struct search *s, const char *name, bool *reached, bool *more);

static void reach_names(const struct search *s, const struct expression *x, bool *reached, bool *more, size_t depth)
{
    if (x == NULL || depth > LANGUAGE_LEVELS_MAX) return;
    if (x->kind == EXPRESSION_NAME || x->kind == EXPRESSION_ATTRIBUTE) reach_name(s, x->name, reached, more);
    for (size_t i = 0; i < x->count; i++)
        reach_names(s, x->operands[i], reached, more, depth + 1);
}

static void reach_block(const struct block *block, bool *reached, bool *more)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct statement *b = block->list[i];
        *more = *more || !reached[b->number];
        reached[b->number] = true;
        reach_block(&b->body, reached, more);
        reach_block(&b->otherwise, reached, more);
    }
}

/* All that may make what a name stands for. */
static void reach_name(const struct search *s, const char *name, bool *reached, bool *more)
{
    for (size_t i = 0; i < statements(s); i++) {
        const struct statement *statement = s->plain->statements[i];
        if (statement == NULL || reached[i]) continue;
        bool makes = statement->kind == STATEMENT_DEFINE && strcmp(statement->name, name) == 0;
        for (size_t t = 0; t < statement->target_count; t++)
            makes = makes || assigns(statement->targets[t], name);
        if (!makes) continue;
        reached[i] = *more = true;
        if (statement->kind == STATEMENT_DEFINE) reach_block(&statement->body, reached, more);
    }
}

/* Helpers that what is wrong may be made of, the latest first: not through gradients, which are put right. */
static size_t list_helpers(struct search *s, size_t *list)
{
    size_t count = 0;
    bool more = true, *reached = arena_zeroed(s->arena, statements(s), sizeof *reached);
    bool *followed = arena_zeroed(s->arena, statements(s), sizeof *followed);
    if (reached == NULL || followed == NULL) {
        s->failed = true;
        return 0;
    }
    for (size_t i = 0; i < s->now.slip_count; i++)
        reached[s->now.slips[i].statement] = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < statements(s); i++) {
            const struct statement *statement = s->plain->statements[i];
            bool follows = reached[i] && !followed[i] && statement != NULL && (s->now.helper[i] || s->now.slipped[i]);
            if (!follows) continue;
            followed[i] = more = true;
            reach_names(s, statement->value, reached, &more, 0);
            if (statement->kind == STATEMENT_UPDATE) reach_names(s, statement->targets[0], reached, &more, 0);
        }
    }
    for (size_t i = statements(s); i-- > 0 && count < HELPERS_MAX;) {
        const struct statement *statement = s->plain->statements[i];
        if (statement == NULL || !s->now.helper[i] || !reached[i] || is_edited(s, i)) continue;
        bool makes = statement->kind == STATEMENT_ASSIGN || statement->kind == STATEMENT_UPDATE ||
                     statement->kind == STATEMENT_EXPRESSION || statement->kind == STATEMENT_RETURN;
        if (makes) list[count++] = i;
    }
    return count;
}

/* A helper that should have been a gradient, each time that it is made: tries which, one time after the other. */
static void try_puts(struct search *s, size_t statement, const struct slip *slip, struct remedy *best)
{
    const struct run *plain = s->plain;
    const struct surroundings *around = plain->surroundings;
    struct plan plan = s->plan;
    size_t events = s->now.events, wrong = s->now.wrong, matched = s->now.matched;
    bool fits = false;
    for (size_t i = plain->outcomes[statement].first; i != EVENT_NONE; i = plain->events[i].next) {
        const struct event *event = &plain->events[i];
        size_t found = GRADIENT_NONE;
        if (event->part != 0 || plan.put_count == PUTS_MAX) return;
        struct plan tried = plan;
        tried.puts[tried.put_count].statement = statement;
        tried.puts[tried.put_count].execution = event->execution;
        tried.puts[tried.put_count++].scale = tried.first_scale;
        for (size_t a = 0; a < around->aim_count && !s->stopped && !s->failed; a++) {
            if (event->array->size != around->aims[a].size || !aim_fits(&around->aims[a], &event->array->shape))
                continue;
            tried.puts[tried.put_count - 1].aim = a;
            if (!try(s, &tried, NULL, &s->other) || s->other.faults > s->now.faults || s->other.events >= events)
                continue;
            found = a;
            events = s->other.events;
            wrong = s->other.wrong;
            matched = s->other.matched;
            fits = is_better(&s->other, &s->now) && (slip == NULL || !s->other.slipped[slip->statement]);
        }
        if (found == GRADIENT_NONE) continue;
        plan = tried;
        plan.puts[plan.put_count - 1].aim = found;
    }
    const struct remedy remedy = {.statement = statement, .plan = plan, .wrong = wrong, .matched = matched};
    if (fits && is_nearer(&remedy, best)) *best = remedy;
}

/* Nothing can be nearer. */
static bool is_best(const struct remedy *remedy)
{
    return remedy->statement != STATEMENT_NONE && remedy->wrong == 0 && remedy->edit != NULL && remedy->edit->cost == 1;
}

/* The best helper to blame; with `all`, one that makes a gradient all the same, but another one than it should, or one
 * of which no edit is known. False where there is none with which fewer are wrong, or `slip` (NULL: whichever) is not.
 */
static bool find_helper(struct search *s, const struct slip *slip, bool all, struct remedy *best)
{
    size_t helpers[HELPERS_MAX], count = list_helpers(s, helpers);
    *best = (struct remedy){.statement = STATEMENT_NONE};
    for (size_t i = 0; i < count && !is_best(best); i++)
        if (all || !s->now.is_one[helpers[i]]) try_edits(s, helpers[i], slip, best);
    for (size_t i = 0; all && best->statement == STATEMENT_NONE && i < count; i++)
        try_puts(s, helpers[i], slip, best);
    return best->statement != STATEMENT_NONE;
}

static bool take_remedy(struct search *s, struct blame *blame, const struct remedy *remedy, const struct slip *slip)
{
    if (!try(s, &remedy->plan, remedy->edit, &s->other)) return false;
    s->plan = remedy->plan;
    if (remedy->edit != NULL)
        take(s, remedy->edit);
    else
        tally_copy(s, &s->other, &s->now);
    struct slip as = {.aim = remedy->edit == NULL ? remedy->plan.puts[remedy->plan.put_count - 1].aim : GRADIENT_NONE};
    blame_on(blame, remedy->statement, remedy->edit, slip != NULL ? slip : &as);
    return true;
}

/* The edit of what made a gradient that makes it right. */
static bool explain_slip(struct search *s, const struct slip *slip, struct remedy *best)
{
    size_t group[GROUP_MAX] = {0};
    size_t count = find_group(s->plain, find_plain_event(s->plain, slip), group, GROUP_MAX);
    *best = (struct remedy){.statement = STATEMENT_NONE};
    for (size_t i = 0; i < count; i++)
        try_edits(s, group[i], slip, best);
    return best->statement != STATEMENT_NONE;
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
    size_t group[GROUP_MAX] = {0};
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

/* Helpers with which `least` or more come out right are to blame before these are; and others, where their own edit is
 * nearer. */
static void blame_slips(struct search *s, struct blame *blame, size_t least)
{
    bool *told = arena_zeroed(s->arena, statements(s), sizeof *told);
    struct remedy helper;
    if (told == NULL) s->failed = true;
    while (s->now.slip_count > 1 && !s->stopped && !s->failed && find_helper(s, NULL, true, &helper) &&
           helper.wrong + (helper.edit != NULL ? least : 2) <= s->now.wrong)
        if (!take_remedy(s, blame, &helper, NULL)) break;
    for (size_t i = 0; told != NULL && i < s->now.slip_count && !s->failed;) {
        const struct slip slip = s->now.slips[i];
        if (told[slip.statement]) {
            i++;
            continue;
        }
        told[slip.statement] = true;
        struct remedy own;
        bool explained = explain_slip(s, &slip, &own);
        bool helped = find_helper(s, &slip, !explained || own.edit->cost > 1, &helper) && helper.edit != NULL;
        bool tie = explained && helped && !is_nearer(&own, &helper) && !is_nearer(&helper, &own) && own.edit->cost > 1;
        /* An edit that goes around the helper says that this is wrong, as much. */
        tie = tie || (explained && helped && !is_nearer(&own, &helper) && !is_nearer(&helper, &own) &&
                      own.edit->mistake != NULL && strcmp(own.edit->mistake, "wrong_layer_used") == 0);
        helped = helped && (!explained || is_nearer(&helper, &own) || tie);
        if (helped ? take_remedy(s, blame, &helper, NULL) : explained && take_remedy(s, blame, &own, &slip)) {
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
        struct remedy best = {.statement = STATEMENT_NONE};
        if (s->plain->outcomes[i].fault == NULL) continue;
        try_edits(s, i, NULL, &best);
        if (best.statement != STATEMENT_NONE) take_remedy(s, blame, &best, NULL);
    }
}

/* ---- ways to read the code ---- */

/* One way to account for all that is wrong: how much of it is not explained by an edit, and how far the edits go. */
struct account {
    size_t unexplained, blamed, cost;
    struct plan plan;
    const struct edit *edits[CORRECTIONS_MAX];
    size_t edit_count;
    struct blamed list[BLAMED_MAX];
    size_t count;
    bool *left; /* by statement */
};

static bool is_simpler(const struct account *a, const struct account *b)
{
    if (a->unexplained != b->unexplained) return a->unexplained < b->unexplained;
    if (a->blamed != b->blamed) return a->blamed < b->blamed;
    return a->cost < b->cost;
}

/* Accounts for what is wrong under a plan, beginning anew; with `left`, that statement makes no gradient. */
static void account_for(struct search *s, const struct plan *plan, size_t left, size_t least, struct blame *blame,
                        struct account *account)
{
    s->plan = *plan;
    s->edit_count = 0;
    blame->count = 0;
    memset(s->left, 0, statements(s) * sizeof *s->left);
    if (left != STATEMENT_NONE) s->left[left] = true;
    *account = (struct account){.unexplained = SIZE_MAX};
    if (!try(s, &s->plan, NULL, &s->now)) return;
    explain_faults(s, blame);
    settle_left(s);
    blame_slips(s, blame, least);
    *account = (struct account){.plan = s->plan, .edit_count = s->edit_count, .count = blame->count};
    memcpy(account->edits, s->edits, sizeof account->edits);
    memcpy(account->list, blame->list, sizeof account->list);
    for (size_t i = 0; i < blame->count; i++) {
        const struct edit *edit = blame->list[i].edit;
        account->unexplained += edit == NULL;
        account->cost += edit != NULL ? (size_t)edit->cost : 0;
        account->blamed++;
    }
}

/* Gradients on the way may all be multiples of what they are, the factor being put in where a parameter's is made: m
 * times, where dW = 1/m * dZ @ A.T. So the ways to read the code are: as it is called, and with each such multiple
 * which makes a difference to a parameter. The fewest wrong first; their number. */
static size_t list_plans(struct search *s, struct plan *plans)
{
    double ratios[RATIOS_MAX];
    size_t wrong[1 + RATIOS_MAX] = {s->now.wrong}, count = 1, ratio_count = 0;
    const struct plan base = s->plan;
    plans[0] = base;
    for (size_t i = 0; i < s->now.slip_count; i++) {
        const struct slip *slip = &s->now.slips[i];
        bool parameter = aim_is_parameter(s->plain->surroundings, slip->aim);
        add_ratio(ratios, &ratio_count, parameter && slip->ratio != 0 ? 1 / slip->ratio : slip->ratio);
    }
    for (size_t i = 0; i < ratio_count; i++) {
        struct plan plan = base;
        plan.scales[plan.scale_count++] = plan.first_scale = ratios[i];
        if (!try(s, &plan, NULL, &s->other) || s->other.wrong > s->now.wrong || s->other.faults > s->now.faults ||
            s->other.judged < s->now.judged || !helps_parameter(s, &s->other, &s->now))
            continue;
        size_t at = count++;
        for (; at > 0 && wrong[at - 1] > s->other.wrong; at--) {
            wrong[at] = wrong[at - 1];
            plans[at] = plans[at - 1];
        }
        wrong[at] = s->other.wrong;
        plans[at] = plan;
    }
    return count;
}

static bool is_enough(const struct account *account)
{
    return account->unexplained == 0 && account->blamed <= 1 && account->cost <= 1;
}

/* Keeps an account, with what it leaves. */
static bool keep_account(struct search *s, const struct account *from, struct account *to)
{
    bool *left = to->left != NULL ? to->left : arena_zeroed(s->arena, statements(s), sizeof *left);
    if (left == NULL) return false;
    *to = *from;
    to->left = left;
    memcpy(left, s->left, statements(s) * sizeof *left);
    return true;
}

/* Where something is still not explained: what is called after a gradient on the way may be none, and wrong all the
 * same, as a dh that becomes dz by a mask in its place. That has to be what its own edit says. */
static void account_left(struct search *s, const struct tally *base, struct blame *blame, struct account *best,
                         struct account *other)
{
    const struct plan plan = {.plain = s->plain, .first_scale = 1, .left = s->left};
    for (size_t i = 0; i < base->slip_count && best->unexplained > 0 && !s->stopped && !s->failed; i++) {
        const struct slip *slip = &base->slips[i];
        bool own = false;
        if (aim_is_parameter(s->plain->surroundings, slip->aim)) continue;
        account_for(s, &plan, slip->statement, 2, blame, other);
        for (size_t k = 0; k < other->count; k++)
            own = own || other->list[k].statement == slip->statement;
        if (!s->stopped && own && other->unexplained == 0 && is_simpler(other, best)) keep_account(s, other, best);
    }
}

static int account_for_all(struct search *s, struct blame *blame)
{
    struct plan plans[1 + RATIOS_MAX];
    struct account *best = arena_zeroed(s->arena, 1, sizeof *best), *other = arena_zeroed(s->arena, 1, sizeof *other);
    struct tally base;
    if (best == NULL || other == NULL || !tally_new(s, &base)) return CODE_OUT_OF_MEMORY;
    tally_copy(s, &s->now, &base);
    best->unexplained = SIZE_MAX;
    size_t count = list_plans(s, plans);
    bool any = false;
    for (size_t least = 2; least > 0 && !(any && best->unexplained == 0); least--)
        for (size_t i = 0; i < count && !s->stopped && !s->failed && !(any && is_enough(best)); i++) {
            account_for(s, &plans[i], STATEMENT_NONE, least, blame, other);
            if (any && (s->stopped || !is_simpler(other, best))) continue;
            if (!keep_account(s, other, best)) return CODE_OUT_OF_MEMORY;
            any = true;
        }
    account_left(s, &base, blame, best, other);
    if (!any) best->plan = plans[0]; /* there was no time for any */
    memset(s->left, 0, statements(s) * sizeof *s->left);
    if (best->left != NULL) memcpy(s->left, best->left, statements(s) * sizeof *s->left);
    s->plan = best->plan;
    s->edit_count = best->edit_count;
    memcpy(s->edits, best->edits, sizeof s->edits);
    memcpy(blame->list, best->list, sizeof blame->list);
    blame->count = best->count;
    return CODE_OK;
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
        s.failed = account_for_all(&s, blame) != CODE_OK || s.failed;
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
