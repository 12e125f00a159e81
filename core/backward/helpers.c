#include "core/backward/helpers.h"

#include <string.h>

#include "core/backward/aims.h"
#include "core/backward/gradient_of.h"

enum { HELPERS_MAX = 24 };

static void reach_name(const struct search *s, const char *name, bool *reached, bool *more);

static void reach_names(const struct search *s, const struct expression *x, bool *reached, bool *more, size_t depth)
{
    if (x == NULL || depth > LANGUAGE_LEVELS_MAX) return;
    if (x->kind == EXPRESSION_NAME || x->kind == EXPRESSION_ATTRIBUTE) reach_name(s, x->name, reached, more);
    for (size_t i = 0; i < x->count; i++)
        reach_names(s, x->operands[i], reached, more, depth + 1);
    if (x->kind == EXPRESSION_LAMBDA) reach_names(s, x->function->body.list[0]->value, reached, more, depth + 1);
}

/* What a function comes to: what it hands back. */
static void reach_returns(const struct block *block, bool *reached, bool *more)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct statement *b = block->list[i];
        if (b->kind == STATEMENT_RETURN) {
            *more = *more || !reached[b->number];
            reached[b->number] = true;
        }
        reach_returns(&b->body, reached, more);
        reach_returns(&b->otherwise, reached, more);
    }
}

static bool has_parameter(const struct statement *function, const char *name)
{
    for (size_t i = 0; i < function->parameter_count; i++)
        if (strcmp(function->parameters[i].name, name) == 0) return true;
    return false;
}

/* Whether a statement calls one of the code's own functions that has a parameter of that name; NULL: any function. */
static bool calls_with(const struct search *s, const struct statement *statement, const char *parameter)
{
    for (size_t i = 0; i < s->function_count; i++) {
        const struct statement *function = s->functions[i];
        if (function == statement) continue;
        if (parameter != NULL && !has_parameter(function, parameter)) continue;
        if (syntax_mentions(statement->value, function->name)) return true;
    }
    return false;
}

bool helpers_hand_over(const struct search *s, size_t statement)
{
    return calls_with(s, s->plain->statements[statement], NULL);
}

static bool has_statement(const struct block *block, size_t number)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct statement *b = block->list[i];
        if (b->number == number || has_statement(&b->body, number) || has_statement(&b->otherwise, number)) return true;
    }
    return false;
}

bool helpers_call(const struct search *s, size_t caller, size_t called)
{
    const struct statement *statement = s->plain->statements[caller];
    for (size_t i = 0; statement != NULL && i < s->function_count; i++)
        if (s->functions[i] != statement && has_statement(&s->functions[i]->body, called) &&
            syntax_mentions(statement->value, s->functions[i]->name))
            return true;
    return false;
}

/* Whether it hands something over to a function of the code's own in which something is wrong. */
static bool calls_wrong(const struct search *s, size_t statement)
{
    for (size_t i = 0; i < s->now.slip_count; i++)
        if (helpers_call(s, statement, s->now.slips[i].statement)) return true;
    return false;
}

/* All that may make what a name stands for. */
static void reach_name(const struct search *s, const char *name, bool *reached, bool *more)
{
    for (size_t i = 0; i < search_statements(s); i++) {
        const struct statement *statement = s->plain->statements[i];
        if (statement == NULL) continue;
        bool function = statement->kind == STATEMENT_DEFINE && strcmp(statement->name, name) == 0;
        if (function) reach_returns(&statement->body, reached, more);
        bool makes = !reached[i] && calls_with(s, statement, name);
        for (size_t t = 0; !reached[i] && t < statement->target_count; t++)
            makes = makes || aims_puts_into(statement->targets[t], name);
        if (makes) reached[i] = *more = true;
    }
}

/* All statements that what is made by the reached ones may come from: reaches them, too. It goes through statement
 * `from` and those that `passes`. False where memory is short; where time is over not all are reached. */
static bool reach(struct search *s, size_t from, bool (*passes)(const struct search *, size_t), bool *reached)
{
    bool more = true, *followed = arena_zeroed(s->arena, search_statements(s), sizeof *followed);
    s->failed = s->failed || followed == NULL;
    while (more && !s->failed && !search_has_ended(s)) {
        more = false;
        for (size_t i = search_statements(s); i-- > 0;) { /* what something is made of mostly stands before it */
            const struct statement *statement = s->plain->statements[i];
            bool follows = i == from || (reached[i] && passes(s, i));
            if (!follows || followed[i] || statement == NULL) continue;
            followed[i] = more = true;
            reach_names(s, statement->value, reached, &more, 0);
            if (statement->kind == STATEMENT_UPDATE) reach_names(s, statement->targets[0], reached, &more, 0);
        }
    }
    return !s->failed;
}

