#include "core/graph/parts.h"

#include <string.h>

#include "core/ops/writing.h"

const struct part part_one = {.known = true, .scale = 1, .divisor = 1}, part_unknown = {.known = false};

const char *part_keep_text(struct part_room *room, const char *text, size_t length)
{
    const char *kept = arena_text(room->arena, text, length);
    room->failed = room->failed || kept == NULL;
    return kept;
}

const char *part_keep(struct part_room *room, const struct written_buffer *buffer)
{
    return buffer->failed ? NULL : part_keep_text(room, buffer->text, buffer->length);
}

/* Two shapes that are repeated to each other; false where they cannot be. */
bool part_spread_shape(struct shape *to, const struct shape *with)
{
    struct shape longer = to->rank >= with->rank ? *to : *with;
    const struct shape shorter = to->rank >= with->rank ? *with : *to;
    for (size_t i = 0; i < shorter.rank; i++) {
        size_t *dim = &longer.dim[longer.rank - shorter.rank + i];
        if (*dim != shorter.dim[i] && *dim != 1 && shorter.dim[i] != 1) return false;
        if (*dim == 1) *dim = shorter.dim[i];
    }
    *to = longer;
    return true;
}

/* The whole part as one formula. */
bool part_render(const struct part *part, struct written_buffer *buffer, enum written_level *level)
{
    char scale[WRITING_NUMBER], divisor[WRITING_NUMBER];
    bool alone = part->core.text == NULL, divided = part->divisor != 1;
    writing_number(part->scale, scale);
    writing_number(part->divisor, divisor);
    written_begin(buffer);
    *level = alone ? (part->scale < 0 ? LEVEL_SIGN : LEVEL_ATOM) : part->core.level;
    if (alone) {
        written_add(buffer, "%s", scale);
    } else if (part->scale == -1 || part->scale == 1) {
        if (part->scale < 0) written_add(buffer, "-");
        written_add_within(buffer, &part->core, divided || part->scale < 0 ? LEVEL_PRODUCT : LEVEL_ANY);
        if (part->scale < 0 && part->core.level > LEVEL_SIGN) *level = LEVEL_SIGN;
    } else {
        written_add(buffer, "%s * ", scale);
        written_add_within(buffer, &part->core, LEVEL_PRODUCT);
        *level = LEVEL_PRODUCT;
    }
    if (divided) written_add(buffer, " / %s", divisor);
    if (divided || (part->scale < 0 && *level < LEVEL_PRODUCT)) *level = LEVEL_PRODUCT;
    return part->known && !buffer->failed;
}

struct part part_with(struct part_room *room, const struct part *part, const struct written_buffer *buffer,
                      enum written_level level)
{
    struct part made = *part;
    made.core = (struct written){part_keep(room, buffer), level};
    made.known = made.core.text != NULL;
    return made;
}

/* With the shape of what it is the gradient of, where something is done to all of it. */
struct part part_whole(struct part_room *room, const struct part *part, const struct shape *shape)
{
    struct written_buffer buffer;
    char words[WRITING_MAX / 2];
    if (!part->known || shape_equal(&part->shape, shape)) return *part;
    if (!writing_shape(shape, words)) return part_unknown;
    written_begin(&buffer);
    if (part->core.text == NULL)
        written_add(&buffer, "np.ones(%s)", words);
    else
        written_add(&buffer, "np.broadcast_to(%s, %s)", part->core.text, words);
    struct part made = part_with(room, part, &buffer, LEVEL_ATOM);
    made.shape = *shape;
    return made;
}

/* The sum over its first axes, which go, or over those listed, which stay with length 1. */
static struct part sum_over(struct part_room *room, const struct part *part, const size_t *axes, size_t count,
                            bool stay)
{
    struct written_buffer buffer;
    struct shape left = {0};
    written_begin(&buffer);
    written_add_within(&buffer, &part->core, LEVEL_ATOM);
    written_add(&buffer, ".sum(");
    if (stay || count < part->shape.rank) {
        written_add(&buffer, count > 1 ? "(" : "");
        for (size_t i = 0; i < count; i++)
            written_add(&buffer, i > 0 ? ", %zu" : "%zu", axes[i]);
        written_add(&buffer, "%s%s", count > 1 ? ")" : "", stay ? ", keepdims=True" : "");
    }
    written_add(&buffer, ")");
    for (size_t i = 0, next = 0; i < part->shape.rank; i++) {
        bool sums = next < count && axes[next] == i;
        next += sums;
        if (!sums || stay) left.dim[left.rank++] = sums ? 1 : part->shape.dim[i];
    }
    struct part made = part_with(room, part, &buffer, LEVEL_ATOM);
    made.shape = left;
    return made;
}

/* What is left of a gradient of that shape for an input that was repeated to it: the sum over the axes that it did not
 * have. Along an axis where the part is the same everywhere, it counts as often as that is long. */
struct part part_summed(struct part_room *room, struct part part, const struct shape *from, const struct shape *to)
{
    size_t axes[TENSOR_RANK_MAX], count = 0;
    if (!part.known || from->rank < to->rank) return part_unknown;
    const size_t gone = from->rank - to->rank, missing = from->rank - part.shape.rank;
    for (size_t axis = 0; axis < from->rank; axis++) {
        bool sums = axis < gone || (to->dim[axis - gone] == 1 && from->dim[axis] > 1);
        if (sums && (axis < missing || part.shape.dim[axis - missing] == 1)) part.scale *= (double)from->dim[axis];
    }
    for (size_t axis = missing; axis < gone; axis++)
        axes[count++] = axis - missing;
    if (count > 0) part = sum_over(room, &part, axes, count, false);
    const size_t ahead = to->rank - part.shape.rank;
    count = 0;
    for (size_t i = 0; part.known && i < part.shape.rank; i++)
        if (part.shape.dim[i] > 1 && to->dim[ahead + i] == 1) axes[count++] = i;
    return count > 0 ? sum_over(room, &part, axes, count, true) : part;
}

/* ---- sums ---- */

/* Parts that only differ in what they are multiplied by become one. */
bool part_merge(struct part *into, const struct part *more)
{
    bool same = into->divisor == more->divisor && shape_equal(&into->shape, &more->shape);
    if (!same || (into->core.text == NULL) != (more->core.text == NULL)) return false;
    if (into->core.text != NULL && strcmp(into->core.text, more->core.text) != 0) return false;
    if (into->scale + more->scale == 0) return false;
    into->scale += more->scale;
    return true;
}

/* One more term of a sum that is being written. */
void part_add_term(struct written_buffer *sum, const struct part *part)
{
    struct written_buffer buffer;
    struct part positive = *part;
    struct written term = {buffer.text, LEVEL_ATOM};
    bool minus = part->scale < 0 && sum->length > 0;
    if (minus) positive.scale = -part->scale;
    if (!part_render(&positive, &buffer, &term.level)) sum->failed = true;
    if (sum->length > 0) written_add(sum, minus ? " - " : " + ");
    written_add_within(sum, &term, minus ? LEVEL_PRODUCT : LEVEL_SUM);
}
