#include "static/help/maker/html.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void html_part(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        switch (text[i]) {
        case '&':
            fputs("&amp;", stdout);
            break;
        case '<':
            fputs("&lt;", stdout);
            break;
        case '>':
            fputs("&gt;", stdout);
            break;
        case '"':
            fputs("&quot;", stdout);
            break;
        default:
            putchar(text[i]);
        }
    }
}

void html_text(const char *text)
{
    html_part(text, strlen(text));
}

static void print_words(const char *text, size_t length)
{
    bool code = false;
    const char *end = text + length;
    while (text < end) {
        const char *tick = memchr(text, '`', (size_t)(end - text));
        html_part(text, (size_t)((tick != NULL ? tick : end) - text));
        if (tick == NULL) break;
        code = !code;
        fputs(code ? "<code>" : "</code>", stdout);
        text = tick + 1;
    }
}

void html_words(const char *text)
{
    print_words(text, strlen(text));
}

void html_paragraphs(const char *text)
{
    bool list = false;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        bool item = strncmp(text, "- ", 2) == 0;
        if (item != list) puts(item ? "<ul>" : "</ul>");
        list = item;
        if (length > 0) {
            fputs(item ? "<li>" : "<p>", stdout);
            print_words(item ? text + 2 : text, item ? length - 2 : length);
            puts(item ? "</li>" : "</p>");
        }
        text += length;
        if (*text == '\n') text++;
        if (list && *text == '\n') text++;
    }
    if (list) puts("</ul>");
}
