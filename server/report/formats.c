#include "server/report/formats.h"

#include <string.h>

#include "server/report/check_words.h"

const struct format formats[] = {
    {"json", "application/json", check_report_json},
    {"text", "text/plain; charset=utf-8", check_report_text},
    {0},
};

const struct format *formats_find(const char *name)
{
    for (const struct format *f = formats; f->name != NULL; f++)
        if (strcmp(f->name, name) == 0) return f;
    return NULL;
}
