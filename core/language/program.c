#include "core/language/program.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/language/compute.h"
#include "core/ops/ops.h"

#define PROGRAM_BYTES_MAX ((size_t)64 << 10)

const struct allowance program_allowance = {.steps = 1000000, .elements = (size_t)1 << 24, .work = 2e9},
                       program_brief_allowance = {.steps = 10000, .elements = 100000, .work = 1e6};

/* ---- what it reads ---- */

static enum number_type type_of(const struct program_input *input)
{
    if (input->parameter) return TYPE_FLOAT;
    for (size_t i = 0; i < input->tensor->size; i++) {
        double number = input->tensor->data[i];
        if (number != trunc(number)) return TYPE_FLOAT;
    }
    return TYPE_INT;
}

static int give_inputs(struct evaluation *e, const struct program_request *request)
{
    e->unused = arena_array(e->arena, request->input_count, sizeof *e->unused);
    if (e->unused == NULL) return evaluation_no_memory(e);
    e->spot.line = 0; /* of no line of the program */
    for (size_t i = 0; i < request->input_count; i++) {
        struct program_input *input = &request->inputs[i];
        struct error error;
        error_init(&error);
        int code = graph_give(e->graph, input->parameter ? VALUE_PARAMETER : VALUE_DATA, input->name,
                              &input->tensor->shape, input->name, &input->value, &error);
        if (code != CODE_OK) return error_set(e->reader->error, code, "%s", error.detail);
        if (input->wanted) input->value->differentiated = true;
        if (compute_remember(e, input->value, input->tensor->data) != CODE_OK) return evaluation_failed(e);
        size_t symbol = syntax_symbol(e->syntax, input->name);
        if (symbol == e->syntax->name_count) {
            e->unused[e->unused_count++] = input->name;
            continue;
        }
        struct array *array = array_given(e, input->value, type_of(input), NULL);
        if (array == NULL) return evaluation_no_memory(e);
        if (evaluation_bind(e, symbol, input->name, thing_array(array)) != CODE_OK) return evaluation_failed(e);
    }
    e->spot.line = 1;
    return CODE_OK;
}

/* ---- its loss ---- */

