#include "help/recipes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "help/file.h"
#include "help/html.h"

/* What begins a comment in the languages that recipes are written in, and what ends it, as strcspn takes it. */
static const struct {
    const char *open, *close;
} comments[] = {{"#", "\n"}, {"%", "\n"}, {"//", "\n"}, {"--", "\n"}, {"\"\"\"", "\"\n"}};

/* The first comment of a text, which a line like "#!/bin/sh" is none of: where it begins, and its length in that line;
 * 0 where there is none. */
static size_t find_title(const char *text, const char **title)
{
    if (strncmp(text, "#!", 2) == 0) text += strcspn(text, "\n");
    text += strspn(text, "\n");
    for (size_t i = 0; i < sizeof comments / sizeof *comments; i++) {
        if (strncmp(text, comments[i].open, strlen(comments[i].open)) != 0) continue;
        *title = text + strspn(text, "#%/-\" ");
        return strcspn(*title, comments[i].close);
    }
    return 0;
}

static bool print_recipe(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path, *title;
    char *text = file_read(path);
    if (text == NULL) return false;
    size_t length = find_title(text, &title);
    fputs("<h2 id=\"", stdout);
    html_text(name);
    fputs("\">", stdout);
    html_part(length > 0 ? title : name, length > 0 ? length : strlen(name));
    fputs("</h2>\n<p><a href=\"recipes/", stdout);
    html_text(name);
    fputs("\"><code>", stdout);
    html_text(name);
    fputs("</code></a></p>\n<pre class=\"recipe\" tabindex=\"0\">", stdout);
    html_text(text);
    puts("</pre>");
    free(text);
    return true;
}

bool recipes_print(char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!print_recipe(paths[i])) return false;
    return true;
}
