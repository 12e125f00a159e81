#include "server/api/landscape.h"

#include <math.h>

#include "core/base/clock.h"
#include "server/api/read_body.h"
#include "server/http/problem.h"
#include "server/http/timing.h"
#include "server/report/landscape_json.h"
#include "server/task/device.h"

/* From measure to run. */
struct landscape_state {
    struct landscape_task request;
    struct trained trained;
    struct plotted plotted;
    double read_seconds, compute_seconds;
};

int api_landscape_measure(struct exchange *exchange, struct load *load, struct error *error)
{
    double begun = clock_seconds();
    struct landscape_state *state = arena_zeroed(&exchange->arena, 1, sizeof *state);
    if (state == NULL) return error_out_of_memory(error);
    exchange->state = state;
    struct landscape_task *request = &state->request;
    int code = read_body(exchange, &request->document, error);
    request->brief = !exchange->on_worker;
    if (code == CODE_OK) code = landscape_task_measure(&exchange->arena, exchange->options, request, error);
    exchange->line = request->document.line;
    exchange->column = request->document.column;
    load->later = code == CODE_OK && request->brief;
    load->work = request->work;
    const struct device *device = device_asked(request->device);
    load->waits = device != NULL && device->waits;
    state->read_seconds = clock_seconds() - begun;
    return code;
}

/* Where the point is, and what leads there. */
static int find_center(struct exchange *exchange, struct landscape_state *state, struct error *error)
{
    struct landscape_task *request = &state->request;
    request->landscape.center = request->center;
    if (!request->trains) return CODE_OK;
    int code = train_run(&exchange->arena, &request->training, &state->trained, error);
    request->landscape.center = state->trained.parameters;
    return code;
}

static int find_directions(struct exchange *exchange, struct landscape_state *state, struct error *error)
{
    struct landscape_task *request = &state->request;
    struct landscape *l = &request->landscape;
    l->directions[0] = request->a;
    l->directions[1] = request->b;
    if (request->directions == DIRECTIONS_PCA)
        return landscape_pca(&exchange->arena, &l->problem, state->trained.path_points, request->training.path,
                             request->a, request->b, state->plotted.explained, error);
    if (request->directions == DIRECTIONS_GIVEN) return CODE_OK;
    bool drawn = landscape_random(&exchange->arena, &l->problem, l->center, request->seed, request->normalization,
                                  request->a, request->b);
    return drawn ? CODE_OK : error_out_of_memory(error);
}

/* Around a path goes a tenth of its extent more on both sides. */
static void reach_around(const double *coordinates, size_t count, double range[2])
{
    double least = coordinates[0], most = coordinates[0];
    for (size_t i = 1; i < count; i++) {
        least = fmin(least, coordinates[2 * i]);
        most = fmax(most, coordinates[2 * i]);
    }
    double more = 0.1 * (most - least);
    if (!(more > 0) || !isfinite(most - least)) return;
    range[0] = least - more;
    range[1] = most + more;
}

static int compute(struct exchange *exchange, struct landscape_state *state, struct error *error)
{
    struct landscape_task *request = &state->request;
    struct landscape *l = &request->landscape;
    struct plotted *plotted = &state->plotted;
    size_t n = request->resolution;
    int code = find_center(exchange, state, error);
    if (code == CODE_OK) code = find_directions(exchange, state, error);
    if (code != CODE_OK) return code;
    plotted->path_points = state->trained.path_points;
    plotted->path = arena_array(&exchange->arena, plotted->path_points, 2 * sizeof *plotted->path);
    plotted->losses = arena_array(&exchange->arena, n, n * sizeof *plotted->losses);
    if (plotted->path == NULL || plotted->losses == NULL) return error_out_of_memory(error);
    if (request->trains &&
        landscape_project(l, plotted->path_points, request->training.path, plotted->path, error) != CODE_OK)
        return error->code;
    for (size_t d = 0; d < 2; d++) {
        double *range = request->ranges[d];
        if (request->directions == DIRECTIONS_PCA && !request->ranged[d] && plotted->explained[d] > 0)
            reach_around(plotted->path + d, plotted->path_points, range);
        l->counts[d] = n;
        for (size_t i = 0; i < n; i++)
            l->at[d][i] = i == n - 1 ? range[1] : range[0] + (range[1] - range[0]) * ((double)i / (double)(n - 1));
    }
    return landscape_run(&exchange->arena, l, plotted->losses, error);
}

static int run(struct exchange *exchange, struct landscape_state *state, struct error *error)
{
    struct landscape_task *request = &state->request;
    double started = clock_seconds();
    request->landscape.problem.cancelled = &exchange->cancelled;
    if (landscape_task_read(&exchange->arena, request, error) != CODE_OK) return error->code;
    double read = clock_seconds();
    state->read_seconds += read - started;
    int code = compute(exchange, state, error);
    const struct backend *instead = device_instead(request->landscape.problem.backend, request->device, code);
    if (instead != NULL) {
        request->landscape.problem.backend = request->training.problem.backend = instead;
        exchange->again = true;
        *error = (struct error){0};
        code = compute(exchange, state, error);
    }
    state->compute_seconds = clock_seconds() - read;
    return code;
}

int api_landscape_run(struct exchange *exchange, struct error *error)
{
    struct landscape_state *state = exchange->state;
    int code = run(exchange, state, error);
    problem_explain_cancelled(exchange, error);
    if (code != CODE_OK) return error->code;
    double begun = clock_seconds();
    text_init(&exchange->answer, &exchange->arena);
    landscape_report(&exchange->answer, &state->request, &state->plotted);
    if (exchange->answer.failed) return error_out_of_memory(error);
    exchange->status = 200;
    exchange->content_type = "application/json";
    struct text timing;
    text_init(&timing, &exchange->arena);
    timing_add(&timing, "read", state->read_seconds);
    timing_add(&timing, "compute", state->compute_seconds);
    timing_add(&timing, "write", clock_seconds() - begun);
    timing_answer(exchange, &timing);
    return CODE_OK;
}
