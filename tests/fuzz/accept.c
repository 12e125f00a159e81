#include "tests/fuzz/accept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ACCEPT_MAX = 4096 };

/* Thousandths: "0", "0.25", "1.000"; -1 where it is none. */
static int read_quality(const char *text)
{
    size_t digits = text[0] != '\0' && text[1] == '.' ? strspn(text + 2, "0123456789") : 0;
    size_t length = digits > 0 ? 2 + digits : 1;
    if ((text[0] != '0' && text[0] != '1') || digits > 3 || text[length] != '\0') return -1;
    double value = strtod(text, NULL);
    return value <= 1 ? (int)(1000 * value + 0.5) : -1;
}

/* Without the spaces on either side. */
static char *strip(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t", text[length - 1]) != NULL)
        text[--length] = '\0';
    return text;
}

/* Splits "text/plain; q=0.5" into its range and its quality; false where it is no such. */
static bool read_range(char *element, const char **range, int *quality)
{
    char *rest = NULL, *part = strtok_r(element, ";", &rest);
    bool found = false;
    *quality = 1000;
    *range = part = part != NULL ? strip(part) : "";
    if (element[0] == ';' || strchr(part, '/') == NULL || strpbrk(part, " \t\"") != NULL) return false;
    while ((part = strtok_r(NULL, ";", &rest)) != NULL) {
        part = strip(part);
        if (strpbrk(part, " \t\"") != NULL) return false;
        if (strncasecmp(part, "q=", 2) != 0 || found) continue;
        found = true;
        *quality = read_quality(part + 2);
    }
    return *quality >= 0;
}

/* How closely a range fits a type: 3 as the type itself, 2 as all of its kind, 1 as all, 0 not at all. */
static int closeness(const char *range, const char *type)
{
    char kind[64];
    size_t bare = strcspn(type, ";");
    if (strcmp(range, "*/*") == 0) return 1;
    if (strlen(range) == bare && strncasecmp(range, type, bare) == 0) return 3;
    snprintf(kind, sizeof kind, "%.*s*", (int)strcspn(type, "/") + 1, type);
    return strcasecmp(range, kind) == 0 ? 2 : 0;
}

static bool find_quality(const char *accept, const char *type, int *best)
{
    char copy[ACCEPT_MAX], *rest = NULL;
    const char *range;
    int quality, closest = 0;
    snprintf(copy, sizeof copy, "%s", accept);
    *best = -1;
    for (char *element = strtok_r(copy, ",", &rest); element != NULL; element = strtok_r(NULL, ",", &rest)) {
        element = strip(element);
        if (element[0] == '\0') continue;
        if (!read_range(element, &range, &quality)) return false;
        if (closeness(range, type) == 0 || closeness(range, type) < closest) continue;
        closest = closeness(range, type);
        *best = quality;
    }
    return true;
}

bool accept_prefers(const char *accept, const char *type, const char *usual, bool *preferred)
{
    int quality, other;
    if (!find_quality(accept, type, &quality) || !find_quality(accept, usual, &other)) return false;
    *preferred = quality > 0 && quality > other;
    return true;
}
