#include "server/report/titles.h"

#include <stdlib.h>
#include <string.h>

#include "server/text/text.h"

/* A text with a '\0' behind it; NULL when memory is short. */
static const char *ended(struct text *text)
{
    text_bytes(text, "", 1);
    return text->failed ? NULL : text->data;
}

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7F) return false;
    return true;
}

const char *titles_clean(struct arena *arena, const char *text)
{
    if (is_plain(text)) return text;
    struct text clean;
    text_init(&clean, arena);
    text_shown(&clean, text);
    return ended(&clean);
}

/* Where the character behind `count` others begins, or the text ends. The text is UTF-8. */
static const char *after(const char *text, size_t count)
{
    for (; *text != '\0'; text++)
        if (((unsigned char)*text & 0xC0) != 0x80 && count-- == 0) break;
    return text;
}

const char *titles_name(struct arena *arena, const char *name)
{
    static const char dots[] = "...";
    enum { CHARACTER_MAX = 4 };
    size_t most = (size_t)CHARACTER_MAX * (TITLE_MAX + 1); /* so many bytes are more than TITLE_MAX characters */
    const char *clean = strnlen(name, most) < most ? name : arena_text(arena, name, most);
    if (clean != NULL) clean = titles_clean(arena, clean);
    if (clean == NULL) return NULL;
    if (clean[0] == '\0') return "?";
    if (*after(clean, TITLE_MAX) == '\0') return clean;
    struct text text;
    text_init(&text, arena);
    text_bytes(&text, clean, (size_t)(after(clean, TITLE_MAX - strlen(dots)) - clean));
    text_add(&text, dots);
    return ended(&text);
}

/* ---- each once ---- */

struct title {
    const char *text;
    size_t place; /* in the list */
};

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct title *)a)->text, ((const struct title *)b)->text);
}

static int by_text_and_place(const void *a, const void *b)
{
    const struct title *x = a, *y = b;
    int order = by_text(a, b);
    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

/* "NAME (n)", of the first n from *number on that no title of the list is; the next one into *number. Two names never
 * come to the same: what stands in the last brackets tells n, and the rest the name. */
static const char *numbered(struct arena *arena, const char *name, const struct title *sorted, size_t count,
                            size_t *number)
{
    for (;;) {
        struct text text;
        text_init(&text, arena);
        text_add(&text, name);
        text_format(&text, " (%zu)", (*number)++);
        const struct title title = {.text = ended(&text)};
        if (title.text == NULL || bsearch(&title, sorted, count, sizeof *sorted, by_text) == NULL) return title.text;
    }
}

bool titles_make_unique(struct arena *arena, const char **titles, size_t count)
{
    struct title *sorted = arena_array(arena, count, sizeof *sorted);
    if (sorted == NULL) return false;
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct title){.text = titles[i], .place = i};
    qsort(sorted, count, sizeof *sorted, by_text_and_place);
    for (size_t i = 1, number = 2; i < count; i++) {
        if (strcmp(sorted[i].text, sorted[i - 1].text) != 0) {
            number = 2;
            continue;
        }
        const char *title = numbered(arena, sorted[i].text, sorted, count, &number);
        if (title == NULL) return false;
        titles[sorted[i].place] = title;
    }
    return true;
}
