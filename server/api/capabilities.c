#include "server/api/capabilities.h"

#include <math.h>

#include "core/check/check.h"
#include "core/diagnosis/diagnose.h"
#include "core/graph/initializer.h"
#include "core/ops/ops.h"
#include "core/train/train.h"
#include "server/report/formats.h"
#include "server/task/device.h"
#include "server/body/body.h"
#include "server/body/files.h"
#include "server/http/connections.h"
#include "server/limits.h"
#include "server/task/read_attributes.h"

static void write_names(struct json *json, const char *name, const char *const *names)
{
    json_key(json, name);
    json_open(json, '[');
    for (size_t i = 0; names[i] != NULL; i++)
        json_text(json, names[i]);
    json_close(json, ']');
}

static void write_attribute(struct json *json, const struct attribute *a)
{
    static const char *const kinds[] = {"integer", "number", "array", "boolean", "string", "integer"};
    json_open(json, '{');
    json_member_text(json, "name", a->name);
    json_member_text(json, "type", kinds[a->kind]);
    if (a->kind == ATTRIBUTE_SIZES) {
        json_key(json, "pair");
        json_bool(json, true);
    }
    json_key(json, "required");
    json_bool(json, a->required);
    if (a->kind == ATTRIBUTE_CHOICE) write_names(json, "choices", a->choices);
    bool has_default = !a->required && (!attribute_is_size(a) || a->fallback >= a->least);
    if (has_default) json_key(json, "default");
    if (has_default && a->kind == ATTRIBUTE_FLAG)
        json_bool(json, a->fallback > 0);
    else if (has_default && a->kind == ATTRIBUTE_CHOICE)
        json_text(json, a->choices[(size_t)a->fallback]);
    else if (has_default && a->kind == ATTRIBUTE_PAIR)
        json_tensor(json, 1, (size_t[]){2}, (double[]){a[0].fallback, a[1].fallback});
    else if (has_default)
        json_number(json, a->fallback);
    json_close(json, '}');
}

static void write_attributes(struct json *json, const struct attribute *list)
{
    json_key(json, "attributes");
    json_open(json, '[');
    for (size_t a = 0; attribute_stands(&list[a]); a++)
        if (list[a].name != NULL) write_attribute(json, &list[a]);
    json_close(json, ']');
}

/* How many values it takes. */
static void write_inputs(struct json *json, const struct op *op)
{
    size_t least, most;
    op_inputs(op, &least, &most);
    json_key(json, "inputs");
    json_open(json, '{');
    json_member_size(json, "least", least);
    json_member_size(json, "most", most < LIMIT_INPUTS ? most : LIMIT_INPUTS);
    json_close(json, '}');
}

