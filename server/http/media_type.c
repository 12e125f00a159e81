#include "server/http/media_type.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { RANGE_MAX = 64 };

/* The quality, in thousandths, that a range of an Accept header gives itself behind its type; 1000 where it says
 * nothing. */
static int quality_of(const char *at, const char *end)
{
    while ((at = memchr(at, ';', (size_t)(end - at))) != NULL) {
        at += 1 + strspn(at + 1, " \t");
        if (end - at < 3 || (*at | 0x20) != 'q' || at[1] != '=') continue;
        int quality = at[2] == '0' ? 0 : 1000;
        if (quality > 0 || end - at < 4 || at[3] != '.') return quality;
        at += 4;
        for (int unit = 100; unit > 0 && at < end && *at >= '0' && *at <= '9'; unit /= 10)
            quality += unit * (*at++ - '0');
        return quality;
    }
    return 1000;
}

/* A media type without its parameters. */
static int bare_length(const char *type)
{
    return (int)strcspn(type, "; \t");
}

/* The quality of one of our types: of the range that fits it most closely, the first of these. -1 where none does. */
static int quality_for(const char *accept, const char *type)
{
    char bare[RANGE_MAX], kind[RANGE_MAX];
    snprintf(bare, sizeof bare, "%.*s", bare_length(type), type);
    snprintf(kind, sizeof kind, "%.*s/*", (int)strcspn(type, "/"), type);
    const char *const ranges[] = {bare, kind, "*/*"};
    int quality[] = {-1, -1, -1};
    while (*accept != '\0') {
        accept += strspn(accept, " \t,");
        const char *end = accept + strcspn(accept, ",");
        size_t length = strcspn(accept, " \t,;");
        for (int i = 0; i < 3; i++)
            if (length == strlen(ranges[i]) && strncasecmp(accept, ranges[i], length) == 0)
                quality[i] = quality_of(accept, end);
        accept = end;
    }
    return quality[0] >= 0 ? quality[0] : quality[1] >= 0 ? quality[1] : quality[2];
}

bool media_type_prefers(const char *accept, const char *type, const char *usual)
{
    int quality = quality_for(accept, type);
    return quality > 0 && quality > quality_for(accept, usual);
}

bool media_type_is(const char *value, const char *type)
{
    size_t length = strlen(type);
    if (strncasecmp(value, type, length) != 0) return false;
    value += length;
    value += strspn(value, " \t");
    return *value == '\0' || *value == ';';
}
