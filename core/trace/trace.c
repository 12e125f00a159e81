#include "core/trace/trace.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/numbers.h"
#include "core/graph/formulas.h"
#include "core/language/calculation.h"
#include "core/language/program.h"

/* Operations, in those of a large product, of writing one node's formulas; of evaluating one formula. */
#define WORK_PER_NODE 2e4
#define WORK_PER_FORMULA 1e5

/* How far a formula may be off: of the largest number of the tensor, and of all gradients, where what is left over of
 * larger ones is next to nothing. */
#define TOLERATED 1e-8
#define TOLERATED_OF_ALL 1e-12

enum { NAME_ROOM = 160 };

/* What is at work. */
struct tracing {
    struct arena *arena;
    const struct problem *problem;
    const struct program *program;
    struct pass pass;
    const char **names, **gradient_names; /* by value of the graph */
    struct trace_value *all;              /* as the program has them */
    size_t count;
    struct known_numbers *known; /* values and gradients that have names, by name */
    struct allowance allowance;  /* of what evaluations may take, all together */
    bool short_of_memory;        /* one of them was */
    struct arena scratch;        /* what one of them makes */
    size_t known_count;
};

/* ---- which values there are ---- */

/* "dh[2]"; empty where it is too long for a formula, NULL where memory is short. */
static const char *named(struct arena *arena, const char *prefix, const char *name, size_t version)
{
    char text[NAME_ROOM];
    int length = version == SIZE_MAX ? snprintf(text, sizeof text, "%s%s", prefix, name)
                                     : snprintf(text, sizeof text, "%s%s[%zu]", prefix, name, version);
    if (length < 0 || (size_t)length >= sizeof text) return "";
    return arena_text(arena, text, (size_t)length);
}

/* What stands before a name in that of its gradient: d, unless the program has something else by the name that this
 * makes. NULL where all are taken. */
static const char *gradient_prefix(const struct program *program, const char *name, char *text)
{
    static const char *const prefixes[] = {"d", "dL_d", "grad_"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        int length = snprintf(text, NAME_ROOM, "%s%s", prefixes[i], name);
        if (length < 0 || length >= NAME_ROOM) return NULL;
        if (syntax_symbol(&program->syntax, text) == program->syntax.name_count) return prefixes[i];
    }
    return NULL;
}

static void add_known(struct tracing *t, const char *name, size_t version, const struct value *value,
                      const double *numbers)
{
    t->known[t->known_count++] = (struct known_numbers){
        .name = name, .length = strcspn(name, "["), .version = version, .shape = &value->shape, .numbers = numbers};
}

/* Gives a value its place in the trace, and its names; one that has them already goes by its first. */
static bool take(struct tracing *t, const struct value *value, const char *plain, size_t version, unsigned line)
{
    char text[NAME_ROOM];
    if (t->names[value->index] != NULL) return true;
    const char *name = named(t->arena, "", plain, version);
    if (name == NULL) return false;
    if (name[0] == '\0') return true;
    t->names[value->index] = name;
    add_known(t, name, version, value, t->pass.values[value->index]);
    t->all[t->count++] = (struct trace_value){.name = name, .value = value, .line = line};
    const char *prefix = value->differentiated ? gradient_prefix(t->program, plain, text) : NULL;
    if (prefix == NULL) return true;
    const char *gradient = named(t->arena, prefix, plain, version);
    if (gradient == NULL || gradient[0] == '\0') return gradient != NULL;
    t->gradient_names[value->index] = gradient;
    add_known(t, gradient, version, value, t->pass.gradients[value->index]);
    return true;
}

/* A name at work: which, and which of its versions. */
struct naming {
    size_t symbol, version, order;
};

static int compare_namings(const void *a, const void *b)
{
    const struct naming *left = a, *right = b;
    return (left->order > right->order) - (left->order < right->order);
}

