#include "core/graph/formulas.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/graph/parts.h"
#include "core/ops/writing.h"

struct formulas {
    struct part_room *room;
    struct part_room own_room;
    const struct graph *graph;
    struct formulas_names names;
    struct written *values;  /* by value of the graph */
    struct part *gradients;  /* by value of the graph: as its makers take it; of one with a name that name */
    const char **statements; /* by value of the graph: formulas_gradient */
    bool *counts;            /* by value of the graph: a term of the loss depends on it */
};

/* ---- one node ---- */

/* A template that is being filled in. */
struct filling {
    const struct formulas *f;
    const struct node *node;
    const struct op_writing *writing;
    struct written dy;
    struct shape dy_shape;
    const char *dx;
    struct shape shape; /* of all that was filled in, repeated to each other */
    bool fits;          /* there is one */
    char list[WRITTEN_MAX];
    char along[WRITTEN_MAX + WRITING_MAX];
};

static struct written along(struct filling *filling, const struct written *what)
{
    const char *subscripts = filling->writing->along;
    struct written made = {NULL, LEVEL_ATOM};
    if (what->text == NULL || subscripts[0] == '\0') return *what;
    int length = snprintf(filling->along, sizeof filling->along, what->level < LEVEL_ATOM ? "(%s)%s" : "%s%s",
                          what->text, subscripts);
    if (length > 0 && (size_t)length < sizeof filling->along) made.text = filling->along;
    return made;
}

/* All inputs from one on, with commas between them. */
static struct written list_inputs(struct filling *filling, size_t from)
{
    struct written_buffer buffer;
    written_begin(&buffer);
    for (size_t k = from; k < filling->node->input_count; k++) {
        if (k > from) written_add(&buffer, ", ");
        written_add_within(&buffer, &filling->f->values[filling->node->inputs[k]->index], LEVEL_ANY);
    }
    memcpy(filling->list, buffer.text, sizeof buffer.text);
    return (struct written){buffer.failed ? NULL : filling->list, LEVEL_ATOM};
}

static bool is_symbol(const char *symbol, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(symbol, name, length) == 0;
}

/* The input that a symbol stands for; input_count where it stands for none. */
static size_t find_input(const struct node *node, const char *symbol, size_t length)
{
    size_t k = 0;
    while (k < node->input_count && !is_symbol(symbol, length, op_slot(node->op, k)->symbol))
        k++;
    return k;
}

static struct written word(void *context, const char *symbol, size_t length)
{
    struct filling *filling = context;
    const struct node *node = filling->node;
    const size_t k = find_input(node, symbol, length);
    if (k < node->input_count) {
        if (op_slot(node->op, k)->repeated) return list_inputs(filling, k);
        if (node->inputs[k] == NULL) return (struct written){NULL, LEVEL_ATOM};
        filling->fits = filling->fits && part_spread_shape(&filling->shape, &node->inputs[k]->shape);
        return filling->f->values[node->inputs[k]->index];
    }
    if (is_symbol(symbol, length, "dy")) {
        filling->fits = filling->fits && part_spread_shape(&filling->shape, &filling->dy_shape);
        return filling->dy;
    }
    if (is_symbol(symbol, length, "dx")) return (struct written){filling->dx, LEVEL_ATOM};
    bool reduced = filling->writing->along[0] != '\0';
    const struct shape *shape = reduced ? &filling->writing->along_shape : &node->output->shape;
    filling->fits = filling->fits && part_spread_shape(&filling->shape, shape);
    return along(filling, &filling->f->values[node->output->index]);
}

/* The template of what comes out of a node, or goes back; false where there is none. */
static bool find_template(const struct node *node, long input, struct op_writing *w, const struct shape **in)
{
    const struct op *op = node->op;
    for (size_t k = 0; k < node->input_count; k++)
        in[k] = node->inputs[k] != NULL ? &node->inputs[k]->shape : NULL;
    w->op = op;
    w->attributes = node->attributes;
    w->count = node->input_count;
    w->in = in;
    w->out = &node->output->shape;
    w->input = input;
    w->text[0] = w->along[0] = '\0';
    w->whole = w->moves = w->adds = w->clears = w->nothing = false;
    w->along_shape.rank = 0;
    if (op->write != NULL) return op->write(w);
    size_t slot = input < 0 ? 0 : (size_t)(op_slot(op, (size_t)input) - op->slots);
    const char *template = input == WRITING_OUTPUT ? op->written : slot < OP_SENT_MAX ? op->sent[slot] : NULL;
    if (template == NULL || strlen(template) >= sizeof w->text) return false;
    snprintf(w->text, sizeof w->text, "%s", template);
    return true;
}

