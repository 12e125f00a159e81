#include "core/language/state.h"

#include <stdarg.h>
#include <stdio.h>

int evaluation_fault(struct evaluation *e, const char *format, ...)
{
    char detail[ERROR_DETAIL_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    return text_fault(e->reader, e->spot, "%s", detail);
}

int evaluation_step(struct evaluation *e, size_t count)
{
    e->spent = e->spent || count > e->left.steps;
    if (e->spent) return evaluation_fault(e, "the program takes too many steps");
    e->left.steps -= count;
    return CODE_OK;
}
