#include "server/report/landscape_json.h"

static void write_numbers(struct json *json, const char *name, size_t n, const double *numbers)
{
    json_key(json, name);
    json_tensor(json, 1, &n, numbers);
}

void landscape_report(struct text *text, const struct landscape_task *request, const struct plotted *plotted)
{
    const struct landscape *l = &request->landscape;
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    write_numbers(&json, "a", l->counts[0], l->at[0]);
    write_numbers(&json, "b", l->counts[1], l->at[1]);
    json_key(&json, "loss");
    json_tensor(&json, 2, (size_t[]){l->counts[1], l->counts[0]}, plotted->losses);
    json_key(&json, "path");
    if (plotted->path_points > 0)
        json_tensor(&json, 2, (size_t[]){plotted->path_points, 2}, plotted->path);
    else {
        json_open(&json, '[');
        json_close(&json, ']');
    }
    if (request->directions == DIRECTIONS_PCA) write_numbers(&json, "explained", 2, plotted->explained);
    json_member_text(&json, "device", l->problem.backend->device);
    json_member_text(&json, "dtype", dtype_names[request->dtype]);
    json_close(&json, '}');
    text_add(text, "\n");
}