/* What the program was given, then what it has assigned, as it came. */
static bool find_values(struct tracing *t)
{
    const struct program *program = t->program;
    struct naming *namings = arena_array(t->arena, program->evaluation.bound, sizeof *namings);
    size_t count = 0;
    if (namings == NULL) return false;
    for (size_t s = 0; s < program->syntax.name_count; s++)
        for (size_t v = 0; v < program->evaluation.names[s].count; v++)
            namings[count++] = (struct naming){s, v, program->evaluation.names[s].list[v].order};
    if (count > 1) qsort(namings, count, sizeof *namings, compare_namings);
    for (size_t i = 0; i < count; i++) {
        const struct naming *naming = &namings[i];
        const struct versions *versions = &program->evaluation.names[naming->symbol];
        const struct version *version = &versions->list[naming->version];
        const struct value *value = version->thing.kind == THING_ARRAY ? version->thing.array->value : NULL;
        size_t which = versions->count > 1 ? naming->version : SIZE_MAX;
        if (value != NULL && !take(t, value, program->syntax.names[naming->symbol], which, version->line)) return false;
    }
    const struct value *upstream = t->problem->network->target;
    return !program->has_upstream || take(t, upstream, "upstream", SIZE_MAX, 0);
}

/* ---- what is told of each ---- */

static void find_line(const struct program *program, struct trace_value *found)
{
    const char *at = program->syntax.text, *end = at + program->syntax.length, *stop;
    for (unsigned line = 1; line < found->line && at < end; at++)
        line += *at == '\n';
    stop = memchr(at, '\n', (size_t)(end - at));
    if (stop == NULL) stop = end;
    while (at < stop && (*at == ' ' || *at == '\t'))
        at++;
    while (stop > at && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r'))
        stop--;
    found->text = at;
    found->text_length = (size_t)(stop - at);
}

static int compare_lines(const void *a, const void *b)
{
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    return (left > right) - (left < right);
}

static bool find_uses(struct arena *arena, struct trace_value *found)
{
    const struct value *value = found->value;
    size_t *lines = arena_array(arena, value->use_count, sizeof *lines), count = 0;
    if (lines == NULL) return false;
    for (size_t u = 0; u < value->use_count; u++)
        if (value->uses[u].node->place.kind == PLACE_LINE) lines[count++] = value->uses[u].node->place.layer;
    if (count > 1) qsort(lines, count, sizeof *lines, compare_lines);
    found->uses = lines;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || lines[i] != found->uses[found->use_count - 1]) found->uses[found->use_count++] = lines[i];
    return true;
}

/* Whether what a formula gives is the gradient; NaNs are none. */
static bool is_right(size_t n, const double *made, const double *gradient, double largest_of_all)
{
    double off = TOLERATED * numbers_largest(n, gradient) + TOLERATED_OF_ALL * largest_of_all;
    for (size_t i = 0; i < n; i++)
        if (!(fabs(made[i] - gradient[i]) <= off)) return false;
    return true;
}

/* ---- formulas, evaluated ---- */

static int compare_known(const void *a, const void *b)
{
    const struct known_numbers *left = a, *right = b;
    return strcmp(left->name, right->name);
}

/* What goes by that name, of so many bytes; NULL where nothing does. */
static const struct known_numbers *find_known(const struct tracing *t, const char *name, size_t length)
{
    char text[NAME_ROOM];
    if (length >= sizeof text) return NULL;
    memcpy(text, name, length);
    text[length] = '\0';
    const struct known_numbers key = {.name = text};
    return bsearch(&key, t->known, t->known_count, sizeof *t->known, compare_known);
}

static bool is_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
}

enum { NAMES_MAX = 64 };

/* The names in a formula, h[2] before h, that stand for known numbers; their number, NAMES_MAX + 1 where they are more.
 */
