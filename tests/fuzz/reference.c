#include "tests/fuzz/reference.h"

#include <stdio.h>
#include <string.h>

const char *const value_names[VALUES] = {"z", "h", "dz", "dh"};

enum { VALUE_NAME_MAX = 32 };

static const char *value_name(size_t k, size_t value, char *name)
{
    snprintf(name, VALUE_NAME_MAX, "%s%zu", value_names[value], k + 1);
    return name;
}

void reference_ask(struct text *text, const struct assignment *assignment, bool values)
{
    char name[VALUE_NAME_MAX];
    write_key(text, "gradients");
    text_add(text, "{");
    for (size_t p = 0; p < assignment->parameter_count; p++) {
        if (!assignment->parameters[p].feed) continue; /* of data, what is handed in is what is asked for */
        write_key(text, assignment->parameters[p].name);
        text_add(text, "0");
    }
    text_add(text, "}");
    if (values) {
        write_key(text, "intermediates");
        text_add(text, "{");
        for (size_t k = 0; k < assignment->numbered; k++)
            for (size_t value = 0; value < VALUES; value++) {
                write_key(text, value_name(k, value, name));
                text_add(text, "0");
            }
        text_add(text, "}");
    }
    text_add(text, ",\"reveal\":true,\"diagnose\":false");
}

/* Nested arrays in the order of their elements; false where there are more than there is room for. */
static bool read_nested(const json_t *value, size_t *count, double *to, bool *not_finite)
{
    size_t i;
    json_t *inner;
    if (json_is_array(value)) {
        json_array_foreach(value, i, inner) if (!read_nested(inner, count, to, not_finite)) return false;
        return true;
    }
    if (*count == ELEMENTS_MAX || !(json_is_number(value) || json_is_null(value))) return false;
    to[(*count)++] = json_number_value(value); /* null, of what is not finite, is 0 */
    *not_finite = *not_finite || json_is_null(value);
    return true;
}

/* A matrix of that size, which stands in the report the other way round where `turned`. */
static bool read_matrix(const json_t *value, size_t rows, size_t columns, bool turned, bool *not_finite,
                        struct matrix *matrix)
{
    double numbers[ELEMENTS_MAX] = {0};
    size_t count = 0;
    if (!json_is_array(value) || !read_nested(value, &count, numbers, not_finite) || count != rows * columns)
        return false;
    matrix->rows = rows;
    matrix->columns = columns;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            matrix->at[i * columns + j] = numbers[turned ? j * rows + i : i * columns + j];
    return true;
}

/* The shape of one sample in an array of them, whose batch axis is the last one in columns. */
static bool read_shape(const json_t *value, bool columns, struct sample *one)
{
    size_t dim[RANK_MAX + 1], axes = 0;
    for (; json_is_array(value); value = json_array_get(value, 0)) {
        if (axes == RANK_MAX + 1) return false;
        dim[axes++] = json_array_size(value);
    }
    if (axes == 0) return false;
    one->rank = axes - 1;
    memcpy(one->dim, dim + (columns ? 0 : 1), one->rank * sizeof *one->dim);
    return true;
}

static bool read_values(const json_t *root, const struct assignment *assignment, size_t k, struct reference *reference)
{
    const json_t *all = json_object_get(root, "reference_intermediates");
    bool columns = assignment->naming == NAMING_COLUMNS;
    char name[VALUE_NAME_MAX];
    for (size_t value = 0; value < VALUES; value++) {
        const json_t *given = json_object_get(all, value_name(k, value, name));
        if (!read_shape(given, columns, &reference->one[k])) return false;
        size_t size = sample_size(&reference->one[k]);
        if (!read_matrix(given, assignment->batch, size, columns, &reference->not_finite, &reference->values[k][value]))
            return false;
    }
    return true;
}

bool reference_read(const json_t *root, const struct assignment *assignment, bool values, struct reference *reference)
{
    const json_t *gradients = json_object_get(root, "reference");
    reference->not_finite = false;
    for (size_t p = 0; p < assignment->parameter_count; p++) {
        const struct parameter_made *parameter = &assignment->parameters[p];
        bool turned = parameter->feed ? assignment->naming == NAMING_COLUMNS
                                      : parameter->weight && assignment->naming != NAMING_NUMPY;
        if (!read_matrix(json_object_get(gradients, parameter->name), parameter->value.rows, parameter->value.columns,
                         turned, &reference->not_finite, &reference->gradients[p]))
            return false;
    }
    for (size_t k = 0; values && k < assignment->numbered; k++)
        if (!read_values(root, assignment, k, reference)) return false;
    return true;
}
