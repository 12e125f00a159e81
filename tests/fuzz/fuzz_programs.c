/* libFuzzer over program_build: any text is a program or has its fault, and what comes out holds together. A few
 * tensors are there to be read: parameters W [2,3], b [3], s, and data x [4,2], y [4]. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/language/program.h"
#include "tests/fuzz/code.h"
#include "tests/fuzz/holds.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define MEMORY ((size_t)512 << 20)

/* About half of the names, always the same. */
static bool is_wanted(void *context, const char *name)
{
    unsigned sum = 0;
    (void)context;
    for (; *name != '\0'; name++)
        sum = 31 * sum + (unsigned char)*name;
    return sum % 2 == 0;
}

static void check_fault(const struct program *program, const struct error *error, const char *text, size_t length)
{
    size_t lines = 1;
    require(error->detail[0] != '\0', "an error without a sentence");
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    const struct spot *fault = &program->reader.fault;
    require(fault->line <= lines, "a fault behind the end");
    require(fault->line == 0 || (fault->column >= 1 && fault->column <= length + 1), "a fault beside the line");
}

/* Nodes in the order in which they can be computed, and shapes that are as large as is said. */
static void check_network(const struct program *program, const struct network *network)
{
    const struct graph *graph = &network->graph;
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct node *node = graph->nodes[i];
        size_t size = 0;
        require(node->index == i, "a node's index");
        require(shape_size(&node->output->shape, &size) && size == node->output->size && size > 0, "a value's size");
        for (size_t k = 0; k < node->input_count; k++)
            if (node->inputs[k] != NULL && node->inputs[k]->made_by != NULL)
                require(node->inputs[k]->made_by->index < i, "a node before what it takes");
    }
    for (size_t p = 0; p < network->graded_count; p++)
        require(network->graded[p].value != NULL && program->graded_names[p] != NULL, "what is graded has a name");
}

static int build(struct arena *arena, const char *text, size_t length)
{
    struct program_input inputs[CODE_INPUTS];
    struct program program = {0};
    struct network network;
    struct error error = {0};
    const struct shape upstream = {.rank = 2, .dim = {4, 3}};
    bool arrives = length > 0 && text[length - 1] == '#'; /* with a gradient that arrives at the output */
    code_inputs(inputs);
    const struct program_request request = {.text = text,
                                            .length = length,
                                            .inputs = inputs,
                                            .input_count = CODE_INPUTS,
                                            .allowance = program_brief_allowance,
                                            .upstream = arrives ? &upstream : NULL,
                                            .wanted = is_wanted,
                                            .indexed = true};
    int code = program_build(arena, &request, &program, &network, &error);
    require(code == error.code, "another code than its error's");
    if (code != CODE_OK)
        check_fault(&program, &error, text, length);
    else
        check_network(&program, &network);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = malloc(length + 1);
    struct arena arena;
    require(text != NULL, "no memory");
    memcpy(text, bytes, length);
    text[length] = '\0';
    arena_init(&arena, MEMORY);
    int code = build(&arena, text, length);
    require(code != CODE_OUT_OF_MEMORY, "more memory than a program may take");
    arena_free(&arena);
    /* The same with hardly any memory: it fails cleanly or agrees. */
    arena_init(&arena, (size_t)(length > 0 ? bytes[length / 2] : 0) * 1024);
    int second = build(&arena, text, length);
    require(second == code || second == CODE_OUT_OF_MEMORY, "another answer with less memory");
    arena_free(&arena);
    arena_init(&arena, MEMORY);
    require(code_run(&arena, text, length) == CODE_OK, "code may be anything");
    arena_free(&arena);
    arena_init(&arena, (size_t)(length > 0 ? bytes[length / 2] : 0) * 1024);
    second = code_run(&arena, text, length);
    require(second == CODE_OK || second == CODE_OUT_OF_MEMORY, "another answer of code with less memory");
    arena_free(&arena);
    free(text);
    return 0;
}
