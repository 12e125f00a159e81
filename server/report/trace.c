#include "server/report/trace.h"

#include <stdio.h>
#include <string.h>

/* ---- JSON ---- */

static void write_tensor(struct json *json, const char *name, const struct shape *shape, const double *numbers)
{
    if (numbers == NULL) return;
    json_key(json, name);
    json_tensor(json, shape->rank, shape->dim, numbers);
}

static void write_value(struct json *json, const struct trace_value *value)
{
    const struct shape *shape = &value->value->shape;
    json_open(json, '{');
    json_member_text(json, "name", value->name);
    if (value->line > 0) {
        json_member_size(json, "line", value->line);
        json_key(json, "text");
        json_text_bytes(json, value->text, value->text_length);
    } else {
        json_member_nothing(json, "line");
    }
    json_key(json, "shape");
    json_open(json, '[');
    for (size_t i = 0; i < shape->rank; i++)
        json_size(json, shape->dim[i]);
    json_close(json, ']');
    write_tensor(json, "value", shape, value->numbers);
    if (value->gradient_name != NULL) json_member_text(json, "gradient_name", value->gradient_name);
    write_tensor(json, "gradient", shape, value->gradient);
    json_key(json, "uses");
    json_open(json, '[');
    for (size_t i = 0; i < value->use_count; i++)
        json_size(json, value->uses[i]);
    json_close(json, ']');
    if (value->backward != NULL) json_member_text(json, "backward", value->backward);
    if (value->made_count > 0) {
        json_key(json, "derivatives");
        json_open(json, '{');
        for (size_t i = 0; i < value->made_count; i++)
            json_member_number(json, value->made[i], value->derivatives[i]);
        json_close(json, '}');
    }
    json_close(json, '}');
}

void trace_report_json(struct json *json, const struct trace *trace)
{
    json_key(json, "trace");
    json_open(json, '[');
    for (size_t i = 0; i < trace->count; i++)
        write_value(json, &trace->values[i]);
    json_close(json, ']');
    if (trace->left_out > 0) json_member_size(json, "trace_not_listed", trace->left_out);
}

/* ---- text ---- */

/* Tensors of more elements are told by their shape. */
enum { TEXT_ELEMENTS_MAX = 16, WIDTH_MAX = 48 };

/* A tensor with six digits, as a notebook prints it. */
static void add_numbers(struct text *text, const struct shape *shape, size_t size, const double *numbers)
{
    char words[SHAPE_TEXT_MAX];
    if (numbers == NULL || size > TEXT_ELEMENTS_MAX) {
        text_format(text, "%s", shape_text(shape, words));
        return;
    }
    for (size_t i = 0; i < size; i++) {
        size_t opens = 0, block = 1;
        for (size_t axis = shape->rank; axis-- > 0;) {
            block *= shape->dim[axis];
            opens += i % block == 0;
        }
        if (i > 0) text_add(text, ", ");
        for (size_t o = 0; o < opens; o++)
            text_add(text, "[");
        text_format(text, "%.6g", numbers[i]);
        block = 1;
        for (size_t axis = shape->rank; axis-- > 0;) {
            block *= shape->dim[axis];
            if ((i + 1) % block == 0) text_add(text, "]");
        }
    }
}

static int width_of(size_t length)
{
    return length < WIDTH_MAX ? (int)length : WIDTH_MAX;
}

static void add_padded(struct text *text, const char *bytes, size_t length, int width)
{
    char line[256];
    snprintf(line, sizeof line, "%.*s", (int)(length < sizeof line ? length : sizeof line - 1), bytes);
    text_shown(text, line);
    for (int i = (int)length; i < width; i++)
        text_add(text, " ");
}

static void add_forward(struct text *text, const struct trace *trace)
{
    int width = 0;
    for (size_t i = 0; i < trace->count; i++)
        if (width_of(trace->values[i].text_length) > width) width = width_of(trace->values[i].text_length);
    text_add(text, "\nforward\n");
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_value *v = &trace->values[i];
        if (v->line > 0)
            text_format(text, "  %3u  ", v->line);
        else
            text_add(text, "       ");
        add_padded(text, v->line > 0 ? v->text : "", v->line > 0 ? v->text_length : 0, width);
        text_add(text, "  ");
        text_shown(text, v->name);
        text_add(text, " = ");
        add_numbers(text, &v->value->shape, v->value->size, v->numbers);
        text_add(text, "\n");
    }
}

static void add_backward(struct text *text, const struct trace *trace)
{
    int width = 0;
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_value *v = &trace->values[i];
        const char *line = v->backward != NULL ? v->backward : v->gradient_name;
        size_t length = line != NULL ? strlen(line) : 0;
        if (width_of(length) > width) width = width_of(length);
    }
    text_add(text, "\nbackward\n");
    for (size_t i = trace->count; i-- > 0;) {
        const struct trace_value *v = &trace->values[i];
        const char *line = v->backward != NULL ? v->backward : v->gradient_name;
        if (line == NULL) continue;
        if (v->line > 0)
            text_format(text, "  %3u  ", v->line);
        else
            text_add(text, "       ");
        add_padded(text, line, strlen(line), width);
        text_add(text, "  = ");
        add_numbers(text, &v->value->shape, v->value->size, v->gradient);
        for (size_t k = 0; k < v->made_count; k++) {
            text_add(text, k > 0 ? ", d" : "  where d");
            text_shown(text, v->made[k]);
            text_add(text, "/d");
            text_shown(text, v->name);
            text_format(text, " = %.6g", v->derivatives[k]);
        }
        text_add(text, "\n");
    }
}

void trace_report_text(struct text *text, const struct trace *trace)
{
    add_forward(text, trace);
    add_backward(text, trace);
    if (trace->left_out > 0) text_format(text, "  ... and %zu more values\n", trace->left_out);
}
