/* Gradients as text while they are put together: numbers that they are multiplied by apart, and of numbers that are the
 * same along an axis only one. */
#ifndef CORE_GRAPH_PARTS_H
#define CORE_GRAPH_PARTS_H

#include "core/base/tensor.h"
#include "core/graph/written.h"

/* Where texts are kept. */
struct part_room {
    struct arena *arena;
    bool failed; /* memory was short: what is unknown is so for that, perhaps */
};

/* scale * core / divisor, where the core, with its own shape, is repeated as NumPy does to the shape of what it is the
 * gradient of; 1 where it is NULL. */
struct part {
    bool known;
    bool adds;         /* the core is a statement instead */
    const char *after; /* a statement that clears a part of it; NULL without one */
    double scale, divisor;
    struct written core;
    struct shape shape;
};

extern const struct part part_one, part_unknown;

/* The same with another core, which stays; unknown where that does not fit. */
struct part part_with(struct part_room *room, const struct part *part, const struct written_buffer *core,
                      enum written_level level);

/* The whole part as one formula; false where it is unknown or too long. */
bool part_render(const struct part *part, struct written_buffer *buffer, enum written_level *level);

/* With that shape, that of what it is the gradient of, where something is done to all of it. */
struct part part_whole(struct part_room *room, const struct part *part, const struct shape *shape);

/* What is left of a gradient of shape `from` for an input of shape `to` that was repeated to it: the sum over the axes
 * that it did not have. */
struct part part_summed(struct part_room *room, struct part part, const struct shape *from, const struct shape *to);

/* Adds one to another that differs from it in nothing but what it is multiplied by; false where it does in more, or
 * nothing would be left. */
bool part_merge(struct part *into, const struct part *more);

/* One more term of a sum that is being written. */
void part_add_term(struct written_buffer *sum, const struct part *part);

/* Two shapes that are repeated to each other, into *to; false where they cannot be. */
bool part_spread_shape(struct shape *to, const struct shape *with);

/* A text that stays; NULL where it did not fit into its buffer, or memory is short. */
const char *part_keep_text(struct part_room *room, const char *text, size_t length);
const char *part_keep(struct part_room *room, const struct written_buffer *buffer);

#endif
