#include "static/help/maker/recipes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "static/help/maker/file.h"
#include "static/help/maker/html.h"

/* What begins a comment in the languages that recipes are written in, and what ends it, as strcspn takes it. */
static const struct {
    const char *open, *close;
} comments[] = {{"#", "\n"}, {"%", "\n"}, {"//", "\n"}, {"--", "\n"}, {"\"\"\"", "\"\n"}};

/* What a text's first comment, which a line like "#!/bin/sh" is none of, says before a colon, or in its line: where
 * that begins, and its length; 0 where there is no comment. */
static size_t find_title(const char *text, const char **title)
{
    if (strncmp(text, "#!", 2) == 0) text += strcspn(text, "\n");
    text += strspn(text, "\n");
    for (size_t i = 0; i < sizeof comments / sizeof *comments; i++) {
        if (strncmp(text, comments[i].open, strlen(comments[i].open)) != 0) continue;
        *title = text + strspn(text, "#%/-\" ");
        size_t length = strcspn(*title, comments[i].close);
        const char *colon = strstr(*title, ": ");
        return colon != NULL && colon < *title + length ? (size_t)(colon - *title) : length;
    }
    return 0;
}

static void print_entry(const char *name, const char *title, size_t length)
{
    fputs("<li><a href=\"#", stdout);
    html_text(name);
    fputs("\">", stdout);
    html_part(title, length);
    puts("</a></li>");
}

static void print_recipe(const char *name, const char *title, size_t length, const char *text)
{
    fputs("<h2 id=\"", stdout);
    html_text(name);
    fputs("\">", stdout);
    html_part(title, length);
    fputs("</h2>\n<p><a href=\"recipes/", stdout);
    html_text(name);
    fputs("\"><code>", stdout);
    html_text(name);
    fputs("</code></a></p>\n<pre class=\"recipe\" tabindex=\"0\">", stdout);
    html_text(text);
    puts("</pre>");
}

static bool print(const char *path, bool whole)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path, *title = name;
    char *text = file_read(path);
    if (text == NULL) return false;
    size_t length = find_title(text, &title);
    if (length == 0) length = strlen(title);
    if (whole)
        print_recipe(name, title, length, text);
    else
        print_entry(name, title, length);
    free(text);
    return true;
}

bool recipes_print(char *const *paths, size_t count)
{
    if (count > 0) puts("<ul>");
    for (size_t i = 0; i < count; i++)
        if (!print(paths[i], false)) return false;
    if (count > 0) puts("</ul>");
    for (size_t i = 0; i < count; i++)
        if (!print(paths[i], true)) return false;
    return true;
}