/* Cuts a piece out of a text. */
static void cut(char *text, size_t from, size_t length)
{
    memmove(text + from, text + from + length, strlen(text + from + length) + 1);
}

/* Takes numbers that a template multiplies by, or divides by, out of it into the part: a sign in front, "2 * " in
 * front, " / 4" at the end, and inputs that are numbers: " * {b}", " / {b}". */
static void take_numbers(struct filling *filling, char *template, struct part *part)
{
    if (written_level_of(template) < LEVEL_PRODUCT) return;
    if (template[0] == '-') {
        part->scale = -part->scale;
        cut(template, 0, 1);
    }
    char *end;
    double number = strtod(template, &end);
    if (end > template && strncmp(end, " * ", 3) == 0) {
        part->scale *= number;
        cut(template, 0, (size_t)(end - template) + 3);
    }
    char *last = strrchr(template, '/');
    number = last != NULL ? strtod(last + 1, &end) : 0;
    if (last != NULL && *end == '\0' && number > 0) {
        part->divisor *= number;
        last[-1] = '\0';
    }
    size_t depth = 0;
    for (char *at = template; *at != '\0'; at++) {
        depth += *at == '(' || *at == '[';
        depth -= *at == ')' || *at == ']';
        bool divides = strncmp(at, " / {", 4) == 0;
        const char *close = strchr(at, '}');
        if (depth > 0 || close == NULL || (!divides && strncmp(at, " * {", 4) != 0) || close[1] == '*') continue;
        const size_t k = find_input(filling->node, at + 4, (size_t)(close - at - 4));
        const struct value *value = k < filling->node->input_count ? filling->node->inputs[k] : NULL;
        if (value == NULL || value->shape.rank > 0 || filling->f->values[value->index].text == NULL) continue;
        number = strtod(filling->f->values[value->index].text, &end);
        if (*end != '\0' || number == 0) continue;
        if (divides && number < 0) part->scale = -part->scale;
        if (divides)
            part->divisor *= fabs(number);
        else
            part->scale *= number;
        cut(at, 0, (size_t)(close - at) + 1);
        at--;
    }
}

/* Without a dy that is 1 everywhere. */
static void drop_ones(char *template)
{
    static const char factor[] = "{dy} * ";
    const size_t length = sizeof factor - 1;
    if (strncmp(template, factor, length) != 0) return;
    bool mask = template[length] == '(' && strpbrk(template, "<>=") != NULL; /* which is no number in NumPy */
    if (mask) memmove(template, "1.0", 3);
    cut(template, mask ? 3 : 0, mask ? strlen("{dy}") - 3 : length);
}

static bool takes_all(const struct op_writing *w)
{
    return w->whole || strstr(w->text, "{dy}.") != NULL;
}

