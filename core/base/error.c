#include "core/base/error.h"

#include <stdio.h>
#include <string.h>

int error_set(struct error *error, int code, const char *format, ...)
{
    if (error->code != CODE_OK) return error->code;
    error->code = code;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error->detail, sizeof error->detail, format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof error->detail) {
        /* Cut before a UTF-8 sequence, never inside one. */
        size_t end = sizeof error->detail - 1;
        while (end > 0 && ((unsigned char)error->detail[end - 1] & 0xC0) == 0x80)
            end--;
        if (end > 0 && (unsigned char)error->detail[end - 1] >= 0xC0) end--;
        error->detail[end] = '\0';
    }
    return code;
}

/* Puts `step` (already escaped, starting with '/') in front of the pointer; what does not fit is dropped at
 * the far end. */
static void prepend(struct error *error, const char *step, size_t length)
{
    size_t room = sizeof error->pointer - 1;
    size_t old = strlen(error->pointer);
    if (length + old > room) {
        /* A pointer cut in the middle of a name would point elsewhere: keep the outer steps only. */
        error->pointer[0] = '\0';
        old = 0;
        if (length > room) return;
    }
    memmove(error->pointer + length, error->pointer, old + 1);
    memcpy(error->pointer, step, length);
}

int error_at(struct error *error, const char *name)
{
    char step[ERROR_POINTER_MAX];
    size_t n = 0;
    step[n++] = '/';
    for (const char *c = name; *c != '\0'; c++) {
        if (n + 2 >= sizeof step) {
            n = sizeof step; /* too long to be told */
            break;
        }
        if (*c == '~' || *c == '/') {
            step[n++] = '~';
            step[n++] = *c == '~' ? '0' : '1';
        } else {
            step[n++] = *c;
        }
    }
    prepend(error, step, n);
    return error->code;
}

int error_at_index(struct error *error, size_t index)
{
    char step[32];
    int length = snprintf(step, sizeof step, "/%zu", index);
    prepend(error, step, (size_t)length);
    return error->code;
}
