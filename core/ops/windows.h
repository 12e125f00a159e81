/* Windows that go over images, as columns with one window each, and back: what convolutions and pooling are made of. An
 * image is [channels, height, width]; one of a single axis has a height of 1. */
#ifndef CORE_OPS_WINDOWS_H
#define CORE_OPS_WINDOWS_H

#include "core/backend/generic.h"
#include "core/ops/op.h"

enum { WINDOW_AXES = 2 };

struct windows {
    size_t channels;
    size_t size[WINDOW_AXES];                                              /* of the image */
    size_t kernel[WINDOW_AXES], stride[WINDOW_AXES], padding[WINDOW_AXES]; /* padding on both sides */
    size_t count[WINDOW_AXES];                                             /* of windows */
};

/* The sizes that stand in an op's attributes from `at` on, for so many axes; `none` along the one that there is not. */
void windows_sizes(const double *at, size_t axes, size_t none, size_t sizes[WINDOW_AXES]);

/* [N, C, length] or [N, C, height, width] into the channels and the size; an error that says what the op takes. */
int windows_image(const struct op_shape *shape, size_t axes, struct windows *w, struct error *error);
/* The same of a shape that has been let pass. */
void windows_image_of(const struct shape *shape, struct windows *w);

/* How many windows there are, from all else, into w->count; an error where the padded image has no room for one. */
int windows_count(const struct op_shape *shape, size_t axes, struct windows *w, struct error *error);
/* The same where that has been let pass. */
void windows_count_of(struct windows *w);

/* Elements of an image; of it with its padding, 0 where there is none; of its columns: [channels * kernel, windows].
 * False where that is too much. */
bool windows_rooms(const struct windows *w, size_t *padded, size_t *columns);
size_t windows_image_elements(const struct windows *w);

static inline size_t windows_of_kernel(const struct windows *w)
{
    return w->kernel[0] * w->kernel[1];
}

static inline size_t windows_all(const struct windows *w)
{
    return w->count[0] * w->count[1];
}

/* Whether the columns are the image itself: each window is one element. */
bool windows_are_image(const struct windows *w);

/* The columns of an image around which stands `value`. The room `padded` is for an image with its padding; not asked
 * for where there is none. */
int windows_read(const struct backend *b, const struct windows *w, double value, const void *image, void *padded,
                 void *columns);
/* The image as the sum of what lies in its columns, and of `more`, NULL or one number by channel. */
int windows_sum(const struct backend *b, const struct windows *w, const void *more, const void *columns, void *padded,
                void *image);

/* The i-th sample of a tensor that has so many elements by sample. */
static inline void *windows_sample(const struct backend *b, const void *tensor, size_t i, size_t elements)
{
    return (char *)tensor + i * elements * b->element_size;
}

#endif
