#include "server/report/autolab.h"

#define STAGE "Gradients"

/* What the page shows: each name with a mark, and a hint where it failed. */
static void write_presentation(struct json *json, struct verdicts *v)
{
    json_open(json, '{');
    json_member_text(json, "_presentation", "semantic");
    json_key(json, "stages");
    json_open(json, '[');
    json_text(json, STAGE);
    json_close(json, ']');
    json_key(json, STAGE);
    json_open(json, '{');
    for (size_t i = 0; i < v->graded; i++) {
        json_key(json, v->lines[i].title);
        json_open(json, '{');
        json_member_bool(json, "passed", v->lines[i].passed);
        if (!v->lines[i].passed) json_member_text(json, "hint", verdicts_reason(v, &v->lines[i], true));
        json_close(json, '}');
    }
    json_close(json, '}');
    json_close(json, '}');
}

static void write_scores(struct json *json, const struct verdicts *v)
{
    json_open(json, '{');
    json_key(json, "scores");
    json_open(json, '{');
    if (v->options[FORMAT_SCORES] != NULL)
        json_member_number(json, STAGE, v->points);
    else
        for (size_t i = 0; i < v->graded; i++)
            json_member_number(json, v->lines[i].title, v->lines[i].points);
    json_close(json, '}');
    json_close(json, '}');
}

void autolab_write(struct text *text, struct verdicts *v)
{
    struct json json;
    json_init(&json, text);
    write_presentation(&json, v);
    text_add(text, "\n");
    json_init(&json, text); /* a document of its own */
    write_scores(&json, v);
    text_add(text, "\n");
}
