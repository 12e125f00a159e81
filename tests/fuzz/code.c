#include "tests/fuzz/code.h"

#include <string.h>

#include "core/backward/backward.h"
#include "core/check/check.h"
#include "tests/fuzz/require.h"

static double numbers[] = {0.5, -0.25, 1, 2, -1.5, 0.75, 3, 0.125};
static double classes[] = {0, 1, 2, 1};

static const struct tensor tensors[] = {
    {.shape = {.rank = 2, .dim = {2, 3}}, .size = 6, .data = numbers},
    {.shape = {.rank = 1, .dim = {3}}, .size = 3, .data = numbers},
    {.shape = {.rank = 0}, .size = 1, .data = numbers},
    {.shape = {.rank = 2, .dim = {4, 2}}, .size = 8, .data = numbers},
    {.shape = {.rank = 1, .dim = {4}}, .size = 4, .data = classes},
};
static const char *const names[] = {"W", "b", "s", "x", "y"};
enum { INPUTS = CODE_INPUTS, PARAMETERS = 3 };

void code_inputs(struct program_input inputs[CODE_INPUTS])
{
    for (size_t i = 0; i < INPUTS; i++)
        inputs[i] = (struct program_input){.name = names[i], .tensor = &tensors[i], .parameter = i < PARAMETERS};
}

#define FORWARD "z = x @ W + b\nh = np.tanh(z) * s\nloss = np.mean(h**2)"

static double given_numbers[INPUTS][8];

static void check_events(const struct run *plain)
{
    for (size_t i = 0; plain->error.code == CODE_OK && i < plain->count; i++) {
        const struct event *event = &plain->events[i];
        require(event->statement < plain->syntax.statement_count, "an event of no statement");
        bool updated = event->behind != EVENT_NONE && plain->events[event->behind].updates;
        require(event->array->numbers != NULL || updated, "an event without numbers");
        require(event->before == EVENT_NONE || event->before < i, "an event before itself");
    }
}

int code_run(struct arena *arena, const char *text, size_t length)
{
    struct program_input inputs[INPUTS];
    struct program program = {0};
    struct network network;
    struct error error = {0};
    code_inputs(inputs);
    const struct program_request request = {.text = FORWARD,
                                            .length = sizeof FORWARD - 1,
                                            .inputs = inputs,
                                            .input_count = INPUTS,
                                            .allowance = program_brief_allowance};
    int code = program_build(arena, &request, &program, &network, &error);
    if (code != CODE_OK) return code;
    double **given = arena_zeroed(arena, network.graph.value_count, sizeof *given);
    if (given == NULL) return CODE_OUT_OF_MEMORY;
    for (size_t i = 0; i < INPUTS; i++) {
        memcpy(given_numbers[i], tensors[i].data, tensors[i].size * sizeof(double));
        given[inputs[i].value->index] = given_numbers[i];
    }
    program_give(&program, &network, given);
    struct check check = {.problem = {.network = &network,
                                      .loose = true,
                                      .backend = backend_cpu(DTYPE_FLOAT64),
                                      .given = given,
                                      .names = program.graded_names}};
    struct pass pass;
    code = problem_run(arena, &check.problem, check.problem.backend, &pass, &error);
    if (code != CODE_OK) return code;
    const struct known_code code_text = {.text = text, .length = length};
    const size_t graded = network.graded_count;
    double *points = arena_doubles(arena, graded);
    struct shape *shapes = arena_array(arena, graded, sizeof *shapes);
    struct backward *backward = arena_alloc(arena, sizeof *backward);
    struct report report = {0};
    if (backward == NULL || points == NULL || shapes == NULL) return CODE_OUT_OF_MEMORY;
    for (size_t i = 0; i < graded; i++) {
        points[i] = 1;
        shapes[i] = network.graded[i].value->shape;
    }
    code = backward_run(arena, &check, &pass, &code_text, 0.01, backward, &error);
    if (code != CODE_OK) return code;
    check_events(&backward->plain);
    check.points = points;
    check.problem.shapes = shapes;
    check.tolerance = (struct tolerance_rule){.plain = {.atol = 1e-6}};
    check.gradients = backward->gradients;
    struct reference reference;
    code = check_reference(arena, &check, &reference, &error);
    if (code == CODE_OK) code = check_judge(arena, &check, &reference, &report, &error);
    check_reference_free(&check, &reference);
    if (code == CODE_OK) code = backward_judge(arena, &check, backward, &report, &error);
    for (size_t i = 0; code == CODE_OK && i < backward->line_count; i++)
        require(backward->lines[i].mark == MARK_RIGHT || backward->lines[i].mark == MARK_UNUSED ||
                    backward->lines[i].message != NULL,
                "a line that is wrong, without a sentence");
    return code;
}
