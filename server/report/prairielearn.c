#include "server/report/prairielearn.h"

#include <math.h>
#include <string.h>

/* Bytes: of all pictures, and of tests without them, beyond which one stands for the rest. */
enum { PICTURES_MAX = 255 << 10, TESTS_MAX = 600 << 10 };

/* Reasons that stand for all where nothing could be graded. */
enum { FORMAT_ERRORS_MAX = 20 };

/* ---- points ---- */

/* Beyond that no two digits behind the point are left to be rounded. */
#define WHOLE_FROM 1e15

/* The page rounds points to two digits before it compares them. */
static double rounded(double points)
{
    return round(points * 100) / 100;
}

/* A factor with which no points are so small that nothing lies between them and 0. */
static double scale_of(const struct verdicts *v)
{
    double least = 1, scale = 1;
    for (size_t i = 0; i < v->graded; i++)
        if (v->lines[i].max > 0) least = fmin(least, v->lines[i].max);
    while (least * scale < 0.1 && isfinite(v->max * scale * 10))
        scale *= 10;
    return scale;
}

/* Points that are not all look so when they are rounded, too. What is still nothing then, beside others that are worth
 * so much more, counts as that: 0 of 0 points is neither right nor wrong. */
static double shown(double points, double max)
{
    if (rounded(max) <= 0) return 0;
    if (points >= max || max >= WHOLE_FROM) return fmin(points, max);
    double cut = floor(points * 100) / 100;
    return cut < rounded(max) ? cut : fmax(rounded(max) - 0.01, 0);
}

/* ---- the picture of a matrix ---- */

/* A line for each run of wrong elements, in a picture that has a unit for an element. */
static void add_runs(struct text *text, const bool *wrong, size_t rows, size_t columns)
{
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            size_t begin = j;
            while (j < columns && wrong[i * columns + j])
                j++;
            if (j > begin) text_format(text, "M%zu,%zu.5h%zu", begin, i, j - begin);
        }
    }
}

/* As a data URL, in which only a few characters need to be escaped. */
static const char *picture_of(struct verdicts *v, const struct line *line)
{
    size_t rows = line->entry->shape.dim[0], columns = line->entry->shape.dim[1], any = 0;
    for (size_t i = 0; i < rows * columns; i++)
        any += line->entry->wrong[i];
    if (any == 0) return NULL;
    size_t side = rows > columns ? rows : columns, unit = side > 20 ? 4 : 12;
    struct text text;
    text_init(&text, v->arena);
    text_format(&text,
                "data:image/svg+xml,%%3Csvg%%20xmlns='http://www.w3.org/2000/svg'%%20width='%zu'%%20height='%zu'%%20"
                "viewBox='0%%200%%20%zu%%20%zu'%%3E%%3Crect%%20width='%zu'%%20height='%zu'%%20fill='%%23dfe6df'/%%3E"
                "%%3Cpath%%20stroke='%%23b3261e'%%20d='",
                columns * unit, rows * unit, columns, rows, columns, rows);
    add_runs(&text, line->entry->wrong, rows, columns);
    text_add(&text, "'/%3E%3C/svg%3E");
    return verdicts_text(v, &text);
}

/* Adds the bytes to *taken. */
static void write_picture(struct json *json, struct verdicts *v, const struct line *line, size_t *taken)
{
    size_t before = json->text->length;
    const char *url = line->entry->wrong != NULL && !line->passed ? picture_of(v, line) : NULL;
    struct text label;
    text_init(&label, v->arena);
    text_format(&label, "wrong elements of %s", line->title);
    if (url == NULL || *taken + strlen(url) + 2 * label.length > PICTURES_MAX) return;
    json_key(json, "images");
    json_open(json, '[');
    json_open(json, '{');
    json_member_text(json, "label", verdicts_text(v, &label));
    json_member_text(json, "url", url);
    json_close(json, '}');
    json_close(json, ']');
    *taken += json->text->length - before;
}

/* ---- the document ---- */

static void write_rest(struct json *json, struct verdicts *v, size_t from, double scale)
{
    double points = 0, max = 0;
    struct text name;
    text_init(&name, v->arena);
    text_format(&name, "%zu more", v->graded - from);
    for (size_t i = from; i < v->graded; i++) {
        points += v->lines[i].points * scale;
        max += v->lines[i].max * scale;
    }
    json_open(json, '{');
    json_member_text(json, "name", verdicts_text(v, &name));
    json_member_number(json, "points", shown(points, max));
    json_member_number(json, "max_points", shown(max, max));
    json_close(json, '}');
}

static void write_tests(struct json *json, struct verdicts *v)
{
    double scale = scale_of(v);
    size_t begun = json->text->length, pictures = 0;
    json_key(json, "tests");
    json_open(json, '[');
    for (size_t i = 0; i < v->graded; i++) {
        const struct line *line = &v->lines[i];
        if (json->text->length - begun - pictures > TESTS_MAX) {
            write_rest(json, v, i, scale);
            break;
        }
        json_open(json, '{');
        json_member_text(json, "name", line->title);
        json_member_number(json, "points", shown(line->points * scale, line->max * scale));
        json_member_number(json, "max_points", shown(line->max * scale, line->max * scale));
        json_member_text(json, "message", verdicts_reason(v, line, false));
        write_picture(json, v, line, &pictures);
        json_close(json, '}');
    }
    json_close(json, ']');
}

/* Whether anything that was handed in can be compared: shapes and NaN are graded. */
static bool is_gradable(const struct verdicts *v)
{
    for (size_t i = 0; i < v->graded; i++)
        if (v->lines[i].entry->verdict != VERDICT_MISSING && v->lines[i].entry->verdict != VERDICT_NOT_A_TENSOR)
            return true;
    return v->graded == 0;
}

static void write_errors(struct json *json, struct verdicts *v)
{
    json_key(json, "format_errors");
    json_open(json, '[');
    json_text(json, "Nothing that was handed in can be graded.");
    for (size_t i = 0; i < v->graded && i < FORMAT_ERRORS_MAX; i++) {
        struct text text;
        text_init(&text, v->arena);
        text_format(&text, "%s: %s", v->lines[i].title, verdicts_reason(v, &v->lines[i], true));
        json_text(json, verdicts_text(v, &text));
    }
    if (v->graded > FORMAT_ERRORS_MAX) {
        struct text text;
        text_init(&text, v->arena);
        text_format(&text, "and %zu more", v->graded - FORMAT_ERRORS_MAX);
        json_text(json, verdicts_text(v, &text));
    }
    json_close(json, ']');
}

void prairielearn_write(struct text *text, struct verdicts *v)
{
    bool gradable = is_gradable(v);
    struct json json;
    json_init(&json, text);
    json_open(&json, '{');
    json_member_bool(&json, "gradable", gradable);
    json_member_number(&json, "score", gradable ? v->score : 0);
    json_member_text(&json, "message", verdicts_summary(v));
    if (gradable)
        write_tests(&json, v);
    else
        write_errors(&json, v);
    json_close(&json, '}');
    text_add(text, "\n");
}