static bool is_helper_or_wrong(const struct search *s, size_t i)
{
    return s->now.of[i].helper || s->now.of[i].slipped;
}

/* Helpers that what is wrong may be made of, the latest first: not through gradients, which are put right. */
static size_t list_helpers(struct search *s, size_t *list)
{
    size_t count = 0;
    bool *reached = arena_zeroed(s->arena, search_statements(s), sizeof *reached);
    for (size_t i = 0; reached != NULL && i < s->now.slip_count; i++)
        reached[s->now.slips[i].statement] = true;
    if (reached == NULL || !reach(s, STATEMENT_NONE, is_helper_or_wrong, reached)) {
        s->failed = true;
        return 0;
    }
    for (size_t i = search_statements(s); i-- > 0 && count < HELPERS_MAX;) {
        const struct statement *statement = s->plain->statements[i];
        if (statement == NULL || !reached[i] || search_is_edited(s, i)) continue;
        if (!s->now.of[i].helper && !calls_wrong(s, i)) continue;
        bool makes = statement->kind == STATEMENT_ASSIGN || statement->kind == STATEMENT_UPDATE ||
                     statement->kind == STATEMENT_EXPRESSION || statement->kind == STATEMENT_RETURN ||
                     statement->kind == STATEMENT_FOR;
        if (makes) list[count++] = i;
    }
    return count;
}

/* Whether a gradient is that of one of the values that a name has stood for. */
static bool stands_for(const struct surroundings *s, size_t aim, const char *name)
{
    for (size_t i = 0; i < s->known_count; i++)
        if (s->known[i].aim == aim && strcmp(s->known[i].name, name) == 0) return true;
    return false;
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
        if (event->zeros) return; /* what is to be added to */
        if (event->part != 0 || plan.put_count == PUTS_MAX) return;
        struct plan tried = plan;
        tried.puts[tried.put_count].statement = statement;
        tried.puts[tried.put_count].execution = event->execution;
        tried.puts[tried.put_count++].scale = tried.first_scale;
        for (size_t a = 0; a < around->aim_count && !s->stopped && !s->failed; a++) {
            if (event->array->size != around->aims[a].size || !aim_fits(&around->aims[a], &event->array->shape))
                continue;
            tried.puts[tried.put_count - 1].aim = a;
            if (event->aimed == AIMED_ANY && !stands_for(around, a, event->of)) continue;
            if (!search_try(s, &tried, NULL, &s->other) || s->other.faults > s->now.faults) continue;
            /* Of what is added up in a loop none is right before all is; but what comes next in the loop may be. */
            bool nearer = s->other.events < events || (s->other.events == events && s->other.matched > matched);
            if (!nearer) continue;
            found = a;
            events = s->other.events;
            wrong = s->other.wrong;
            matched = s->other.matched;
            fits = tally_is_better(&s->other, &s->now) && (slip == NULL || !s->other.of[slip->statement].slipped);
        }
        if (found == GRADIENT_NONE) continue;
        plan = tried;
        plan.puts[plan.put_count - 1].aim = found;
    }
    const struct remedy remedy = {.statement = statement, .plan = plan, .wrong = wrong, .matched = matched};
    if (fits && remedy_is_nearer(&remedy, best)) *best = remedy;
}

/* Nothing can be nearer. */
static bool is_best(const struct remedy *remedy)
{
    return remedy->statement != STATEMENT_NONE && remedy->wrong == 0 && remedy->edit != NULL && remedy->edit->cost == 1;
}

bool helpers_find(struct search *s, const struct slip *slip, bool all, int cost, size_t enough, struct remedy *best)
{
    size_t helpers[HELPERS_MAX], count = list_helpers(s, helpers);
    *best = (struct remedy){.statement = STATEMENT_NONE};
    for (int near = NEAR_COST; near <= cost; near++) {
        int from = near == NEAR_COST ? 1 : near;
        for (size_t i = 0; i < count && !is_best(best); i++)
            if (all || !s->now.of[helpers[i]].is_one) search_try_edits(s, helpers[i], slip, from, near, best);
        if (best->statement != STATEMENT_NONE && best->wrong + enough <= s->now.wrong) break;
    }
    bool puts = all && cost == EDIT_COST_MAX && best->statement == STATEMENT_NONE;
    for (size_t i = 0; puts && i < count; i++)
        try_puts(s, helpers[i], slip, best);
    return best->statement != STATEMENT_NONE;
}

