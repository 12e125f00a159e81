#include "server/report/train_json.h"

#include <math.h>

static void write_numbers(struct json *json, const char *name, size_t n, const double *numbers)
{
    json_key(json, name);
    json_tensor(json, 1, &n, numbers);
}

static void write_remark(struct json *json, const struct remark *remark)
{
    json_open(json, '{');
    json_member_text(json, "id", symptom_names[remark->symptom]);
    if (remark->layer == REMARK_NO_LAYER)
        json_member_nothing(json, "layer");
    else
        json_member_size(json, "layer", remark->layer);
    if (remark->line > 0) json_member_size(json, "line", remark->line);
    json_member_size(json, "epoch", remark->epoch);
    json_member_text(json, "message", remark->message);
    json_member_text(json, "hint", remark->hint);
    if (remark->units != NULL) {
        json_key(json, "units");
        json_open(json, '[');
        for (size_t i = 0; i < remark->unit_count; i++)
            json_size(json, remark->units[i]);
        json_close(json, ']');
    }
    json_close(json, '}');
}

static void write_health(struct json *json, const struct trained *trained)
{
    json_key(json, "health");
    json_open(json, '[');
    for (size_t i = 0; i < trained->remarks; i++)
        write_remark(json, &trained->health[i]);
    json_close(json, ']');
}

/* A tensor inside, in the layout of the convention. */
static void write_tensor(struct json *json, const char *name, const struct view *view, const double *inside)
{
    const double *out = inside;
    if (!view->same) {
        double *turned = arena_doubles(json->text->arena, view->size);
        if (turned == NULL) {
            json->text->failed = true;
            return;
        }
        view_export(view, inside, turned);
        out = turned;
    }
    json_key(json, name);
    json_tensor(json, view->shape.rank, view->shape.dim, out);
}

static void write_curve(struct json *json, const struct train_task *request, const struct curve *curve)
{
    json_key(json, "epochs");
    json_open(json, '[');
    for (size_t i = 0; i < curve->count; i++)
        json_size(json, curve->epochs[i]);
    json_close(json, ']');
    write_numbers(json, "loss", curve->count, curve->loss);
    if (curve->accuracy != NULL) write_numbers(json, "accuracy", curve->count, curve->accuracy);
    json_key(json, "gradient_norms");
    json_open(json, '{');
    for (size_t p = 0; p < request->set.network.parameter_count; p++)
        write_numbers(json, request->set.names[p], curve->count, curve->norms[p]);
    json_close(json, '}');
}

static void write_final(struct json *json, const struct train_task *request, const struct trained *trained)
{
    const struct problem_set *set = &request->set;
    struct view view = convention_samples(set->problem.convention, &set->network.output->shape);
    json_key(json, "final");
    json_open(json, '{');
    json_member_number(json, "loss", trained->loss);
    if (trained->curve.accuracy != NULL) json_member_number(json, "accuracy", trained->accuracy);
    if (set->network.program == NULL) write_tensor(json, "predictions", &view, trained->predictions);
    json_close(json, '}');
}

static void write_parameters(struct json *json, const struct problem_set *set, double *const *parameters)
{
    json_key(json, "parameters");
    json_open(json, '{');
    for (size_t p = 0; p < set->network.parameter_count; p++) {
        struct view view = convention_graded(set->problem.convention, &set->network.graded[p]);
        view.shape = set->shapes[p]; /* a bias as the request gave it */
        write_tensor(json, set->names[p], &view, parameters[p]);
    }
    json_close(json, '}');
}

/* values[i][j] is the output at the i-th y and the j-th x: a number, or a list where there are several outputs. */
static void write_boundary(struct json *json, const struct train_task *request, const double *values)
{
    const struct grid *grid = &request->boundary;
    const struct network *network = &request->set.network;
    const struct shape out = network_sample(network->output);
    size_t dim[TENSOR_RANK_MAX + 2] = {grid->resolution, grid->resolution}, rank = 2;
    bool several = network_sample_size(network, network->output) > 1;
    for (size_t i = 0; several && i < out.rank; i++)
        dim[rank++] = out.dim[i];
    json_key(json, "boundary");
    json_open(json, '{');
    write_numbers(json, "x", 2, grid->x);
    write_numbers(json, "y", 2, grid->y);
    json_member_size(json, "resolution", grid->resolution);
    json_key(json, "values");
    json_tensor(json, rank, dim, values);
    json_close(json, '}');
}

void train_report(struct text *text, const struct train_task *request, const struct trained *trained,
                  const double *boundary)
{
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    write_curve(&json, request, &trained->curve);
    write_final(&json, request, trained);
    write_parameters(&json, &request->set, trained->parameters);
    if (boundary != NULL) write_boundary(&json, request, boundary);
    write_health(&json, trained);
    json_member_text(&json, "device", request->training.problem.backend->device);
    json_member_text(&json, "dtype", dtype_names[request->dtype]);
    json_close(&json, '}');
}

void train_report_point(struct text *text, const struct train_task *request, const struct trained *trained, bool brief)
{
    const struct curve *curve = &trained->curve;
    size_t at = curve->count - 1;
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    json_member_size(&json, "epoch", curve->epochs[at]);
    json_member_number(&json, "loss", curve->loss[at]);
    if (curve->accuracy != NULL) json_member_number(&json, "accuracy", curve->accuracy[at]);
    if (!brief) {
        json_key(&json, "gradient_norms");
        json_open(&json, '{');
        for (size_t p = 0; p < request->set.network.parameter_count; p++)
            json_member_number(&json, request->set.names[p], curve->norms[p][at]);
        json_close(&json, '}');
        write_health(&json, trained);
    }
    json_close(&json, '}');
}
