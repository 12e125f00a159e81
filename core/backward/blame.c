#include "core/backward/blame.h"

#include <math.h>
#include <string.h>

#include "core/backward/aims.h"
#include "core/backward/correction.h"
#include "core/backward/helpers.h"
#include "core/backward/run.h"
#include "core/base/clock.h"

enum { RATIOS_MAX = 6, WORTH_GIVING_UP = 3 };

/* How much longer one edit is looked for that puts all right, as a share of the time. */
#define SHARE_OF_ONE 0.5

#define SECONDS_OF_COMMON 0.05

/* Whether a parameter's gradient is right now that was not. */
static bool helps_parameter(const struct search *s, const struct tally *now, const struct tally *before)
{
    if (now->parameters < before->parameters) return true;
    for (size_t i = 0; i < before->slip_count; i++) {
        const struct slip *slip = &before->slips[i];
        if (!aim_is_parameter(s->plain->surroundings, slip->aim)) continue;
        if (!now->of[slip->statement].slipped) return true;
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
        if (search_try(s, &s->plan, NULL, &s->other) && s->other.wrong <= s->now.wrong &&
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

static bool is_blamed(const struct blame *blame, size_t statement)
{
    for (size_t i = 0; i < blame->count; i++)
        if (blame->list[i].statement == statement) return true;
    return false;
}

static void blame_on(const struct search *s, struct blame *blame, size_t statement, const struct edit *edit,
                     const struct slip *slip)
{
    if (blame->count == BLAMED_MAX) return;
    blame->list[blame->count++] = (struct blamed){.statement = statement,
                                                  .edit = edit,
                                                  .of = s->plain,
                                                  .aim = slip != NULL ? slip->aim : GRADIENT_NONE,
                                                  .ratio = slip != NULL ? slip->ratio : 0,
                                                  .within = STATEMENT_NONE,
                                                  .group = statement};
}

/* Whether what stands there is the gradient already, so that what comes after it spoils it. */
static bool is_done(const struct run *run, const struct event *event, size_t aim)
{
    return event->array->numbers != NULL &&
           aim_is_exactly(&run->surroundings->aims[aim], &event->array->shape, event->array->numbers, 1);
}

/* The statements that build what an event finishes, the gradient `aim`: themselves, and those before them at its
 * place. */
static size_t find_group(const struct run *run, size_t event, size_t aim, size_t *list, size_t room)
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
        if (before != NULL && is_done(run, before, aim)) break;
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

static bool take_remedy(struct search *s, struct blame *blame, const struct remedy *remedy, const struct slip *slip)
{
    if (!search_try(s, &remedy->plan, remedy->edit, &s->other)) return false;
    s->plan = remedy->plan;
    if (remedy->edit != NULL)
        take(s, remedy->edit);
    else
        tally_copy(s, &s->other, &s->now);
    struct slip as = {.aim = remedy->edit == NULL ? remedy->plan.puts[remedy->plan.put_count - 1].aim : GRADIENT_NONE};
    blame_on(s, blame, remedy->statement, remedy->edit, slip != NULL ? slip : &as);
    return true;
}

/* The statements that build what is wrong; the one alone that the plain run could not evaluate, as it read what was
 * lost. */
static size_t find_slip_group(const struct search *s, const struct slip *slip, size_t list[GROUP_MAX])
{
    size_t count = find_group(s->plain, find_plain_event(s->plain, slip), slip->aim, list, GROUP_MAX);
    if (count == 0) list[count++] = slip->statement;
    return count;
}

/* The edit of what made a gradient, as far away as `cost` at most, that makes it right. */
static bool explain_slip(struct search *s, const struct slip *slip, int cost, struct remedy *best)
{
    size_t group[GROUP_MAX] = {0};
    size_t count = find_slip_group(s, slip, group);
    *best = (struct remedy){.statement = STATEMENT_NONE};
    for (size_t i = 0; i < count; i++)
        search_try_edits(s, group[i], slip, 1, cost, best);
    return best->statement != STATEMENT_NONE;
}

/* Whether a statement of a group only makes room. */
static bool makes_room(const struct run *plain, size_t statement)
{
    for (size_t e = plain->outcomes[statement].first; e != EVENT_NONE; e = plain->events[e].next)
        if (!plain->events[e].zeros || plain->events[e].updates) return false;
    return true;
}

/* What hands to a function what one statement of that makes something wrong of. */
static void blame_caller(struct search *s, struct blame *blame, size_t caller, const struct slip *slip)
{
    if (is_blamed(blame, caller)) return;
    size_t before = blame->count;
    blame_on(s, blame, caller, NULL, slip);
    if (blame->count > before) blame->list[before].within = slip->statement;
}

static void blame_group(struct search *s, struct blame *blame, const struct slip *slip)
{
    size_t group[GROUP_MAX] = {0};
    const size_t caller = s->now.of[slip->statement].caller;
    /* With an edit there may be statements that have not been run without it. */
    if (caller != STATEMENT_NONE && s->plain->statements[slip->statement] != NULL &&
        s->plain->statements[caller] != NULL) {
        blame_caller(s, blame, caller, slip);
        return;
    }
    size_t count = find_slip_group(s, slip, group);
    for (size_t i = count; i-- > 0;) {
        /* What only makes room, or is a gradient that another line makes another of: dz = dh.copy(). */
        if (count > 1 && (makes_room(s->plain, group[i]) || s->now.of[group[i]].is_one)) continue;
        if (is_blamed(blame, group[i])) continue;
        blame_on(s, blame, group[i], NULL, slip);
        if (blame->count > 0) blame->list[blame->count - 1].group = slip->statement;
    }
}

/* Whether a helper is about forward values alone, as n = len(y) and error = a - y are: then it is right more often. */
static bool is_forward(const struct search *s, size_t helper)
{
    return s->plain->statements[helper]->kind != STATEMENT_RETURN && !helpers_pass_on(s, helper);
}

/* What still counts as a wrong gradient once all that is handed in is right is called after one, and is none. */
static void leave_what_is_wrong(struct search *s)
{
    while (search_try(s, &s->plan, NULL, &s->now) && s->now.slip_count > 0)
        for (size_t i = 0; i < s->now.slip_count; i++)
            s->left[s->now.slips[i].statement] = true;
}

/* What makes one slip right: an edit of what made it, or of a helper that goes into it, whichever is nearer. */
static bool take_nearer(struct search *s, struct blame *blame, const struct slip *slip, int cost)
{
    struct remedy own, helper;
    bool explained = explain_slip(s, slip, cost, &own);
    bool all = !explained || own.edit->cost > 1;
    bool helped = helpers_find(s, slip, all, cost, 1, &helper) && helper.edit != NULL;
    bool even = explained && helped && !remedy_is_nearer(&own, &helper) && !remedy_is_nearer(&helper, &own);
    bool forward = helped && is_forward(s, helper.statement);
    bool one = helped && s->now.of[helper.statement].is_one; /* of another value, which is right */
    bool tie = even && own.edit->cost > 1 && !forward;
    if (explained && (forward || one) && own.wrong == helper.wrong && own.edit->cost <= helper.edit->cost)
        helped = false;
    /* An edit that goes around the helper says that this is wrong, as much. */
    tie = tie || (even && own.edit->mistake != NULL && strcmp(own.edit->mistake, "wrong_layer_used") == 0);
    helped = helped && (!explained || remedy_is_nearer(&helper, &own) || tie);
    return helped ? take_remedy(s, blame, &helper, NULL) : explained && take_remedy(s, blame, &own, slip);
}

/* What is near is looked at first, for all that is wrong: there is much that is far away. Helpers with which `least` or
 * more come out right are to blame before these are; and others, where their own edit is nearer. */
static void blame_slips(struct search *s, struct blame *blame, size_t least)
{
    for (int cost = NEAR_COST; cost <= EDIT_COST_MAX; cost++) {
        struct remedy helper;
        while (s->now.slip_count > 1 && !s->stopped && !s->failed &&
               helpers_find(s, NULL, true, cost, least, &helper) &&
               helper.wrong + (helper.edit != NULL ? least : 2) <= s->now.wrong)
            if (!take_remedy(s, blame, &helper, NULL)) break;
        for (size_t i = 0; i < s->now.slip_count && !s->failed;) {
            const struct slip slip = s->now.slips[i++];
            if (!take_nearer(s, blame, &slip, cost)) continue;
            if (correction_is_done(s)) leave_what_is_wrong(s);
            i = 0; /* others may be explained now */
        }
    }
    for (size_t i = 0; i < s->now.slip_count; i++)
        blame_group(s, blame, &s->now.slips[i]);
}

/* Several that nothing explains, and one helper that is in all of them: that is to blame. */
static void find_common(struct search *s, struct blame *blame)
{
    for (;;) {
        size_t wrong[BLAMED_MAX], count = 0, kept = 0;
        for (size_t i = 0; i < blame->count; i++)
            if (blame->list[i].edit == NULL && blame->list[i].aim != GRADIENT_NONE)
                wrong[count++] = blame->list[i].statement;
        size_t helper = count > 1 ? helpers_common(s, wrong, count) : STATEMENT_NONE;
        if (helper == STATEMENT_NONE) return;
        for (size_t i = 0; i < blame->count; i++) {
            const struct blamed one = blame->list[i];
            bool comes = one.edit == NULL && one.aim != GRADIENT_NONE && helpers_reach(s, one.statement, helper);
            if (!comes) blame->list[kept++] = one;
        }
        blame->count = kept;
        blame_on(s, blame, helper, NULL, NULL);
    }
}

static void blame_common(struct search *s, struct blame *blame)
{
    /* It takes little time, and is worth it where the rest took too long. */
    const bool stopped = s->stopped;
    const double until = s->until;
    s->stopped = false;
    s->until = fmax(until, clock_thread_seconds() + SECONDS_OF_COMMON);
    find_common(s, blame);
    s->stopped = s->stopped || stopped;
    s->until = until;
}

/* Whether what can be evaluated with an edit is what was meant: a gradient itself, or what is made of it is right. That
 * there is no fault any more says little. */
static bool is_remedy(struct search *s, const struct remedy *remedy)
{
    return search_try(s, &remedy->plan, remedy->edit, &s->other) && s->other.matched > s->now.matched &&
           (s->other.of[remedy->statement].is_one || s->other.slip_count <= s->now.slip_count);
}

/* What could not be evaluated, and with an edit makes a gradient, or something that gradients are made of. */
static void explain_faults(struct search *s, struct blame *blame)
{
    for (size_t i = 0; i < search_statements(s) && !s->stopped && !s->failed; i++) {
        struct remedy best = {.statement = STATEMENT_NONE};
        if (s->plain->outcomes[i].fault == NULL) continue;
        search_try_edits(s, i, NULL, 1, EDIT_COST_MAX, &best);
        const size_t caller = s->plain->outcomes[i].fault_caller;
        if (caller != STATEMENT_NONE) search_try_edits(s, caller, NULL, 1, NEAR_COST, &best);
        if (best.statement != STATEMENT_NONE && is_remedy(s, &best)) take_remedy(s, blame, &best, NULL);
    }
}

/* What changes a value that something behind it reads: all comes out better where it does not. */
static void blame_spoilers(struct search *s, struct blame *blame)
{
    for (size_t i = 0; i < s->plain->spoiled_count && s->now.wrong > 0 && blame->count < BLAMED_MAX; i++) {
        const struct spoiled *spoiled = &s->plain->spoiled[i];
        struct plan plan = s->plan;
        plan.apart[plan.apart_count++] = spoiled;
        if (!search_try(s, &plan, NULL, &s->other) || !tally_is_better(&s->other, &s->now)) continue;
        s->plan = plan;
        tally_copy(s, &s->other, &s->now);
        for (size_t k = i; k < s->plain->spoiled_count && blame->count < BLAMED_MAX; k++) {
            const struct spoiled *other = &s->plain->spoiled[k];
            if (k != i && (spoiled->own || other->own || strcmp(other->name, spoiled->name) != 0)) continue;
            blame_on(s, blame, other->statement, NULL, NULL);
            blame->list[blame->count - 1].spoils = other;
        }
    }
}

/* ---- ways to read the code ---- */

/* One way to account for all that is wrong: how much of it is not explained by an edit, and how far the edits go. */
struct account {
    size_t unexplained, cost;
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
    if (a->count != b->count) return a->count < b->count;
    if (a->cost != b->cost) return a->cost < b->cost;
    return a->plan.first_scale > 0 && b->plan.first_scale < 0;
}

/* Accounts for what is wrong under a plan, beginning anew; with `left`, that statement makes no gradient. */
static void account_for(struct search *s, const struct plan *plan, size_t left, size_t least, struct blame *blame,
                        struct account *account)
{
    s->plan = *plan;
    s->edit_count = 0;
    blame->count = 0;
    memset(s->left, 0, search_statements(s) * sizeof *s->left);
    if (left != STATEMENT_NONE) s->left[left] = true;
    *account = (struct account){.unexplained = SIZE_MAX};
    if (!search_try(s, &s->plan, NULL, &s->now)) return;
    blame_spoilers(s, blame);
    settle_left(s);
    blame_slips(s, blame, least);
    blame_common(s, blame);
    *account = (struct account){.plan = s->plan, .edit_count = s->edit_count, .count = blame->count};
    memcpy(account->edits, s->edits, sizeof account->edits);
    memcpy(account->list, blame->list, sizeof account->list);
    for (size_t i = 0; i < blame->count; i++) {
        const struct edit *edit = blame->list[i].edit;
        account->unexplained += edit == NULL && blame->list[i].spoils == NULL;
        account->cost += edit != NULL ? (size_t)edit->cost : 0;
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
        if (!search_try(s, &plan, NULL, &s->other) || s->other.wrong > s->now.wrong ||
            s->other.faults > s->now.faults || s->other.judged < s->now.judged ||
            !helps_parameter(s, &s->other, &s->now))
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
    return account->unexplained == 0 && account->count <= 1 && account->cost <= 1 && account->plan.first_scale > 0;
}

/* Keeps an account, with what it leaves. */
static bool keep_account(struct search *s, const struct account *from, struct account *to)
{
    bool *left = to->left != NULL ? to->left : arena_zeroed(s->arena, search_statements(s), sizeof *left);
    if (left == NULL) return false;
    *to = *from;
    to->left = left;
    memcpy(left, s->left, search_statements(s) * sizeof *left);
    return true;
}

/* Whether much of what is wrong comes of one statement, if it does not make the gradient that its name says: then all
 * the others have it in common. */
static bool is_in_common(struct search *s, size_t statement, size_t wrong_before)
{
    size_t wrong[TALLY_SLIPS_MAX] = {0}, count = 0;
    const struct plan plan = {.plain = s->plain, .first_scale = 1, .left = s->left};
    memset(s->left, 0, search_statements(s) * sizeof *s->left);
    s->left[statement] = true;
    s->plan = plan;
    if (!search_try(s, &plan, NULL, &s->now)) return false;
    settle_left(s);
    for (size_t i = 0; i < s->now.slip_count; i++)
        wrong[count++] = s->now.slips[i].statement;
    bool common = count >= WORTH_GIVING_UP && wrong_before > count && helpers_common(s, wrong, count) == statement;
    for (size_t i = 0; common && i < count; i++)
        common = helpers_reach(s, wrong[i], statement);
    return common;
}

/* What is called after a gradient on the way may be none, and wrong all the same, as a dh that becomes dz by a mask in
 * its place. That has to be what its own edit says, or what is common to several. With `common` those alone are looked
 * at that are. */
static void account_left(struct search *s, const struct tally *base, bool common, struct blame *blame,
                         struct account *best, struct account *other)
{
    const struct plan plan = {.plain = s->plain, .first_scale = 1, .left = s->left};
    for (size_t i = 0; i < base->slip_count && best->unexplained > 0 && !s->stopped && !s->failed; i++) {
        const struct slip *slip = &base->slips[i];
        bool own = false;
        if (aim_is_parameter(s->plain->surroundings, slip->aim)) continue;
        if (common && !is_in_common(s, slip->statement, base->slip_count)) continue;
        account_for(s, &plan, slip->statement, 2, blame, other);
        for (size_t k = 0; k < other->count; k++)
            own = own || other->list[k].statement == slip->statement;
        /* What a name says is given up for nothing less than several faults that become one. */
        size_t before = common ? base->slip_count : best->count;
        bool worth = other->unexplained == 0 || other->count + WORTH_GIVING_UP <= before;
        if ((common || !s->stopped) && own && worth && is_simpler(other, best)) keep_account(s, other, best);
    }
}

static int account_for_all(struct search *s, struct blame *blame)
{
    struct plan plans[1 + RATIOS_MAX];
    struct account *best = arena_zeroed(s->arena, 1, sizeof *best), *other = arena_zeroed(s->arena, 1, sizeof *other);
    struct tally base, settled; /* as it is; without what is called like a gradient and is right as none */
    if (best == NULL || other == NULL || !tally_new(s, &base) || !tally_new(s, &settled)) return CODE_OUT_OF_MEMORY;
    tally_copy(s, &s->now, &base);
    best->unexplained = SIZE_MAX;
    size_t count = list_plans(s, plans);
    s->plan = plans[0];
    if (search_try(s, &s->plan, NULL, &s->now)) {
        settle_left(s);
        tally_copy(s, &s->now, &settled);
        account_left(s, &settled, true, blame, best, other);
    }
    bool any = best->unexplained != SIZE_MAX;
    for (size_t least = 2; least > 0 && !(any && best->unexplained == 0); least--)
        for (size_t i = 0; i < count && !s->stopped && !s->failed && !(any && is_enough(best)); i++) {
            account_for(s, &plans[i], STATEMENT_NONE, least, blame, other);
            if (any && (s->stopped || !is_simpler(other, best))) continue;
            if (!keep_account(s, other, best)) return CODE_OUT_OF_MEMORY;
            any = true;
        }
    account_left(s, &base, false, blame, best, other);
    if (!any) best->plan = plans[0]; /* there was no time for any */
    memset(s->left, 0, search_statements(s) * sizeof *s->left);
    if (best->left != NULL) memcpy(s->left, best->left, search_statements(s) * sizeof *s->left);
    s->plan = best->plan;
    s->edit_count = best->edit_count;
    memcpy(s->edits, best->edits, sizeof s->edits);
    memcpy(blame->list, best->list, sizeof blame->list);
    blame->count = best->count;
    return CODE_OK;
}

/* ---- one edit for all of it ---- */

/* What is blamed is what an edit is known of. */
static void blame_edits_alone(struct search *s, struct blame *blame)
{
    size_t kept = 0;
    for (size_t i = 0; i < blame->count; i++)
        if (blame->list[i].edit != NULL) blame->list[kept++] = blame->list[i];
    blame->count = kept;
    leave_what_is_wrong(s);
}

/* With one edit more, or with one alone, all that is handed in may be right: then that is what is wrong. */
static bool correct(struct search *s, struct blame *blame, int cost, bool alone)
{
    size_t edits = s->edit_count, n = search_statements(s);
    const struct plan plan = s->plan;
    bool *left = arena_array(s->arena, n, sizeof *left);
    s->failed = s->failed || left == NULL;
    if (s->failed) return false;
    memcpy(left, s->left, n * sizeof *left);
    memset(s->left, 0, n * sizeof *left);
    if (alone) s->edit_count = 0;
    const struct edit *found = correction_find(s, cost);
    if (found == NULL) {
        s->edit_count = edits;
        s->plan = plan;
        memcpy(s->left, left, n * sizeof *left);
        return false;
    }
    if (alone) blame->count = 0;
    s->edits[s->edit_count++] = found;
    blame_on(s, blame, found->statement, found, NULL);
    blame_edits_alone(s, blame);
    return true;
}

/* Where not all of it is explained. What one statement alone is to blame for, by the name of what it makes, may be
 * another one's fault only where that is near. */
static void correct_rest(struct search *s, struct blame *blame, double seconds)
{
    size_t unexplained = 0;
    for (size_t i = 0; i < blame->count; i++)
        unexplained += blame->list[i].edit == NULL && blame->list[i].spoils == NULL;
    if (unexplained == 0) return;
    s->stopped = false;
    s->until = clock_thread_seconds() + seconds;
    if (correction_is_done(s)) {
        blame_edits_alone(s, blame);
        return;
    }
    if (s->edit_count > 0 && correct(s, blame, EDIT_COST_MAX, false)) return;
    if (!s->failed && !s->stopped) correct(s, blame, blame->count > 1 ? EDIT_COST_MAX : NEAR_COST, true);
}

/* ---- all of it ---- */

static bool begin(struct search *s, struct arena *arena, const struct run *plain, const size_t *claimed, double seconds)
{
    *s = (struct search){.arena = arena, .plain = plain, .claimed = claimed, .until = clock_thread_seconds() + seconds};
    arena_init(&s->own, arena->limit - arena->held);
    s->own.fail_in = arena->fail_in;
    s->left = arena_zeroed(arena, search_statements(s), sizeof *s->left);
    s->plan = (struct plan){.plain = plain, .first_scale = 1, .left = s->left};
    s->failed = s->left == NULL || !tally_new(s, &s->now) || !tally_new(s, &s->other) || !search_find_functions(s);
    return !s->failed && search_try(s, &s->plan, NULL, &s->now) && s->now.wrong > 0;
}

static void end(struct search *s)
{
    s->arena->fail_in = s->own.fail_in;
    arena_free(&s->own);
}

/* The edits of statements that cannot be evaluated: *mended is the code as it runs with them; NULL where there are
 * none. */
static int mend_faults(struct arena *arena, const struct run *plain, const size_t *claimed, double seconds,
                       struct blame *blame, struct run **mended)
{
    struct search s;
    size_t length;
    *mended = NULL;
    if (begin(&s, arena, plain, claimed, seconds)) explain_faults(&s, blame);
    end(&s);
    if (s.failed) return CODE_OUT_OF_MEMORY;
    if (s.edit_count == 0) return CODE_OK;
    struct run *run = arena_alloc(arena, sizeof *run);
    const char *text = edits_apply(arena, plain, s.edits, s.edit_count, &length);
    if (run == NULL || text == NULL) return CODE_OUT_OF_MEMORY;
    int code = run_code(run, arena, plain->surroundings, NULL, text, length);
    if (code == CODE_OK && run->error.code == CODE_OK) *mended = run;
    return code;
}

static int find_wrong(struct arena *arena, const struct run *plain, const size_t *claimed, double seconds,
                      struct blame *blame)
{
    struct search s;
    *blame = (struct blame){.text = plain->syntax.text, .length = plain->syntax.length};
    if (begin(&s, arena, plain, claimed, seconds)) {
        s.failed = account_for_all(&s, blame) != CODE_OK || s.failed;
        bool stopped = s.stopped;
        if (!s.failed) correct_rest(&s, blame, SHARE_OF_ONE * seconds);
        s.stopped = s.stopped || stopped;
    }
    end(&s);
    blame->stopped = s.stopped;
    if (s.failed) return CODE_OUT_OF_MEMORY;
    blame->plan = s.plan;
    blame->text = edits_apply(arena, plain, s.edits, s.edit_count, &blame->length);
    if (blame->text == NULL) return CODE_OUT_OF_MEMORY;
    return run_code(&blame->run, arena, plain->surroundings, &blame->plan, blame->text, blame->length);
}

static bool has_fault(const struct run *run)
{
    for (size_t i = 0; i < run->syntax.statement_count; i++)
        if (run->outcomes[i].fault != NULL) return true;
    return false;
}

/* What cannot be evaluated hides what comes of it: so that is mended first, where it can be. */
int blame_find(struct arena *arena, const struct run *plain, const size_t *claimed, double seconds, struct blame *blame)
{
    struct run *mended = NULL;
    struct blame faults = {.count = 0};
    size_t graded = plain->surroundings->check->problem.network->graded_count;
    if (has_fault(plain) && mend_faults(arena, plain, claimed, SHARE_OF_ONE * seconds, &faults, &mended) != CODE_OK)
        return CODE_OUT_OF_MEMORY;
    if (mended == NULL) return find_wrong(arena, plain, claimed, seconds, blame);
    size_t *others = arena_array(arena, graded + 1, sizeof *others);
    for (size_t p = 0; others != NULL && p < graded; p++)
        others[p] = EVENT_NONE;
    if (others == NULL || !aims_settle(mended, others)) return CODE_OUT_OF_MEMORY;
    int code = find_wrong(arena, mended, others, seconds, blame);
    for (size_t i = 0; i < faults.count && blame->count < BLAMED_MAX; i++)
        if (!is_blamed(blame, faults.list[i].statement)) blame->list[blame->count++] = faults.list[i];
    return code;
}