/* ---- a helper that several have in common ---- */

static bool is_new_helper(const struct search *s, size_t i)
{
    return s->now.of[i].helper && !s->now.of[i].starts;
}

/* All statements that what a statement makes may come from; not through what begins as a right gradient. NULL where
 * memory is short. */
static bool *reach_from(struct search *s, size_t statement)
{
    bool *reached = arena_zeroed(s->arena, search_statements(s), sizeof *reached);
    s->failed = s->failed || reached == NULL;
    return reached != NULL && reach(s, statement, is_new_helper, reached) ? reached : NULL;
}

static bool mentions_gradient(const struct expression *x, size_t depth)
{
    if (x == NULL || depth > LANGUAGE_LEVELS_MAX) return false;
    if ((x->kind == EXPRESSION_NAME || x->kind == EXPRESSION_ATTRIBUTE) && is_like_gradient(x->name)) return true;
    for (size_t i = 0; i < x->count; i++)
        if (mentions_gradient(x->operands[i], depth + 1)) return true;
    return false;
}

bool helpers_pass_on(const struct search *s, size_t statement)
{
    const struct statement *one = s->plain->statements[statement];
    size_t first = s->plain->outcomes[statement].first;
    if (one == NULL || first == EVENT_NONE) return false;
    return is_like_gradient(s->plain->events[first].name) || mentions_gradient(one->value, 0);
}

static bool passes_on(const struct search *s, size_t i)
{
    return s->now.of[i].helper && !s->now.of[i].starts && !search_is_edited(s, i) && helpers_pass_on(s, i);
}

/* Whether statement i makes a gradient that is right. */
static bool makes_right(const struct search *s, size_t i)
{
    return s->plain->statements[i] != NULL && s->plain->outcomes[i].first != EVENT_NONE && !s->now.of[i].helper &&
           !s->now.of[i].slipped;
}

/* How many of the wrong ones come from it; 0 where a right one does, too. */
static size_t count_common(const struct search *s, bool *const *from, size_t count, bool *const *right, size_t helper)
{
    size_t common = 0;
    for (size_t i = 0; i < count; i++)
        common += from[i][helper];
    for (size_t i = 0; i < search_statements(s); i++)
        if (right[i] != NULL && i != helper && right[i][helper]) return 0;
    return common;
}

/* Of the statements that most of the wrong ones come from, the one that none of the others goes into. */
static size_t find_first(struct search *s, const size_t *common, size_t most)
{
    size_t found = STATEMENT_NONE, n = search_statements(s);
    for (size_t i = 0; i < n && !s->failed && !s->stopped; i++) {
        const bool *own = common[i] == most ? reach_from(s, i) : NULL;
        bool first = own != NULL;
        for (size_t k = 0; first && k < n; k++)
            first = k == i || !own[k] || common[k] != most;
        if (first && found != STATEMENT_NONE) return STATEMENT_NONE; /* either may be */
        if (first) found = i;
    }
    return found;
}

size_t helpers_common(struct search *s, const size_t *wrong, size_t count)
{
    size_t n = search_statements(s), found = STATEMENT_NONE;
    bool **from = arena_array(s->arena, count, sizeof *from), **right = arena_zeroed(s->arena, n, sizeof *right);
    size_t *common = arena_array(s->arena, n, sizeof *common);
    if (from == NULL || right == NULL || common == NULL) s->failed = true;
    for (size_t i = 0; i < count && !s->failed; i++)
        from[i] = reach_from(s, wrong[i]);
    for (size_t i = 0; i < n && !s->failed && !s->stopped; i++)
        if (makes_right(s, i)) right[i] = reach_from(s, i);
    /* Helpers first; else a call of a function in which all is wrong, for what it hands over. */
    for (int calls = 0; calls < 2 && found == STATEMENT_NONE && !s->failed && !s->stopped; calls++) {
        size_t most = 1;
        for (size_t i = 0; i < n; i++) {
            const struct statement *one = s->plain->statements[i];
            bool may = calls ? one != NULL && !search_is_edited(s, i) && calls_with(s, one, NULL) : passes_on(s, i);
            common[i] = may ? count_common(s, from, count, right, i) : 0;
            if (common[i] > most) most = common[i];
        }
        if (most > 1) found = find_first(s, common, most);
    }
    return s->failed || s->stopped ? STATEMENT_NONE : found;
}

bool helpers_reach(struct search *s, size_t statement, size_t helper)
{
    const bool *reached = reach_from(s, statement);
    return reached != NULL && reached[helper];
}
