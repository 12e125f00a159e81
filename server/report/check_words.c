/* What the formats of a report share: the words. */
#include "server/report/check_words.h"

#include <string.h>

#include "server/limits.h"

static const char *index_text(const struct shape *shape, size_t offset, char *text)
{
    struct shape index = {.rank = shape->rank};
    shape_index(shape, offset, index.dim);
    return shape_text(&index, text);
}

/* Of gradients that are wrong for no fault of the student's. */
static const char *const lost_to[] = {
    [LOST_NOT] = NULL,
    [LOST_IN_FLOAT32] = "float32 is not accurate enough for this gradient: compute it in float64",
    [LOST_IN_SATURATION] = "the output rounds to 0 or 1 and its gradient is lost: take the loss's and the last "
                           "activation's together, dz = y_hat - y (BCEWithLogitsLoss, CrossEntropyLoss)",
    [LOST_IN_SATURATION_OF_FLOAT32] =
        "in float32 the output rounds to 0 or 1 and its gradient is lost: take the loss's and the last activation's "
        "together, dz = y_hat - y (BCEWithLogitsLoss, CrossEntropyLoss), or compute it in float64",
    [LOST_AT_KINKS] = "some errors of the output are 0 but for rounding, and their signs decide this: compare at "
                      "parameters or targets where none is",
};

static void describe_tensor(struct text *to, const struct entry *entry, const struct tensor *student)
{
    char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
    const struct comparison *c = &entry->comparison;
    if (entry->verdict == VERDICT_MISMATCH && entry->lost != LOST_NOT)
        text_add(to, lost_to[entry->lost]);
    else if (entry->verdict == VERDICT_MISMATCH)
        text_format(to, "%zu of %zu elements differ, the most at %s", c->mismatches, student->size,
                    index_text(&student->shape, c->worst, a));
    else if (entry->verdict == VERDICT_SHAPE_MISMATCH)
        text_format(to, "shape %s was submitted, %s is needed", shape_text(&student->shape, a),
                    shape_text(&entry->shape, b));
    else if (entry->verdict == VERDICT_NOT_FINITE)
        text_format(to, "%zu of %zu elements are NaN or infinite, the first at %s", c->not_finite, student->size,
                    index_text(&student->shape, c->first_not_finite, a));
}

static void describe(struct text *to, const struct check *check, const struct entry *entry)
{
    if (entry->submission == NULL) /* An object without members has a list, of length 0. */
        text_add(to, check->gradients.items != NULL ? "not submitted" : "not submitted: gradients is not an object");
    else if (entry->verdict == VERDICT_UNEXPECTED && entry->nearest != NULL)
        text_format(to, "nothing of that name is asked for: did you mean %s?", entry->nearest);
    else if (entry->verdict == VERDICT_UNEXPECTED)
        text_add(to, "nothing of that name is asked for");
    else if (entry->submission->tensor == NULL)
        text_format(to, "not a tensor: %s", entry->submission->flaw);
    else
        describe_tensor(to, entry, entry->submission->tensor);
    if (entry->carried)
        text_format(to, "; it only follows from a mistake made elsewhere: %.6g of %.6g points", entry->points,
                    entry->max_points);
}

const char *check_report_detail(struct arena *arena, const struct check *check, const struct entry *entry)
{
    struct text text;
    text_init(&text, arena);
    describe(&text, check, entry);
    if (!text.failed && text.length == 0) return ""; /* what is right takes no memory */
    text_bytes(&text, "", 1);
    return text.failed ? NULL : text.data;
}

const char *check_report_name(struct arena *arena, const struct entry *entry)
{
    size_t length = strnlen(entry->name, LIMIT_NAME + 1);
    if (entry->expected || length <= LIMIT_NAME) return entry->name;
    length = LIMIT_NAME;
    while (length > 0 && ((unsigned char)entry->name[length] & 0xC0) == 0x80)
        length--; /* inside of a character */
    struct text text;
    text_init(&text, arena);
    text_bytes(&text, entry->name, length);
    text_bytes(&text, "...", sizeof "...");
    return text.failed ? NULL : text.data;
}
