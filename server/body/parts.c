#include "server/body/parts.h"

#include <string.h>

#include "server/body/files.h"
#include "server/limits.h"

static const char request_name[] = "request";

static bool is_request(const struct part *part)
{
    return part->name_length == sizeof request_name - 1 && memcmp(part->name, request_name, part->name_length) == 0;
}

static size_t member_length(const struct part *part)
{
    const char *dot = memchr(part->name, '.', part->name_length);
    return dot != NULL ? (size_t)(dot - part->name) : part->name_length;
}

/* ---- what is wrong, and where ---- */

/* Puts the part before what is wrong with the file that it holds. Of what is wrong with us no file is to blame. */
static int tell_part(struct reading *r, const struct part *part)
{
    struct error *error = r->error;
    char detail[ERROR_DETAIL_MAX];
    int code = error->code;
    if (code == CODE_OUT_OF_MEMORY || code == CODE_CANCELLED) return code;
    memcpy(detail, error->detail, sizeof detail);
    error->code = CODE_OK;
    return reading_refuse(r, code, "The file %.*s cannot be read: %s", reading_shown(part->name_length), part->name,
                          detail);
}

/* The steps to the member that a part stands for, in front of those inside of it. */
static int at_part(struct reading *r, const struct part *part)
{
    size_t length = member_length(part);
    const char *member = arena_text(r->arena, part->name, length);
    if (length < part->name_length) {
        const char *inner = arena_text(r->arena, part->name + length + 1, part->name_length - length - 1);
        if (inner != NULL) error_at(r->error, inner);
    }
    return member != NULL ? error_at(r->error, member) : r->error->code;
}

static int given_twice(struct reading *r, const struct part *part)
{
    reading_refuse(r, CODE_OUT_OF_RANGE, "%.*s is given twice: as a file, and in the JSON or as another file",
                   reading_shown(part->name_length), part->name);
    return at_part(r, part);
}

/* ---- parts ---- */

/* The object that the part adds a member to: the whole, or the member before its dot, which is made where it is not
 * there. */
static int find_object(struct reading *r, const struct part *part, json_t **object)
{
    size_t length = member_length(part);
    *object = r->document->root;
    if (length == part->name_length) return CODE_OK;
    const char *member = arena_text(r->arena, part->name, length);
    if (member == NULL) return reading_out_of_memory(r);
    json_t *found = json_object_get(*object, member);
    if (found != NULL && !json_is_object(found)) return given_twice(r, part);
    if (found != NULL) {
        *object = found;
        return CODE_OK;
    }
    json_t *made;
    if (reading_object(r, &made) != CODE_OK || reading_put(r, *object, part->name, length, made) != CODE_OK)
        return r->error->code;
    *object = made;
    return CODE_OK;
}

static int read_part(struct reading *r, const struct part *part)
{
    json_t *object, *value;
    size_t dot = member_length(part), begin = dot < part->name_length ? dot + 1 : 0;
    if (find_object(r, part, &object) != CODE_OK) return r->error->code;
    const char *name = arena_text(r->arena, part->name + begin, part->name_length - begin);
    if (name == NULL) return reading_out_of_memory(r);
    if (json_object_get(object, name) != NULL) return given_twice(r, part);
    if (files_read(r, part->bytes, part->length, &value) != CODE_OK) {
        tell_part(r, part);
        return at_part(r, part);
    }
    return reading_put(r, object, part->name + begin, part->name_length - begin, value);
}

static int read_request(struct reading *r, const struct part *parts, size_t count)
{
    const struct part *request = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!is_request(&parts[i])) continue;
        if (request != NULL) return error_set(r->error, CODE_OUT_OF_RANGE, "The part request is there twice.");
        request = &parts[i];
    }
    if (request == NULL)
        return error_set(r->error, CODE_MISSING_MEMBER,
                         "There is no part called request, which is to hold the JSON of the request.");
    int code = document_read(r->arena, request->bytes, request->length, r->cancelled, r->document, r->error);
    r->capacity = r->document->count;
    if (code != CODE_OK || json_is_object(r->document->root)) return code;
    return error_set(r->error, CODE_WRONG_TYPE, "the part request must be a JSON object");
}

int parts_read(struct reading *r, const struct part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!reading_is_text(parts[i].name, parts[i].name_length))
            return error_set(r->error, CODE_BAD_REQUEST, "The name of a part of the body is no UTF-8 text.");
    if (read_request(r, parts, count) != CODE_OK) return r->error->code;
    /* First whole members, then members of these: it does not matter in which order they came. */
    for (int dotted = 0; dotted < 2; dotted++)
        for (size_t i = 0; i < count; i++) {
            bool has_dot = member_length(&parts[i]) < parts[i].name_length;
            if (is_request(&parts[i]) || has_dot != dotted) continue;
            if (reading_look(r) != CODE_OK || read_part(r, &parts[i]) != CODE_OK) return r->error->code;
        }
    return CODE_OK;
}
