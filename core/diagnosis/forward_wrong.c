#include "core/diagnosis/forward_wrong.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/diagnosis/symbols.h"

/* Digits that a forward value has to say for a slip. */
#define DIGITS_NEEDED 8.0

const struct mistake mistake_forward_wrong = {
    .id = "forward_wrong",
    .step = STEP_FORWARD,
    .rank = 12,
    .summary = "a value of the forward pass is wrong already",
    .message = "In the forward pass already {forward_name} is wrong{looks_like}. What comes back follows from that.",
    .hint = "Compare your forward pass with a calculation by hand, for one sample, before you look at the way back.",
    .wrong = "p = exp(z) / exp(z).sum(axis=0)",
    .right = "p = exp(z) / exp(z).sum(axis=1, keepdims=True)",
};

/* What is looked for: a value that was handed in, or the gradients alone (NULL). */
struct wanted {
    const struct given *given;
    bool explains;
    double residual;
};

bool forward_wrong_is_in(const struct diagnosis *diagnosis)
{
    return diagnosis->count > 0 && diagnosis->found[0].mistake == &mistake_forward_wrong;
}

/* ---- whether a slip fits ---- */

/* Whether the replay gives what was handed in for forward values, as far as a value's node. */
static bool gives_values(const struct replay *replay, size_t last)
{
    for (size_t i = 0; i < replay->given->count; i++) {
        const struct given *given = &replay->given->items[i];
        const struct node *made_by = given->value->made_by;
        if (given->gradient || made_by == NULL || made_by->index > last) continue;
        if (!given_is_near(replay->sweep.s, given->value->size, given->values,
                           sweep_value(&replay->sweep, given->value)))
            return false;
    }
    return true;
}

static bool is_before(const struct replay *replay, void *with)
{
    const struct wanted *wanted = with;
    return replay->node->index <= wanted->given->value->made_by->index;
}

static bool fits_value(struct replay *replay, void *with)
{
    struct wanted *wanted = with;
    const struct search *s = replay->sweep.s;
    const struct value *value = wanted->given->value;
    struct match match = match_numbers(&s->matching, s->within, value->size, wanted->given->values,
                                       sweep_value(&replay->sweep, value), flow_value(&s->flow, value), HUGE_VAL);
    if (match.fit == FIT_NONE || match.digits < DIGITS_NEEDED) return false;
    if (!gives_values(replay, value->made_by->index)) return false;
    wanted->explains = replay_explains(replay, &wanted->residual);
    return true;
}

static bool is_anywhere(const struct replay *replay, void *with)
{
    (void)with;
    enum op_kind kind = replay->node->op->kind;
    bool place = kind == OP_ACTIVATION || kind == OP_LAYER || replay->node == replay->sweep.s->network->loss;
    return place && slip_shows_in_gradients(&replay->slip);
}

/* Whether the loss takes what the slip makes of the output: a logarithm takes nothing below 0. */
static bool has_loss(const struct replay *replay)
{
    const struct node *loss = replay->sweep.s->network->loss;
    const struct value *output = loss->inputs[LOSS_PREDICTION];
    if (loss->op->on_probabilities == NULL || !loss->op->on_probabilities(loss->attributes)) return true;
    const double *y = sweep_value(&replay->sweep, output);
    for (size_t i = 0; i < output->size; i++)
        if (!(y[i] >= 0 && y[i] <= 1)) return false;
    return true;
}

static bool fits_gradients(struct replay *replay, void *with)
{
    struct wanted *wanted = with;
    if (!has_loss(replay) || !gives_values(replay, SIZE_MAX)) return false;
    wanted->explains = replay_explains(replay, &wanted->residual);
    return wanted->explains;
}

/* ---- the answer ---- */

/* An entry before all others, or in place of them, but for what is right to the digits that it was printed with. NULL
 * when memory is short. */
static struct found *put_first(const struct search *s, struct diagnosis *diagnosis, bool alone)
{
    struct found *found = &diagnosis->found[0];
    size_t kept = 0;
    for (size_t i = 0; i < diagnosis->count && kept + 1 < FOUND_MAX; i++)
        if (!alone || found[i].mistake == &mistake_rounded) found[kept++] = found[i];
    memmove(found + 1, found, kept * sizeof *found);
    *found = (struct found){.mistake = &mistake_forward_wrong};
    diagnosis->count = kept + 1;
    found->layers = arena_array(s->arena, s->network->definition->layer_count + 1, sizeof *found->layers);
    found->parameters = arena_array(s->arena, search_count(s), sizeof *found->parameters);
    return found->layers != NULL && found->parameters != NULL ? found : NULL;
}

static bool add_text(const struct search *s, const char *text, const char **to)
{
    *to = arena_text(s->arena, text, strlen(text));
    return *to != NULL;
}

