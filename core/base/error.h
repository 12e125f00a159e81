/* What can go wrong in the core, and how it is told. */
#ifndef CORE_BASE_ERROR_H
#define CORE_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Functions that can fail return one of these; 0 is success. Who uses the core adds codes from CODE_CORE_END on. */
enum code {
    CODE_OK = 0,
    /* what is wrong with what was asked for */
    CODE_SHAPE_MISMATCH,
    CODE_NOT_FINITE,
    CODE_OUT_OF_RANGE,
    CODE_PROGRAM_ERROR,
    /* what is wrong with us */
    CODE_OUT_OF_MEMORY,
    CODE_CANCELLED,
    CODE_DEVICE,
    CODE_CORE_END
};

enum { ERROR_DETAIL_MAX = 512, ERROR_NAMES_MAX = 512, ERROR_STEPS_MAX = 72 };

/* The first error of a request. Owned by the caller, who sets it to {0}, or by error_init. */
struct error {
    int code;
    char detail[ERROR_DETAIL_MAX]; /* one sentence for a person, UTF-8 */
    /* The way to what is wrong, from the innermost step outwards; without steps it is the whole. For error_step_at. */
    struct {
        bool named;
        size_t number; /* the index of an element, or where in `names` the name of a member begins */
    } steps[ERROR_STEPS_MAX];
    size_t step_count, names_length;
    char names[ERROR_NAMES_MAX];
};

/* No error yet: as {0}, without two kilobytes of zeros that nobody reads. */
void error_init(struct error *error);

/* Sets code and detail (printf) unless an error stands there already; the first one wins. Returns
 * error->code. */
int error_set(struct error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* CODE_OUT_OF_MEMORY, where there is no more to say. */
int error_out_of_memory(struct error *error);

/* Puts a step in front of the way to what is wrong: error_at(e, "layers"), error_at_index(e, 3). Each level of a reader
 * adds its own step on the way out, so that no reader has to know where it stands. The name is copied. Where there is
 * no room for one more step, those inside of it go: the way ends early, but never leads elsewhere. Return error->code.
 */
int error_at(struct error *error, const char *name);
int error_at_index(struct error *error, size_t index);

/* A step: into the member of that name, or, where that is NULL, to the element of that index. */
struct error_step {
    const char *name; /* in the error */
    size_t index;
};

/* The i-th step of error->step_count, the outermost being the first. */
struct error_step error_step_at(const struct error *error, size_t i);

#endif
