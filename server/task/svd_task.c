#include "server/task/svd_task.h"

#include "server/body/members.h"
#include "server/limits.h"
#include "server/task/quota.h"
#include "server/text/number.h"

static int read_weight(struct members *r, const json_t *parameters, const char *name, struct svd_task *request)
{
    const struct tensor *tensor;
    if (members_tensor_or_number(r, parameters, name, &tensor) != CODE_OK) return r->error->code;
    if (tensor->size == 0) {
        error_set(r->error, CODE_OUT_OF_RANGE, "%.*s has no elements", LIMIT_NAME, name);
        return error_at(r->error, name);
    }
    if (tensor->shape.rank < 2) {
        request->skipped[request->skipped_count++] = name;
        return CODE_OK;
    }
    struct weight *weight = &request->weights[request->count++];
    *weight = (struct weight){.name = name, .tensor = tensor, .rows = tensor->shape.dim[0]};
    weight->columns = tensor->size / weight->rows;
    double work = svd_work((double)weight->rows, (double)weight->columns, request->vectors);
    if (work <= LIMIT_SVD_WORK) return CODE_OK;
    error_set(r->error, CODE_TOO_MUCH_WORK,
              "this matrix would take %.3g floating-point operations, which cannot be cancelled; the limit is %.3g",
              work, LIMIT_SVD_WORK);
    return error_at(r->error, name);
}

static int check_limits(const struct options *options, struct svd_task *request, struct error *error)
{
    double elements = 0, written = 0;
    for (size_t i = 0; i < request->count; i++) {
        double rows = (double)request->weights[i].rows, columns = (double)request->weights[i].columns;
        double least = rows < columns ? rows : columns;
        request->work += svd_work(rows, columns, request->vectors);
        elements += svd_elements(rows, columns, request->vectors);
        written += least + (request->vectors ? least * (rows + columns) : 0);
    }
    request->work += WORK_PER_NUMBER_WRITTEN * written;
    if (quota_work(options, "decomposition", request->work, error) != CODE_OK) return error->code;
    if (written > LIMIT_ANSWER_NUMBERS)
        return error_set(error, CODE_TOO_MUCH_WORK, "the answer would hold %.3g numbers, the limit is %.3g", written,
                         LIMIT_ANSWER_NUMBERS);
    return quota_memory(options, "decomposition", 8 * elements + 2 * NUMBER_TEXT_MAX * written, error);
}

int svd_task_read(struct arena *arena, const struct options *options, struct svd_task *request, struct error *error)
{
    static const char *const known[] = {"parameters", "vectors", NULL};
    struct members r = {.arena = arena, .document = &request->document, .error = error};
    const json_t *root = request->document.root, *parameters;
    if (!json_is_object(root)) return error_set(error, CODE_WRONG_TYPE, "the body must be a JSON object");
    if (members_known(&r, root, known) != CODE_OK) return error->code;
    if (members_object(&r, root, "parameters", REQUIRED, &parameters) != CODE_OK) return error->code;
    if (members_bool(&r, root, "vectors", OPTIONAL, &request->vectors) != CODE_OK) return error->code;
    size_t count = json_object_size(parameters);
    request->weights = arena_array(arena, count, sizeof *request->weights);
    request->skipped = arena_array(arena, count, sizeof *request->skipped);
    if (request->weights == NULL || request->skipped == NULL) return members_out_of_memory(&r);
    for (void *at = json_object_iter((json_t *)parameters); at != NULL;
         at = json_object_iter_next((json_t *)parameters, at))
        if (read_weight(&r, parameters, json_object_iter_key(at), request) != CODE_OK)
            return error_at(error, "parameters");
    if (request->count > 0) return check_limits(options, request, error);
    error_set(error, CODE_MISSING_MEMBER, "there is no matrix among the parameters: nothing has two axes");
    return error_at(error, "parameters");
}