static size_t find_names(const struct tracing *t, const char *formula, struct known_numbers *names)
{
    size_t count = 0;
    for (const char *at = formula, *end; *at != '\0'; at = end) {
        end = at + 1;
        if (!is_of_name(*at)) continue;
        while (is_of_name(*end))
            end++;
        if ((at > formula && at[-1] == '.') || (*at >= '0' && *at <= '9')) continue; /* np.exp, 1e-05 */
        size_t digits = *end == '[' ? strspn(end + 1, "0123456789") : 0;
        const struct known_numbers *known = NULL;
        if (digits > 0 && end[1 + digits] == ']') known = find_known(t, at, (size_t)(end - at) + digits + 2);
        if (known == NULL) known = find_known(t, at, (size_t)(end - at));
        bool new = known != NULL;
        for (size_t k = 0; new &&k < count; k++)
            new = names[k].name != known->name;
        if (new &&count == NAMES_MAX) return NAMES_MAX + 1;
        if (new) names[count++] = *known;
    }
    return count;
}

/* What a line makes of a value's gradient, with those numbers in place of the gradients of some values where `made` has
 * some: of number `which` 1, of the others 0. NULL where it cannot be evaluated. Stays until the next one. */
static const double *evaluate(struct tracing *t, const char *line, const struct value *value,
                              const struct value *const *made, size_t made_count, size_t which)
{
    static const double numbers[2] = {0, 1};
    struct known_numbers names[NAMES_MAX];
    const char *name = t->gradient_names[value->index];
    const struct known_numbers *wanted = name != NULL ? find_known(t, name, strlen(name)) : NULL;
    size_t count = find_names(t, line, names);
    if (wanted == NULL || count > NAMES_MAX) return NULL;
    for (size_t m = 0; m < made_count; m++)
        for (size_t k = 0; k < count; k++)
            if (names[k].name == t->gradient_names[made[m]->index]) names[k].numbers = &numbers[m == which];
    arena_reset(&t->scratch);
    return calculation_run(&t->scratch, line, names, count, wanted, &t->allowance, &t->short_of_memory);
}

static void tell_backward(struct tracing *t, const struct formulas *formulas, double largest, struct trace_value *found)
{
    const struct value *value = found->value;
    const char *line = formulas_gradient(formulas, value);
    const double *made = line != NULL ? evaluate(t, line, value, NULL, 0, 0) : NULL;
    if (made != NULL && is_right(value->size, made, t->pass.gradients[value->index], largest)) found->backward = line;
}

/* ---- the factors of the chain rule ---- */

/* Values with names that are made of one through values without; false where there are too many, or one is no number.
 */
static bool find_made(const struct tracing *t, const struct value *value, const struct value **made, size_t *count)
{
    enum { WAY_MAX = 64 };
    const struct value *way[WAY_MAX] = {value};
    size_t length = 1;
    *count = 0;
    for (size_t i = 0; i < length; i++)
        for (size_t u = 0; u < way[i]->use_count; u++) {
            const struct value *next = way[i]->uses[u].node->output;
            bool known = next->is_term || !next->differentiated;
            for (size_t k = 0; k < *count; k++)
                known = known || made[k] == next;
            if (known) continue;
            bool has_name = t->gradient_names[next->index] != NULL;
            if (next->size != 1 || (has_name ? *count == TRACE_MADE_MAX : length == WAY_MAX)) return false;
            if (has_name)
                made[(*count)++] = next;
            else
                way[length++] = next;
        }
    return true;
}

/* The derivative of one of them: what the formula of the gradient gives where its own gradient is 1 and all others' are
 * 0. The formula holds whatever comes back, as it is linear in that; of the loss itself there may be nothing to write.
 */
static void tell_factors(struct tracing *t, struct trace_value *found)
{
    const struct value *made[TRACE_MADE_MAX];
    size_t count;
    if (found->backward == NULL || found->value->size != 1 || !find_made(t, found->value, made, &count)) return;
    for (size_t m = 0; m < count; m++) {
        bool loss = made[m] == t->problem->network->output && !t->program->has_upstream;
        if (loss && count > 1) return; /* whose part cannot be told from others' */
        const double *factor = evaluate(t, found->backward, found->value, made, count, m);
        if (factor == NULL) return;
        found->made[found->made_count] = t->names[made[m]->index];
        found->derivatives[found->made_count++] = *factor;
    }
}