/* What a node sends to one of its inputs, with the input's shape; a statement where it is added to a part of dx. */
static struct part sent(const struct formulas *f, const struct node *node, size_t input, const char *dx)
{
    struct op_writing w;
    const struct shape *in[OP_INPUTS_MAX];
    const struct shape *to = &node->inputs[input]->shape;
    struct part part = f->gradients[node->output->index];
    struct filling filling = {.f = f, .node = node, .writing = &w, .dx = dx, .fits = true};
    struct written_buffer buffer;
    enum written_level level;
    if (!part.known || node->input_count > OP_INPUTS_MAX) return part_unknown;
    if (!find_template(node, (long)input, &w, in)) return part_unknown;
    bool ones = part.core.text == NULL;
    if (node->op->kind == OP_LOSS) { /* whose sum has a factor */
        double scale = node->attributes[LOSS_SCALE];
        part.scale *= scale;
        if (scale != 0) part.divisor *= scale / loss_factor(node->op, node->attributes, in[LOSS_PREDICTION]);
        const char *target = f->values[node->inputs[LOSS_TARGET]->index].text;
        char *less = strstr(w.text, " - {y}");
        if (less != NULL && target != NULL && strncmp(target, "np.zeros(", 9) == 0) cut(less, 0, 6);
    }
    if (w.adds) {
        struct written dy;
        if (dx == NULL || !part_render(&part, &buffer, &dy.level)) return part_unknown;
        dy.text = part_keep(f->room, &buffer);
        filling.dy = dy;
        if (!written_fill(w.text, word, &filling, &buffer, &level)) return part_unknown;
        part = (struct part){.known = true, .adds = true, .scale = 1, .divisor = 1, .shape = *to};
        return part_with(f->room, &part, &buffer, level);
    }
    if (w.nothing) return (struct part){.known = true, .scale = 0, .divisor = 1};
    if (w.clears) {
        if (dx == NULL || !written_fill(w.text, word, &filling, &buffer, &level)) return part_unknown;
        part.after = part_keep(f->room, &buffer);
        part.known = part.after != NULL;
        return part;
    }
    if (ones && w.moves) return part;
    take_numbers(&filling, w.text, &part);
    bool expands = w.along_shape.rank > 0 || w.along[0] != '\0';
    if (takes_all(&w) || (w.along[0] != '\0' && !ones)) {
        part = part_whole(f->room, &part, &node->output->shape);
        if (!part.known) return part_unknown;
        ones = part.core.text == NULL;
    }
    if (ones) drop_ones(w.text);
    filling.dy = ones ? (struct written){"1", LEVEL_ATOM} : along(&filling, &part.core);
    filling.dy_shape = expands && !ones ? w.along_shape : part.shape;
    if (strcmp(w.text, "{dy}") == 0) {
        level = filling.dy.level;
        filling.shape = filling.dy_shape;
        if (!ones && filling.dy.text == filling.along) {
            written_begin(&buffer);
            written_add(&buffer, "%s", filling.along);
            part = part_with(f->room, &part, &buffer, LEVEL_ATOM);
        }
    } else {
        char dy_text[WRITTEN_MAX + WRITING_MAX]; /* y may take its room */
        if (filling.dy.text == filling.along) {
            snprintf(dy_text, sizeof dy_text, "%s", filling.along);
            filling.dy.text = dy_text;
        }
        if (!written_fill(w.text, word, &filling, &buffer, &level) || (!filling.fits && !w.whole)) return part_unknown;
        part = part_with(f->room, &part, &buffer, level);
    }
    part.shape = w.whole ? *to : filling.shape;
    if (w.whole) return part;
    /* An element by element op repeats its inputs to its output's shape; a reduction's is its input's already. */
    return part_summed(f->room, part, node->output->shape.rank >= to->rank && !expands ? &node->output->shape : to, to);
}

static bool sends(const struct formulas *f, const struct use *use)
{
    const struct value *output = use->node->output;
    return f->counts[output->index] && op_differentiates(use->node->op, use->input) &&
           (output->differentiated || output->is_term);
}

/* What all consumers send together. Statements, which take a part of the gradient of a value with a name, go into
 * *statements, each with "; " in front. */
static struct part gather(const struct formulas *f, const struct value *value, const char *name,
                          struct written_buffer *statements)
{
    struct part sum = part_unknown; /* of those that are no statement: the last one, until another comes */
    struct written_buffer text;
    struct shape shape = {0};
    size_t written = 0, terms = 0;
    bool cleared = false, adds = false;
    written_begin(&text);
    written_begin(statements);
    for (size_t u = 0; u < value->use_count; u++) {
        if (!sends(f, &value->uses[u])) continue;
        const struct part part = sent(f, value->uses[u].node, value->uses[u].input, name);
        if (!part.known || text.failed || statements->failed) return part_unknown;
        if (part.adds) {
            written_add(statements, "; %s", part.core.text);
            adds = true;
            if (cleared) return part_unknown;
            continue;
        }
        if (part.scale == 0) continue;
        if (part.after != NULL) written_add(statements, "; %s", part.after);
        cleared = cleared || part.after != NULL;
        terms++;
        if (cleared && (terms > 1 || adds)) return part_unknown; /* it would clear what others send, too */
        if (sum.known && part_merge(&sum, &part)) continue;
        if (sum.known) part_add_term(&text, &sum);
        if (sum.known) written++;
        if (!part_spread_shape(&shape, &part.shape)) return part_unknown;
        sum = part;
    }
    if (statements->failed) return part_unknown;
    if (written == 0 && sum.known) return sum;
    if (terms == 0) return (struct part){.known = true, .scale = 0, .divisor = 1};
    part_add_term(&text, &sum);
    struct part all = part_one;
    all.shape = shape;
    return part_with(f->room, &all, &text, LEVEL_SUM);
}

