#include "server/report/svd_json.h"

static void write_sizes(struct json *json, const char *name, size_t rank, const size_t *dim)
{
    json_key(json, name);
    json_open(json, '[');
    for (size_t i = 0; i < rank; i++)
        json_size(json, dim[i]);
    json_close(json, ']');
}

static void write_matrix(struct json *json, const char *name, size_t rows, size_t columns, const double *numbers)
{
    json_key(json, name);
    json_tensor(json, 2, (size_t[]){rows, columns}, numbers);
}

static void write_weight(struct json *json, const struct weight *weight)
{
    const struct svd *svd = &weight->svd;
    json_key(json, weight->name);
    json_open(json, '{');
    write_sizes(json, "shape", weight->tensor->shape.rank, weight->tensor->shape.dim);
    write_sizes(json, "matrix", 2, (size_t[]){weight->rows, weight->columns});
    json_key(json, "singular_values");
    json_tensor(json, 1, &svd->count, svd->values);
    json_member_size(json, "rank", svd_rank(svd));
    json_member_number(json, "condition_number", svd_condition(svd));
    if (svd->u != NULL) write_matrix(json, "U", svd->rows, svd->count, svd->u);
    if (svd->vh != NULL) write_matrix(json, "Vh", svd->count, svd->columns, svd->vh);
    json_close(json, '}');
}

void svd_report(struct text *text, const struct svd_task *request)
{
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    json_key(&json, "weights");
    json_open(&json, '{');
    for (size_t i = 0; i < request->count; i++)
        write_weight(&json, &request->weights[i]);
    json_close(&json, '}');
    json_key(&json, "skipped");
    json_open(&json, '[');
    for (size_t i = 0; i < request->skipped_count; i++)
        json_text(&json, request->skipped[i]);
    json_close(&json, ']');
    json_close(&json, '}');
    text_add(text, "\n");
}
