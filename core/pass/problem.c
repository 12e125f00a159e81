#include "core/pass/problem.h"

int problem_pass(struct arena *arena, const struct problem *problem, const struct backend *backend, struct pass *pass,
                 struct error *error)
{
    const struct graph *graph = &problem->network->graph;
    int code = pass_new(arena, graph, backend, pass, error);
    pass->cancelled = problem->cancelled;
    for (size_t v = 0; code == CODE_OK && v < graph->value_count; v++)
        if (graph->values[v]->made_by == NULL)
            code = pass_set(pass, graph->values[v], problem_given(problem, graph->values[v]), error);
    return code;
}

int problem_run(struct arena *arena, const struct problem *problem, const struct backend *backend, struct pass *pass,
                struct error *error)
{
    int code = problem_pass(arena, problem, backend, pass, error);
    if (code == CODE_OK) code = pass_forward(pass, error);
    if (code == CODE_OK) code = pass_backward(pass, error);
    return code;
}
