#include "server/api/check_query.h"

#include <string.h>

#include "server/body/suggest.h"
#include "server/http/media_type.h"
#include "server/limits.h"

/* "json, text" */
static void list(struct text *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0) text_add(text, ", ");
        text_add(text, names[i]);
    }
}

/* A value that is none of those that there are. */
static int refuse(struct exchange *exchange, const char *name, const char *value, const char *const *known,
                  size_t count, struct error *error)
{
    struct text text;
    text_init(&text, &exchange->arena);
    list(&text, known, count);
    const char *nearest = suggest_name(value, known, count);
    if (nearest != NULL) text_format(&text, " (did you mean %s?)", nearest);
    if (text.failed) return error_out_of_memory(error);
    return error_set(error, CODE_QUERY_OUT_OF_RANGE, "%s is %.*s, it must be one of: %.*s", name, LIMIT_NAME,
                     value[0] != '\0' ? value : "empty", (int)text.length, text.data);
}

static int unknown_format(struct exchange *exchange, const char *name, struct error *error)
{
    const char *known[FORMATS_MAX];
    size_t count = 0;
    for (; formats[count].name != NULL; count++)
        known[count] = formats[count].name;
    return refuse(exchange, "format", name, known, count, error);
}

/* What asks for nothing that we have gets the usual one; what takes anything, as most clients say, does so at once. */
static const struct format *accepted(const struct exchange *exchange)
{
    const char *accept = exchange_header(exchange, "Accept");
    const struct format *found = formats;
    if (accept == NULL || strcmp(accept, "*/*") == 0) return found;
    for (const struct format *f = formats; f->name != NULL; f++)
        if (f->accepted && media_type_prefers(accept, f->media_type, found->media_type)) found = f;
    return found;
}

static int read_format(struct exchange *exchange, const char *name, struct check_query *query, struct error *error)
{
    query->format = formats_find(name);
    return query->format != NULL ? CODE_OK : unknown_format(exchange, name, error);
}

static int read_strict(const char *value, bool *strict, struct error *error)
{
    *strict = strcmp(value, "1") == 0 || strcmp(value, "true") == 0 || value[0] == '\0';
    if (*strict || strcmp(value, "0") == 0 || strcmp(value, "false") == 0) return CODE_OK;
    return error_set(error, CODE_QUERY_OUT_OF_RANGE, "strict is %.*s, it must be 1 or 0", LIMIT_NAME, value);
}

static int not_taken(struct exchange *exchange, const struct format *format, unsigned option, struct error *error)
{
    const char *takers[FORMATS_MAX];
    size_t count = 0;
    for (const struct format *f = formats; f->name != NULL; f++)
        if ((f->takes & 1U << option) != 0) takers[count++] = f->name;
    struct text text;
    text_init(&text, &exchange->arena);
    list(&text, takers, count);
    if (text.failed) return error_out_of_memory(error);
    return error_set(error, CODE_QUERY_OUT_OF_RANGE, "the format %s takes no %s; these do: %.*s", format->name,
                     format_options[option].name, (int)text.length, text.data);
}

static int read_option(struct exchange *exchange, const char *value, unsigned option, struct check_query *query,
                       struct error *error)
{
    const struct format_asked *asked = &format_options[option];
    if ((query->format->takes & 1U << option) == 0) return not_taken(exchange, query->format, option, error);
    query->options[option] = value;
    size_t length = strnlen(value, LIMIT_NAME + 1), count = 0;
    if (asked->choices == NULL && length > 0 && length <= LIMIT_NAME) return CODE_OK;
    if (asked->choices == NULL)
        return error_set(error, CODE_QUERY_OUT_OF_RANGE, "%s must have 1 to %d bytes", asked->name, LIMIT_NAME);
    for (; asked->choices[count] != NULL; count++)
        if (strcmp(asked->choices[count], value) == 0) return CODE_OK;
    return refuse(exchange, asked->name, value, asked->choices, count, error);
}

int check_query_read(struct exchange *exchange, struct check_query *query, struct error *error)
{
    *query = (struct check_query){.format = formats};
    bool empty = !exchange_has_query(exchange);
    const char *name = empty ? NULL : exchange_query(exchange, "format");
    if (name == NULL)
        query->format = accepted(exchange);
    else if (read_format(exchange, name, query, error) != CODE_OK)
        return error->code;
    for (unsigned option = 0; !empty && option < FORMAT_OPTIONS; option++) {
        const char *value = exchange_query(exchange, format_options[option].name);
        if (value != NULL && read_option(exchange, value, option, query, error) != CODE_OK) return error->code;
    }
    const char *strict = empty ? NULL : exchange_query(exchange, "strict");
    return strict != NULL ? read_strict(strict, &query->strict, error) : CODE_OK;
}