static int tell(struct tracing *t, struct trace *trace, struct error *error)
{
    const struct formulas_names names = {t->names, t->gradient_names, t->problem->given};
    const struct formulas *formulas = formulas_new(t->arena, &t->problem->network->graph, &names);
    double largest = 0;
    if (formulas == NULL) return error_out_of_memory(error);
    for (size_t i = 0; i < trace->count; i++) {
        const struct value *value = trace->values[i].value;
        const double *gradient = t->pass.gradients[value->index];
        if (gradient != NULL) largest = fmax(largest, numbers_largest(value->size, gradient));
    }
    for (size_t i = 0; i < trace->count; i++) {
        struct trace_value *found = &trace->values[i];
        const size_t index = found->value->index;
        found->gradient_name = t->gradient_names[index];
        if (found->line > 0) find_line(t->program, found);
        if (!find_uses(t->arena, found)) return error_out_of_memory(error);
        if (found->value->size <= TRACE_ELEMENTS_MAX) {
            found->numbers = t->pass.values[index];
            if (found->value->differentiated) found->gradient = t->pass.gradients[index];
        }
        if (found->value->differentiated) tell_backward(t, formulas, largest, found);
        tell_factors(t, found);
        if (t->short_of_memory) return error_out_of_memory(error);
        if (t->pass.cancelled != NULL && atomic_load_explicit(t->pass.cancelled, memory_order_relaxed))
            return error_set(error, CODE_CANCELLED, "the check was cancelled");
    }
    return CODE_OK;
}

int trace_run(struct arena *arena, const struct problem *problem, struct trace *trace, struct error *error)
{
    const struct graph *graph = &problem->network->graph;
    struct tracing t = {
        .arena = arena, .problem = problem, .program = problem->network->program, .allowance = program_allowance};
    size_t n = graph->value_count;
    *trace = (struct trace){.count = 0};
    t.names = arena_zeroed(arena, n, sizeof *t.names);
    t.gradient_names = arena_zeroed(arena, n, sizeof *t.gradient_names);
    t.all = arena_array(arena, n, sizeof *t.all);
    t.known = arena_array(arena, 2 * n, sizeof *t.known);
    if (t.names == NULL || t.gradient_names == NULL || t.all == NULL || t.known == NULL)
        return error_out_of_memory(error);
    if (problem_run(arena, problem, backend_cpu(DTYPE_FLOAT64), &t.pass, error) != CODE_OK) return error->code;
    if (!find_values(&t)) return error_out_of_memory(error);
    if (t.known_count > 1) qsort(t.known, t.known_count, sizeof *t.known, compare_known);
    trace->values = t.all;
    trace->count = t.count < TRACE_VALUES_MAX ? t.count : TRACE_VALUES_MAX;
    trace->left_out = t.count - trace->count;
    arena_init(&t.scratch, arena->limit - arena->held);
    int code = tell(&t, trace, error);
    arena_free(&t.scratch);
    return code;
}

double trace_work(const struct network *network)
{
    const struct graph *graph = &network->graph;
    double shown = graph->value_count < TRACE_VALUES_MAX ? (double)graph->value_count : TRACE_VALUES_MAX;
    return 3 * network->work + WORK_PER_NODE * (double)graph->node_count + WORK_PER_FORMULA * shown;
}

double trace_bytes(const struct network *network)
{
    const struct graph *graph = &network->graph;
    size_t elements;
    if (!pass_elements(graph, &elements)) return HUGE_VAL;
    /* The pass; what its formulas make anew, at most as much again for each of a few operators; the formulas. */
    return 8 * 4.0 * (double)elements + formulas_bytes(graph) + 512.0 * (double)graph->value_count;
}
