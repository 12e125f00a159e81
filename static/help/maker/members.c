#include "static/help/maker/members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "static/help/maker/html.h"

/* What a "$ref" points at; the schema itself where it has none. */
static const json_t *resolve(const json_t *description, const json_t *schema)
{
    static const char schemas[] = "#/components/schemas/";
    const char *reference = json_string_value(json_object_get(schema, "$ref"));
    if (reference == NULL || strncmp(reference, schemas, sizeof schemas - 1) != 0) return schema;
    const json_t *all = json_object_get(json_object_get(description, "components"), "schemas");
    return json_object_get(all, reference + sizeof schemas - 1);
}

/* A word of the member's own, or else of the schema that it refers to. */
static const json_t *word(const json_t *description, const json_t *member, const char *name)
{
    const json_t *own = json_object_get(member, name);
    return own != NULL ? own : json_object_get(resolve(description, member), name);
}

static void print_value(const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    if (text == NULL) return;
    fputs("<code>", stdout);
    html_text(text);
    fputs("</code>", stdout);
    free(text);
}

/* Of what kind a member is, as far as one word or the values allowed say it, and what it is without being given. */
static void print_kind(const json_t *description, const json_t *member, bool required)
{
    const json_t *values = word(description, member, "enum"), *fallback = word(description, member, "default"), *value;
    const char *type = json_string_value(word(description, member, "type"));
    const char *before = "";
    fputs(" <span class=\"quiet\">", stdout);
    size_t i;
    json_array_foreach(values, i, value)
    {
        fputs(i > 0 ? " or " : "", stdout);
        print_value(value);
        before = "; ";
    }
    if (values == NULL && type != NULL) {
        fputs(strcmp(type, "boolean") == 0 ? "true or false" : type, stdout);
        before = "; ";
    }
    if (required) printf("%srequired", before);
    if (!required && fallback != NULL) {
        printf("%swithout it ", before);
        print_value(fallback);
    }
    fputs("</span>", stdout);
}

static void print_member(const json_t *description, const char *group, const char *name, const json_t *member,
                         bool required)
{
    const char *text = json_string_value(word(description, member, "description"));
    printf("<dt id=\"%s.%s\"><code>%s</code>", group, name, name);
    print_kind(description, member, required);
    puts("</dt>\n<dd>");
    if (text != NULL) html_paragraphs(text);
    puts("</dd>");
}

static bool lists(const json_t *names, const char *name)
{
    size_t i;
    const json_t *one;
    json_array_foreach(names, i, one) if (strcmp(json_string_value(one), name) == 0) return true;
    return false;
}

bool members_print(const json_t *description, const char *name)
{
    const json_t *schemas = json_object_get(json_object_get(description, "components"), "schemas");
    const json_t *schema = json_object_get(schemas, name);
    json_t *properties = json_object_get(schema, "properties");
    if (properties == NULL) return false;
    puts("<dl class=\"members\">");
    for (void *i = json_object_iter(properties); i != NULL; i = json_object_iter_next(properties, i)) {
        const char *key = json_object_iter_key(i);
        print_member(description, name, key, json_object_iter_value(i),
                     lists(json_object_get(schema, "required"), key));
    }
    puts("</dl>");
    return true;
}

bool members_print_query(const json_t *description)
{
    const json_t *check = json_object_get(json_object_get(description, "paths"), "/v1/check");
    const json_t *parameters = json_object_get(json_object_get(check, "post"), "parameters"), *parameter;
    size_t i;
    puts("<dl class=\"members\">");
    json_array_foreach(parameters, i, parameter)
    {
        const char *name = json_string_value(json_object_get(parameter, "name"));
        const char *text = json_string_value(json_object_get(parameter, "description"));
        printf("<dt id=\"query.%s\"><code>%s</code>", name, name);
        print_kind(description, json_object_get(parameter, "schema"), false);
        puts("</dt>\n<dd>");
        html_paragraphs(text);
        puts("</dd>");
    }
    puts("</dl>");
    return json_array_size(parameters) > 0;
}
