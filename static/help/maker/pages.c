/* Makes a page of the help from its source, static/help/NAME.html: prints the source with a frame around it, and in
 * place of each line
 *
 *     <!-- table: NAME -->      the program's table of that name (tables.h),
 *     <!-- members: SCHEMA -->  what static/openapi.json says of that schema's members, or of the "query",
 *     <!-- recipes -->          the files of static/help/recipes/.
 *
 * usage: pages SOURCE OPENAPI.JSON [RECIPE]...
 *
 * Ends with status 1, and says why on standard error, where there is no such table: no page is made then. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "static/help/maker/file.h"
#include "static/help/maker/html.h"
#include "static/help/maker/members.h"
#include "static/help/maker/recipes.h"
#include "static/help/maker/tables.h"

/* In the order of the menu. */
static const struct {
    const char *name, *label;
} pages[] = {
    {"index", "Help"},
    {"checks", "Checks"},
    {"layers", "Layers and losses"},
    {"programs", "Programs"},
    {"backward", "Backward passes"},
    {"mistakes", "Mistakes"},
    {"formats", "Formats and files"},
    {"classes", "Classes"},
    {"training", "Training"},
    {"python", "Python and the shell"},
    {"recipes", "Recipes"},
    {"running", "Running it"},
    {"codes", "Errors"},
};

enum { PAGES = sizeof pages / sizeof *pages };

/* Which page a source is of: "static/help/checks.html" of "checks"; PAGES where of none. */
static size_t page_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    size_t i = 0, length = strcspn(name, ".");
    while (i < PAGES && (strlen(pages[i].name) != length || strncmp(pages[i].name, name, length) != 0))
        i++;
    return i;
}

/* ---- the frame ---- */

static void print_menu(size_t page)
{
    puts("<nav class=\"pages\" aria-label=\"Help\">\n<ul>");
    for (size_t i = 0; i < PAGES; i++)
        printf("<li><a href=\"%s\"%s>%s</a></li>\n", i > 0 ? pages[i].name : "./",
               i == page ? " aria-current=\"page\"" : "", pages[i].label);
    puts("</ul>\n</nav>");
}

static void print_head(size_t page)
{
    printf("<!doctype html>\n"
           "<html lang=\"en\">\n<head>\n"
           "<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           "<meta name=\"color-scheme\" content=\"light dark\">\n"
           "<title>%s · gradcheckd</title>\n"
           "<link rel=\"icon\" href=\"../icon.svg\" type=\"image/svg+xml\">\n"
           "<link rel=\"stylesheet\" href=\"../style.css\">\n"
           "<link rel=\"stylesheet\" href=\"../dark.css\" media=\"(prefers-color-scheme: dark)\">\n"
           "<link rel=\"stylesheet\" href=\"../help.css\">\n"
           "<script src=\"../js/theme.js\"></script>\n"
           "</head>\n<body>\n"
           "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
           "<header class=\"top\">\n"
           "<p class=\"brand\"><a href=\"../\"><span class=\"nabla\" aria-hidden=\"true\">∇</span>gradcheckd</a></p>\n"
           "</header>\n",
           pages[page].label);
    print_menu(page);
    puts("<main id=\"main\" class=\"help-page\" tabindex=\"-1\">");
}

static void print_foot(void)
{
    puts("</main>\n<footer>\n<ul>\n"
         "<li><a href=\"../\">The page itself</a></li>\n"
         "<li><a href=\"../openapi.json\">The service’s description</a> (OpenAPI)</li>\n"
         "<li><a href=\"../v1/capabilities\">What it knows</a></li>\n"
         "</ul>\n</footer>\n</body>\n</html>");
}

/* ---- what stands in the source ---- */

/* Whether a directive begins so; *rest is what follows. */
static bool begins(const char *directive, const char *word, const char **rest)
{
    size_t length = strlen(word);
    *rest = strncmp(directive, word, length) == 0 ? directive + length : NULL;
    return *rest != NULL;
}

static bool print_directive(const char *directive, const json_t *description, char *const *recipes, size_t count)
{
    const char *rest;
    if (strcmp(directive, "recipes") == 0) return recipes_print(recipes, count);
    if (begins(directive, "table: ", &rest)) return tables_print(rest);
    if (begins(directive, "members: query", &rest) && *rest == '\0') return members_print_query(description);
    return begins(directive, "members: ", &rest) && members_print(description, rest);
}

static bool print_source(char *text, const json_t *description, char *const *recipes, size_t count)
{
    static const char open[] = "<!-- ", close[] = " -->";
    for (;;) {
        char *start = strstr(text, open), *end = start != NULL ? strstr(start, close) : NULL;
        if (end == NULL) break;
        fwrite(text, 1, (size_t)(start - text), stdout);
        *end = '\0';
        if (!print_directive(start + sizeof open - 1, description, recipes, count)) {
            fprintf(stderr, "there is nothing to put in the place of \"%s\"\n", start + sizeof open - 1);
            return false;
        }
        text = end + sizeof close - 1;
    }
    fputs(text, stdout);
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: pages SOURCE OPENAPI.JSON [RECIPE]...\n", stderr);
        return 2;
    }
    size_t page = page_of(argv[1]);
    char *text = file_read(argv[1]);
    json_error_t fault;
    json_t *description = json_load_file(argv[2], JSON_REJECT_DUPLICATES, &fault);
    bool good = page < PAGES && text != NULL && description != NULL;
    if (page == PAGES)
        fprintf(stderr, "%s: no page of that name is in the menu (static/help/maker/pages.c)\n", argv[1]);
    if (description == NULL) fprintf(stderr, "%s: %s\n", argv[2], fault.text);
    if (good) {
        print_head(page);
        good = print_source(text, description, argv + 3, (size_t)(argc - 3));
        print_foot();
    }
    free(text);
    json_decref(description);
    return good && fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
