#include "core/base/error.h"

#include <stdio.h>
#include <string.h>

/* Texts are cut, and names in them, after so many bytes: what that leaves of a UTF-8 sequence goes. */
static void drop_halves(char *text)
{
    char *to = text;
    for (const char *at = text; *at != '\0';) {
        unsigned char first = (unsigned char)*at;
        size_t whole = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1, n = 1;
        while (n < whole && ((unsigned char)at[n] & 0xC0) == 0x80)
            n++;
        if (n == whole) {
            memmove(to, at, n);
            to += n;
        }
        at += n;
    }
    *to = '\0';
}

void error_init(struct error *error)
{
    error->code = CODE_OK;
    error->detail[0] = '\0';
    error->step_count = error->names_length = 0;
}

int error_set(struct error *error, int code, const char *format, ...)
{
    if (error->code != CODE_OK) return error->code;
    error->code = code;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->detail, sizeof error->detail, format, arguments);
    va_end(arguments);
    drop_halves(error->detail);
    return code;
}

int error_out_of_memory(struct error *error)
{
    return error_set(error, CODE_OUT_OF_MEMORY, "out of memory");
}

static int add_step(struct error *error, bool named, size_t number)
{
    error->steps[error->step_count].named = named;
    error->steps[error->step_count].number = number;
    error->step_count++;
    return error->code;
}

/* Makes room for one more step, and a name of that size: where there is none, those that are there go. */
static void make_room(struct error *error, size_t size)
{
    if (error->step_count < ERROR_STEPS_MAX && size <= ERROR_NAMES_MAX - error->names_length) return;
    error->step_count = error->names_length = 0;
}

int error_at(struct error *error, const char *name)
{
    size_t size = strlen(name) + 1;
    make_room(error, size);
    if (size > ERROR_NAMES_MAX) return error->code; /* too long to be told */
    size_t begin = error->names_length;
    memcpy(error->names + begin, name, size);
    error->names_length += size;
    return add_step(error, true, begin);
}

int error_at_index(struct error *error, size_t index)
{
    make_room(error, 0);
    return add_step(error, false, index);
}

struct error_step error_step_at(const struct error *error, size_t i)
{
    size_t at = error->step_count - 1 - i;
    if (!error->steps[at].named) return (struct error_step){.index = error->steps[at].number};
    return (struct error_step){.name = error->names + error->steps[at].number};
}
