#include "server/report/lines.h"

#include <string.h>

static void write_text(struct json *json, const char *name, const char *text)
{
    if (text != NULL) json_member_text(json, name, text);
}

static void write_line(struct json *json, const struct backward_line *line)
{
    json_open(json, '{');
    json_member_size(json, "line", line->line);
    json_member_size(json, "column", line->column);
    json_member_text(json, "text", line->text);
    if (line->name != NULL)
        json_member_text(json, "name", line->name);
    else
        json_member_nothing(json, "name");
    json_member_text(json, "mark", mark_names[line->mark]);
    write_text(json, "gradient_of", line->gradient);
    if (line->scale != 1) json_member_number(json, "scale", line->scale);
    write_text(json, "message", line->message);
    write_text(json, "mistake", line->mistake);
    write_text(json, "should_be", line->should_be);
    if (line->together_count > 0) {
        json_key(json, "together_with");
        json_open(json, '[');
        for (size_t i = 0; i < line->together_count; i++)
            json_size(json, line->together[i]);
        json_close(json, ']');
    }
    json_close(json, '}');
}

void lines_report_json(struct json *json, const struct backward *backward)
{
    json_key(json, "lines");
    json_open(json, '[');
    for (size_t i = 0; i < backward->line_count; i++)
        write_line(json, &backward->lines[i]);
    json_close(json, ']');
    if (backward->stopped) json_member_text(json, "search", "stopped");
}

enum { LINE_WIDTH_MAX = 60 };

void lines_report_text(struct text *text, const struct backward *backward)
{
    static const char *const signs[] = {[MARK_RIGHT] = "\u2713",
                                        [MARK_WRONG] = "\u2717",
                                        [MARK_INHERITED] = "\u00b7",
                                        [MARK_FAULT] = "!",
                                        [MARK_UNUSED] = " "};
    text_add(text, "\nline by line\n");
    for (size_t i = 0; i < backward->line_count; i++) {
        const struct backward_line *line = &backward->lines[i];
        text_format(text, "  %s %4u  %-9s  ", signs[line->mark], line->line, mark_names[line->mark]);
        text_shown(text, line->text);
        text_add(text, "\n");
        bool says = line->message != NULL && line->mark != MARK_INHERITED;
        if (!says) continue;
        text_add(text, "           ");
        text_shown(text, line->message);
        text_add(text, "\n");
    }
}