static int find_output(struct evaluation *e, const struct program_request *request, struct array **output)
{
    const char *name = request->output != NULL ? request->output : "loss";
    size_t symbol = syntax_symbol(e->syntax, name);
    char shape[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    if (symbol == e->syntax->name_count || e->names[symbol].count == 0)
        return error_set(
            e->reader->error, CODE_PROGRAM_ERROR,
            "the program computes nothing that is called %.80s: name its loss so, or say by \"output\" what "
            "it is called",
            name);
    const struct version *last = &e->names[symbol].list[e->names[symbol].count - 1];
    e->spot = (struct spot){last->line > 0 ? last->line : 1, 1};
    if (array_of(e, &last->thing, output) != CODE_OK) return evaluation_failed(e);
    if (array_settle(e, *output) != CODE_OK) return evaluation_failed(e);
    if (request->upstream == NULL && (*output)->size != 1)
        return evaluation_fault(
            e, "%s has shape %s: it must be one number, or data.upstream the gradient that arrives there", name,
            shape_text(&(*output)->shape, shape));
    if (request->upstream != NULL && !shape_equal(request->upstream, &(*output)->shape))
        return evaluation_fault(e, "%s has shape %s, but data.upstream has %s", name,
                                shape_text(&(*output)->shape, shape), shape_text(request->upstream, other));
    if ((*output)->value == NULL || !(*output)->value->differentiated)
        return evaluation_fault(e, "%s does not depend on anything whose gradient is graded", name);
    return CODE_OK;
}

/* sum(output * upstream): what a network is that ends with a gradient that arrives. */
static int add_loss(struct evaluation *e, struct program *program, struct array *output, struct network *network)
{
    struct error error;
    error_init(&error);
    struct layer *loss = &program->definition.loss;
    struct op_plan plan;
    *loss = (struct layer){.op = ops_find("upstream", true)};
    loss->attributes[LOSS_REDUCTION] = REDUCTION_SUM;
    loss->attributes[LOSS_SCALE] = 1;
    network->output = output->value;
    int code = graph_give(e->graph, VALUE_DATA, "upstream", &output->shape, "upstream", &network->target, &error);
    if (code != CODE_OK) return error_set(e->reader->error, code, "%s", error.detail);
    struct value *inputs[] = {network->output, network->target};
    const struct shape *shapes[] = {&output->shape, &output->shape};
    const struct op_shape shape = {.op = loss->op, .attributes = loss->attributes, .count = 2, .in = shapes};
    op_no_plan(&plan);
    code = loss->op->plan(&shape, &plan, &error);
    if (code == CODE_OK)
        code = graph_apply(e->graph, loss->op, loss->attributes, inputs, 2, &plan, (struct place){.kind = PLACE_LOSS},
                           &network->loss, &error);
    if (code != CODE_OK) return error_set(e->reader->error, code, "%s", error.detail);
    return graph_add_term(e->graph, network->loss->output) ? CODE_OK : evaluation_no_memory(e);
}

/* ---- what is graded ---- */

/* A value of the program that is wanted, in the order in which the program makes them. */
struct wanted {
    struct value *value;
    const char *name;
    unsigned line;
};

static int compare_wanted(const void *a, const void *b)
{
    const struct wanted *left = a, *right = b;
    return (left->value->index > right->value->index) - (left->value->index < right->value->index);
}

/* The value of a version, if the program has computed it. */
static struct value *computed(const struct version *version)
{
    struct value *value = version->thing.kind == THING_ARRAY ? version->thing.array->value : NULL;
    return value != NULL && value->made_by != NULL && value->differentiated ? value : NULL;
}

enum { WANTED_FIRST = 16 };

static bool add_wanted(struct arena *arena, const struct value *value, const char *name, unsigned line,
                       struct wanted **list, size_t *count, size_t *room)
{
    struct wanted *larger = arena_grow(arena, *list, *count, room, sizeof *larger, WANTED_FIRST);
    if (larger == NULL) return false;
    *list = larger;
    (*list)[(*count)++] = (struct wanted){.value = (struct value *)(uintptr_t)value, .name = name, .line = line};
    return true;
}

/* The name "h[2]" of a version where that is wanted, else NULL into *asked; false where memory is short. */
static bool find_indexed(struct evaluation *e, const struct program_request *request, const char *name, size_t version,
                         const char **asked)
{
    enum { INDEX_ROOM = 24 };
    char *indexed = arena_alloc(e->arena, strlen(name) + INDEX_ROOM);
    if (indexed == NULL) return false;
    snprintf(indexed, strlen(name) + INDEX_ROOM, "%s[%zu]", name, version);
    *asked = request->wanted(request->context, indexed) ? indexed : NULL;
    return true;
}

static bool find_wanted(struct evaluation *e, const struct program_request *request, struct wanted **list,
                        size_t *count)
{
    size_t room = 0;
    bool *taken = arena_zeroed(e->arena, e->graph->value_count, sizeof *taken); /* a value has one name in the report */
    *list = NULL;
    *count = 0;
    if (taken == NULL) return false;
    for (size_t s = 0; request->wanted != NULL && s < e->syntax->name_count; s++) {
        const struct versions *versions = &e->names[s];
        const char *name = e->syntax->names[s];
        for (size_t v = 0; v < versions->count; v++) {
            const struct value *value = computed(&versions->list[v]);
            bool last = v + 1 == versions->count;
            const char *asked = last && request->wanted(request->context, name) ? name : NULL;
            if (value == NULL || taken[value->index]) continue;
            if (asked == NULL && request->indexed && !find_indexed(e, request, name, v, &asked)) return false;
            if (asked == NULL) continue;
            taken[value->index] = true;
            if (!add_wanted(e->arena, value, asked, versions->list[v].line, list, count, &room)) return false;
        }
    }
    if (*count > 1) qsort(*list, *count, sizeof **list, compare_wanted);
    return true;
}

static int list_graded(struct evaluation *e, const struct program_request *request, struct program *program,
                       struct network *network)
{
    struct wanted *wanted;
    size_t count, n = 0;
    if (!find_wanted(e, request, &wanted, &count)) return evaluation_no_memory(e);
    size_t most = request->input_count + count;
    network->graded = arena_zeroed(e->arena, most, sizeof *network->graded);
    program->graded_names = arena_array(e->arena, most, sizeof *program->graded_names);
    program->graded_lines = arena_zeroed(e->arena, most, sizeof *program->graded_lines);
    if (network->graded == NULL || program->graded_names == NULL || program->graded_lines == NULL)
        return evaluation_no_memory(e);
    for (size_t i = 0; i < request->input_count; i++) {
        const struct program_input *input = &request->inputs[i];
        bool meant = input->wanted &&
                     (request->wanted_data == NULL || request->wanted_data(request->context, input->name, e->syntax));
        if (!input->parameter && !meant) continue;
        network->parameter_count += input->parameter;
        if (input->parameter) network->parameter_elements += input->value->size;
        program->graded_names[n] = input->name;
        network->graded[n++].value = input->value;
    }
    for (size_t i = 0; i < count; i++) {
        program->graded_names[n] = wanted[i].name;
        program->graded_lines[n] = wanted[i].line;
        network->graded[n++].value = wanted[i].value;
    }
    network->graded_count = n;
    return CODE_OK;
}

/* Values get the names under which the program has them last. */
static void name_values(struct evaluation *e)
{
    for (size_t s = 0; s < e->syntax->name_count; s++)
        for (size_t v = 0; v < e->names[s].count; v++) {
            const struct thing *thing = &e->names[s].list[v].thing;
            if (thing->kind == THING_ARRAY && thing->array->value != NULL && thing->array->value->name == NULL)
                thing->array->value->name = e->syntax->names[s];
        }
}

static const struct value *find_named(const struct network *network, const char *name)
{
    return program_find(network->program, name);
}

int program_build(struct arena *arena, const struct program_request *request, struct program *program,
                  struct network *network, struct error *error)
{
    struct array *output = NULL;
    *program = (struct program){.reader = {.arena = arena, .error = error}, .has_upstream = request->upstream != NULL};
    *network = (struct network){.definition = &program->definition, .batch = 1, .program = program, .find = find_named};
    if (request->length > PROGRAM_BYTES_MAX)
        return error_set(error, CODE_PROGRAM_ERROR, "the program has %zu bytes; %zu are the most", request->length,
                         PROGRAM_BYTES_MAX);
    if (syntax_read(&program->reader, request->text, request->length, &program->syntax) != CODE_OK) return error->code;
    graph_begin(arena, &network->graph);
    struct evaluation *e = &program->evaluation;
    *e = (struct evaluation){.reader = &program->reader,
                             .arena = arena,
                             .syntax = &program->syntax,
                             .graph = &network->graph,
                             .left = request->allowance,
                             .wanted = request->wanted,
                             .context = request->context,
                             .spot = {1, 1}};
    e->names = arena_zeroed(arena, program->syntax.name_count, sizeof *e->names);
    if (e->names == NULL) return text_no_memory(&program->reader);
    int code = give_inputs(e, request);
    if (code == CODE_OK) code = evaluation_run(e, &program->syntax.body);
    if (code == CODE_OK) code = find_output(e, request, &output);
    if (code == CODE_OK && output != NULL) code = add_loss(e, program, output, network);
    if (code == CODE_OK) code = list_graded(e, request, program, network);
    if (code != CODE_OK) return code;
    name_values(e);
    network->work = network->graph.work;
    return graph_finish(&network->graph) ? CODE_OK : text_no_memory(&program->reader);
}

/* ---- once it is there ---- */

struct value *program_find(const struct program *program, const char *name)
{
    const struct syntax *syntax = &program->syntax;
    size_t length = strcspn(name, "["), symbol = 0, which;
    char *end = NULL;
    while (symbol < syntax->name_count &&
           (strncmp(syntax->names[symbol], name, length) != 0 || syntax->names[symbol][length] != '\0'))
        symbol++;
    if (symbol == syntax->name_count || program->evaluation.names[symbol].count == 0) return NULL;
    const struct versions *versions = &program->evaluation.names[symbol];
    which = versions->count - 1;
    if (name[length] == '[') {
        which = strtoul(name + length + 1, &end, 10);
        if (end == name + length + 1 || strcmp(end, "]") != 0 || which >= versions->count) return NULL;
    }
    const struct thing *thing = &versions->list[which].thing;
    return thing->kind == THING_ARRAY ? thing->array->value : NULL;
}

void program_give(const struct program *program, const struct network *network, double **given)
{
    static double one = 1;
    for (size_t i = 0; i < program->evaluation.constant_count; i++) {
        const struct constant *constant = &program->evaluation.constants[i];
        given[constant->value->index] = (double *)(uintptr_t)constant->numbers;
    }
    if (given[network->target->index] == NULL && network->target->size == 1) given[network->target->index] = &one;
}