/* ---- lines ---- */

/* The line for a value whose gradient has a name. */
static const char *write_line(const struct formulas *f, const struct value *value, const char *name,
                              const struct part *sum, const struct written_buffer *statements)
{
    struct written_buffer buffer;
    enum written_level level;
    char line[FORMULA_LINE_MAX], shape[WRITING_MAX / 2];
    bool zero = sum->known && sum->scale == 0;
    const struct part all = part_whole(f->room, sum, &value->shape);
    if (zero) {
        written_begin(&buffer);
        if (!writing_shape(&value->shape, shape)) return NULL;
        written_add(&buffer, value->shape.rank > 0 ? "np.zeros(%s)" : "0", shape);
        level = LEVEL_POWER;
        if (buffer.failed) return NULL;
    } else if (!part_render(&all, &buffer, &level)) {
        return NULL;
    }
    /* What is written into must not be somebody else's. */
    bool copies = statements->length > 0 && level == LEVEL_ATOM;
    int length =
        snprintf(line, sizeof line, "%s = %s%s%s", name, buffer.text, copies ? ".copy()" : "", statements->text);
    return length > 0 && (size_t)length < sizeof line ? part_keep_text(f->room, line, (size_t)length) : NULL;
}

static void make_gradient(struct formulas *f, const struct value *value)
{
    struct part *gradient = &f->gradients[value->index];
    const char *name = f->names.gradients[value->index];
    struct written_buffer statements;
    *gradient = part_unknown;
    if (value->is_term) {
        *gradient = part_one;
        return;
    }
    if (!value->differentiated) return;
    const struct part sum = gather(f, value, name, &statements);
    if (name == NULL) {
        *gradient = sum;
        return;
    }
    if (sum.known) f->statements[value->index] = write_line(f, value, name, &sum, &statements);
    *gradient = part_one;
    gradient->core = (struct written){name, LEVEL_ATOM};
    gradient->shape = value->shape;
    /* The loss's own: 1 where nobody says anything else. */
    bool alone = statements.length == 0 && sum.known && sum.core.text == NULL && sum.scale == 1 && sum.divisor == 1;
    if (alone && value->size == 1) *gradient = part_one;
}

/* ---- values ---- */

/* Numbers that are written out: of one, of many that are the same, of those that count on from 0, of a few. */
static struct written write_constant(const struct formulas *f, const struct value *value)
{
    enum { FEW = 8 };
    const double *numbers = f->names.given[value->index];
    struct written_buffer buffer;
    char number[WRITING_NUMBER], shape[WRITING_MAX / 2];
    struct written none = {NULL, LEVEL_ATOM};
    if (numbers == NULL || !writing_shape(&value->shape, shape)) return none;
    bool same = true, counts = value->shape.rank == 1, index = false;
    for (size_t u = 0; u < value->use_count; u++) /* as which np.ones, of float64, would not do */
        index = index || op_slot(value->uses[u].node->op, value->uses[u].input)->role == SLOT_CONSTANT;
    for (size_t i = 0; i < value->size; i++) {
        same = same && numbers[i] == numbers[0];
        counts = counts && numbers[i] == (double)i;
        if (!isfinite(numbers[i])) return none;
    }
    written_begin(&buffer);
    writing_number(numbers[0], number);
    if (value->shape.rank == 0) {
        written_add(&buffer, "%s", number);
    } else if (counts && value->size > 1) {
        written_add(&buffer, "np.arange(%zu)", value->size);
    } else if (same && !index && (numbers[0] == 0 || numbers[0] == 1)) {
        written_add(&buffer, "np.%s(%s)", numbers[0] == 0 ? "zeros" : "ones", shape);
    } else if (same) {
        written_add(&buffer, "np.full(%s, %s)", shape, number);
    } else if (value->size <= FEW) {
        written_add(&buffer, "np.array([");
        for (size_t i = 0; i < value->size; i++)
            written_add(&buffer, i > 0 ? ", %s" : "%s", writing_number(numbers[i], number));
        written_add(&buffer, value->shape.rank == 1 ? "])" : "]).reshape(%s)", shape);
    } else {
        return none;
    }
    return (struct written){part_keep(f->room, &buffer),
                            value->shape.rank == 0 && number[0] == '-' ? LEVEL_SIGN : LEVEL_ATOM};
}