static void write_ops(struct json *json, const char *name, enum op_kind kind)
{
    json_key(json, name);
    json_open(json, '[');
    for (size_t i = 0; ops[i] != NULL; i++) {
        if (ops[i]->kind != kind) continue;
        json_open(json, '{');
        json_member_text(json, "name", ops[i]->name);
        json_member_text(json, "summary", ops[i]->summary);
        write_attributes(json, ops[i]->attributes);
        if (kind == OP_LOSS)
            json_member_text(json, "target", loss_target(ops[i]));
        else
            write_inputs(json, ops[i]);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_optimizers(struct json *json)
{
    json_key(json, "optimizers");
    json_open(json, '[');
    for (size_t i = 0; optimizers[i] != NULL; i++) {
        json_open(json, '{');
        json_member_text(json, "name", optimizers[i]->name);
        json_member_text(json, "summary", optimizers[i]->summary);
        write_attributes(json, optimizers[i]->attributes);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_remarks(struct json *json)
{
    json_key(json, "health");
    json_open(json, '[');
    for (size_t i = 0; symptom_names[i] != NULL; i++) {
        json_open(json, '{');
        json_member_text(json, "id", symptom_names[i]);
        json_member_text(json, "summary", symptom_summaries[i]);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_mistakes(struct json *json)
{
    json_key(json, "mistakes");
    json_open(json, '[');
    for (size_t i = 0; mistakes[i] != NULL; i++) {
        json_open(json, '{');
        json_member_text(json, "id", mistakes[i]->id);
        json_member_text(json, "summary", mistakes[i]->summary);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_devices(struct json *json)
{
    json_key(json, "devices");
    json_open(json, '[');
    for (const struct device *d = devices; d->is_there != NULL; d++)
        if (d->is_there()) json_text(json, device_names[d - devices + 1]);
    json_close(json, ']');
}

static void write_formats(struct json *json)
{
    json_key(json, "formats");
    json_open(json, '[');
    for (const struct format *f = formats; f->name != NULL; f++)
        json_text(json, f->name);
    json_close(json, ']');
}

static void write_list(struct json *json, const char *name, const char *(*entry)(size_t i))
{
    json_key(json, name);
    json_open(json, '[');
    for (size_t i = 0; entry(i) != NULL; i++)
        json_text(json, entry(i));
    json_close(json, ']');
}

/* What a request may be sent as. */
static void write_bodies(struct json *json)
{
    json_key(json, "bodies");
    json_open(json, '{');
    write_list(json, "media_types", body_media_type);
    write_list(json, "codings", body_coding);
    write_list(json, "files", files_format);
    json_close(json, '}');
}

static void write_limits(struct json *json, const struct options *options)
{
    json_key(json, "limits");
    json_open(json, '{');
    json_member_number(json, "max_body_bytes", (double)options->max_body);
    json_member_number(json, "max_work_flops", options->max_work);
    json_member_number(json, "max_memory_bytes", (double)options_request_memory(options) / 2);
    json_member_number(json, "max_layers", LIMIT_LAYERS);
    json_member_number(json, "max_inputs", LIMIT_INPUTS);
    json_member_number(json, "max_data_members", LIMIT_FEEDS);
    json_member_number(json, "max_name_bytes", LIMIT_NAME);
    json_member_number(json, "max_depth", LIMIT_DEPTH);
    json_member_number(json, "max_points", TRAIN_POINTS_MAX);
    json_member_number(json, "max_resolution", LIMIT_RESOLUTION);
    json_member_number(json, "max_answer_numbers", LIMIT_ANSWER_NUMBERS);
    json_member_number(json, "max_path_points", LIMIT_PATH_POINTS);
    json_member_number(json, "max_svd_flops", LIMIT_SVD_WORK);
    json_member_number(json, "max_rank", TENSOR_RANK_MAX);
    json_member_number(json, "max_values", DOCUMENT_VALUES_MAX);
    json_member_number(json, "max_parts", LIMIT_PARTS);
    json_member_number(json, "max_entries", LIMIT_ENTRIES);
    json_member_number(json, "max_unexpected_listed", CHECK_UNEXPECTED_MAX);
    json_member_number(json, "max_connections", (double)connections_most());
    json_member_number(json, "max_queue", LIMIT_QUEUE);
    json_member_number(json, "header_seconds", LIMIT_HEADER_SECONDS);
    json_member_number(json, "body_seconds", LIMIT_BODY_SECONDS);
    json_member_number(json, "work_seconds", LIMIT_WORK_SECONDS);
    json_member_number(json, "diagnose_seconds", DIAGNOSE_SECONDS);
    json_member_number(json, "answer_seconds", LIMIT_ANSWER_SECONDS);
    json_member_number(json, "drain_seconds", LIMIT_DRAIN_SECONDS);
    json_close(json, '}');
}

int api_capabilities(struct exchange *exchange, struct error *error)
{
    (void)error;
    text_init(&exchange->answer, &exchange->arena);
    struct json json;
    json_init(&json, &exchange->answer);
    json_open(&json, '{');
    json_member_text(&json, "name", "gradcheckd");
    json_member_text(&json, "version", GRADCHECKD_VERSION);
    write_ops(&json, "layers", OP_LAYER);
    write_ops(&json, "activations", OP_ACTIVATION);
    write_ops(&json, "losses", OP_LOSS);
    write_names(&json, "reductions", reduction_names);
    write_names(&json, "conventions", convention_names);
    write_names(&json, "initializers", scheme_names);
    write_optimizers(&json);
    write_remarks(&json);
    write_mistakes(&json);
    write_devices(&json);
    write_names(&json, "dtypes", dtype_names);
    write_formats(&json);
    write_bodies(&json);
    json_member_bool(&json, "reveal", !exchange->options->no_reveal);
    json_member_bool(&json, "tokens", exchange->options->tokens[0] != '\0');
    write_limits(&json, exchange->options);
    json_close(&json, '}');
    text_add(&exchange->answer, "\n");
    exchange->status = 200;
    exchange->content_type = "application/json";
    return CODE_OK;
}
