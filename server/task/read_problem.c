#include "server/task/read_problem.h"

#include "core/language/program.h"
#include "server/task/read_program.h"

bool problem_is_program(const json_t *root)
{
    return json_object_get(root, "program") != NULL;
}

int read_problem(struct members *r, struct document *document, const char *const *of_networks,
                 const char *const *of_programs, struct problem_set *set, bool *brief)
{
    const json_t *root = document->root;
    bool program = problem_is_program(root);
    if (members_known(r, root, program ? of_programs : of_networks) != CODE_OK) return r->error->code;
    if (program) return read_program(r, root, set, brief, &document->line, &document->column);
    *brief = false;
    return read_network(r, root, set) == CODE_OK ? read_batch(r, root, set) : r->error->code;
}

int problem_undecided(struct document *document, const struct problem_set *set, struct error *error)
{
    const struct program *program = set->network.program;
    if (program == NULL || program->evaluation.decided.line == 0) return CODE_OK;
    document->line = program->evaluation.decided.line;
    document->column = program->evaluation.decided.column;
    error_set(
        error, CODE_PROGRAM_ERROR,
        "line %zu, column %zu: the numbers of parameters decide what is computed here, and they change on the way",
        document->line, document->column);
    return error_at(error, "program");
}

int read_problem_numbers(struct members *r, const json_t *root, struct problem_set *set)
{
    if (set->network.program != NULL) return CODE_OK; /* they were read with it */
    return read_parameters(r, root, set) == CODE_OK ? read_data(r, root, set) : r->error->code;
}