/* What the slip made, and where. */
static bool put_slip(const struct check *check, const struct replay *replay, struct found *found)
{
    const struct search *s = replay->sweep.s;
    const struct graph *graph = &s->network->graph;
    char text[SLIP_TEXT_MAX], name[SYMBOL_MAX];
    bool inside = replay->node == s->network->loss;
    slip_text(&replay->slip, inside ? replay->node->op->goes_with : replay->node->op, text);
    for (size_t i = 0; i < graph->node_count; i++)
        if (replay_is_place(replay, graph->nodes[i]))
            found->layers[found->layer_count++] = inside ? LAYER_LOSS : graph->nodes[i]->place.layer;
    if (!inside && found->name == NULL) {
        if (replay->node->output == s->network->output)
            memcpy(name, "y_hat", sizeof "y_hat");
        else
            symbol_of(check, replay->node->output, true, name);
        if (!add_text(s, name, &found->name)) return false;
    }
    return add_text(s, text, &found->looks_like);
}

/* Where nobody knows which slip it was: all layers since what was handed in before. */
static bool put_layers(const struct search *s, const struct given_list *given, const struct value *value,
                       struct found *found)
{
    const struct graph *graph = &s->network->graph;
    bool *reached = arena_zeroed(s->arena, graph->value_count, sizeof *reached);
    if (reached == NULL) return false;
    reached[value->index] = true;
    for (size_t i = graph->node_count; i-- > 0;) {
        const struct node *node = graph->nodes[i];
        bool known = node->output != value && !node->output->is_term;
        for (size_t g = 0, count = known ? given->count : 0; known && g <= count; g++) {
            known = g < count;
            if (known && given->items[g].value == node->output && !given->items[g].gradient) break;
        }
        if (!reached[node->output->index] || known || node->output->is_term) continue;
        found->layers[found->layer_count++] = node->place.layer;
        for (size_t k = 0; k < node->input_count; k++)
            if (node->inputs[k] != NULL) reached[node->inputs[k]->index] = true;
    }
    for (size_t i = 0; i < found->layer_count / 2; i++) {
        size_t other = found->layer_count - 1 - i, layer = found->layers[i];
        found->layers[i] = found->layers[other];
        found->layers[other] = layer;
    }
    return true;
}

static void put_explained(const struct search *s, const struct wanted *wanted, struct diagnosis *diagnosis)
{
    struct found *found = &diagnosis->found[0];
    found->residual = wanted->residual;
    diagnosis->explained = true;
    for (size_t p = 0; p < search_count(s); p++) {
        if (s->observed[p].failing && !s->observed[p].absent) found->parameters[found->parameter_count++] = p;
        diagnosis->explained = diagnosis->explained && !s->observed[p].absent;
    }
}

static const struct given *first_wrong(const struct given_list *given, const struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->step_count; i++) {
        const struct given_step *step = &diagnosis->steps[i];
        if (step->gradient || step->state != GIVEN_WRONG_HERE) continue;
        for (size_t g = 0; g < given->count; g++)
            if (given->items[g].name == step->name && !given->items[g].gradient) return &given->items[g];
    }
    return NULL;
}

bool forward_wrong_look(struct search *s, const struct check *check, const struct given_list *given,
                        const struct diagnosis *diagnosis, struct forward_slip *slip)
{
    struct wanted wanted = {0};
    if (first_wrong(given, diagnosis) != NULL || !(sweep_elements(s->network) > 0)) return true;
    if (!replay_new(s, &check->problem, given, &slip->replay)) return false;
    slip->found = replay_each(&slip->replay, is_anywhere, fits_gradients, &wanted);
    slip->residual = wanted.residual;
    return true;
}

bool forward_wrong_find(struct search *s, const struct check *check, const struct given_list *given,
                        struct forward_slip *slip, struct diagnosis *diagnosis)
{
    const struct given *wrong = first_wrong(given, diagnosis);
    struct wanted wanted = {.given = wrong};
    bool found = slip->found;
    if (wrong == NULL && !found) return true;
    if (wrong != NULL && sweep_elements(s->network) > 0) {
        if (!replay_new(s, &check->problem, given, &slip->replay)) return false;
        found = replay_each(&slip->replay, is_before, fits_value, &wanted);
    } else if (found) {
        wanted.explains = true;
        wanted.residual = slip->residual;
    }
    struct found *entry = put_first(s, diagnosis, wanted.explains);
    if (entry == NULL) return false;
    if (wrong != NULL) entry->name = wrong->name;
    if (found ? !put_slip(check, &slip->replay, entry) : !put_layers(s, given, wrong->value, entry)) return false;
    if (wanted.explains) put_explained(s, &wanted, diagnosis);
    return true;
}
