#include "server/task/read_submissions.h"

/* Why something is no tensor, for the student to read. */
static const char *flaw_of(const json_t *value, const struct numbers *numbers)
{
    if (numbers != NULL) return "its rows differ in length, or it has too many axes";
    if (json_is_array(value)) return "it holds something that is not a number";
    if (json_is_null(value)) return "it is null";
    if (json_is_string(value)) return "it is a string";
    if (json_is_boolean(value)) return "it is true or false";
    return "it is an object";
}

bool read_submission(struct members *r, const char *name, const json_t *value, struct submission *submission)
{
    *submission = (struct submission){.name = name};
    const struct numbers *numbers = document_numbers(r->document, value);
    if (numbers != NULL && !numbers->ragged) {
        submission->tensor = &numbers->tensor;
    } else if (numbers == NULL && json_is_number(value)) {
        struct tensor *scalar = arena_alloc(r->arena, sizeof *scalar);
        const struct shape shape = {.rank = 0};
        if (scalar == NULL || !tensor_new(r->arena, &shape, scalar)) return false;
        scalar->data[0] = json_number_value(value);
        submission->tensor = scalar;
    } else {
        submission->flaw = flaw_of(value, numbers);
    }
    return true;
}

/* The members of an object as submissions; whatever else it is holds none, and no list of them either: that is how
 * a report tells the two apart. */
int read_submissions(struct members *r, const json_t *object, struct submissions *submissions)
{
    *submissions = (struct submissions){0};
    if (!json_is_object(object)) return CODE_OK;
    size_t count = json_object_size(object);
    struct submission *items = arena_array(r->arena, count, sizeof *items);
    if (items == NULL) return members_out_of_memory(r);
    size_t i = 0;
    for (void *at = json_object_iter((json_t *)object); at != NULL && i < count;
         at = json_object_iter_next((json_t *)object, at))
        if (!read_submission(r, json_object_iter_key(at), json_object_iter_value(at), &items[i++]))
            return members_out_of_memory(r);
    *submissions = (struct submissions){.items = items, .count = count};
    return CODE_OK;
}