static struct written write_value(const struct formulas *f, const struct value *value)
{
    struct op_writing w;
    const struct shape *in[OP_INPUTS_MAX];
    struct filling filling = {.f = f, .node = value->made_by, .writing = &w, .fits = true};
    struct written_buffer buffer;
    struct written made = {NULL, LEVEL_ATOM};
    const char *name = f->names.values[value->index];
    if (name != NULL) return (struct written){name, LEVEL_ATOM};
    if (value->made_by == NULL) return write_constant(f, value);
    if (value->made_by->input_count > OP_INPUTS_MAX) return made;
    if (!find_template(value->made_by, WRITING_OUTPUT, &w, in)) return made;
    w.along[0] = '\0'; /* that is for what goes back */
    if (written_fill(w.text, word, &filling, &buffer, &made.level)) made.text = part_keep(f->room, &buffer);
    return made;
}

/* ---- all of it ---- */

static void find_what_counts(struct formulas *f)
{
    for (size_t i = f->graph->node_count; i-- > 0;) {
        const struct value *value = f->graph->nodes[i]->output;
        bool counts = value->is_term;
        for (size_t u = 0; !counts && u < value->use_count; u++) {
            const struct use *use = &value->uses[u];
            counts = f->counts[use->node->output->index] && op_differentiates(use->node->op, use->input);
        }
        f->counts[value->index] = counts;
    }
}

double formulas_bytes(const struct graph *graph)
{
    /* By value: its lists, and what is written of it at most, as a value and as a gradient on its way. */
    double each = sizeof(struct written) + sizeof(struct part) + sizeof(char *) + 1 + 5.0 * WRITTEN_MAX;
    return each * (double)graph->value_count;
}

struct formulas *formulas_new(struct arena *arena, const struct graph *graph, const struct formulas_names *names)
{
    struct formulas *f = arena_alloc(arena, sizeof *f);
    if (f == NULL) return NULL;
    *f = (struct formulas){.own_room.arena = arena, .graph = graph, .names = *names};
    f->room = &f->own_room;
    f->values = arena_zeroed(arena, graph->value_count, sizeof *f->values);
    f->gradients = arena_zeroed(arena, graph->value_count, sizeof *f->gradients);
    f->statements = arena_zeroed(arena, graph->value_count, sizeof *f->statements);
    f->counts = arena_zeroed(arena, graph->value_count, sizeof *f->counts);
    if (f->values == NULL || f->gradients == NULL || f->statements == NULL || f->counts == NULL) return NULL;
    for (size_t v = 0; v < graph->value_count; v++)
        if (graph->values[v]->made_by == NULL) f->values[v] = write_value(f, graph->values[v]);
    for (size_t i = 0; i < graph->node_count; i++)
        f->values[graph->nodes[i]->output->index] = write_value(f, graph->nodes[i]->output);
    find_what_counts(f);
    for (size_t i = graph->node_count; i-- > 0;)
        make_gradient(f, graph->nodes[i]->output);
    for (size_t v = 0; v < graph->value_count; v++)
        if (graph->values[v]->made_by == NULL) make_gradient(f, graph->values[v]);
    return f->own_room.failed ? NULL : f;
}

const char *formulas_value(const struct formulas *formulas, const struct value *value)
{
    return formulas->values[value->index].text;
}

const char *formulas_gradient(const struct formulas *formulas, const struct value *value)
{
    return formulas->statements[value->index];
}

const char *formulas_sent(const struct formulas *formulas, const struct node *node, size_t input)
{
    struct written_buffer buffer;
    enum written_level level;
    struct part part = sent(formulas, node, input, formulas->names.gradients[node->inputs[input]->index]);
    if (!part.known) return NULL;
    if (part.adds) return part.core.text;
    part = part_whole(formulas->room, &part, &node->inputs[input]->shape);
    return part_render(&part, &buffer, &level) ? part_keep(formulas->room, &buffer) : NULL;
}
