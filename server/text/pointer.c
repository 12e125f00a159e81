#include "server/text/pointer.h"

void pointer_write(struct text *text, const struct error *error)
{
    for (size_t i = 0; i < error->step_count; i++) {
        struct error_step step = error_step_at(error, i);
        text_add(text, "/");
        if (step.name == NULL) text_format(text, "%zu", step.index);
        for (const char *c = step.name; c != NULL && *c != '\0'; c++) {
            if (*c == '~')
                text_add(text, "~0");
            else if (*c == '/')
                text_add(text, "~1");
            else
                text_bytes(text, c, 1);
        }
    }
}
