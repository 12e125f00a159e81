#include "static/help/maker/tables.h"

#include <stdio.h>
#include <string.h>

#include "core/language/functions.h"
#include "core/ops/mistake.h"
#include "core/ops/ops.h"
#include "core/train/optimizer.h"
#include "core/train/symptoms.h"
#include "static/help/maker/html.h"
#include "server/body/body.h"
#include "server/body/files.h"
#include "server/codes.h"
#include "server/options.h"
#include "server/report/formats.h"

static void code(const char *text)
{
    fputs("<code>", stdout);
    html_text(text);
    fputs("</code>", stdout);
}

/* `<dt id="prefix-name"><code>name</code>`, to which more may be added. */
static void term(const char *prefix, const char *name)
{
    printf("<dt id=\"%s%s\">", prefix, name);
    code(name);
}

/* ---- layers, activations, losses, optimizers ---- */

static void print_default(const struct attribute *a)
{
    if (a->required) {
        fputs(", required", stdout);
    } else if (a->kind == ATTRIBUTE_FLAG) {
        printf(", <code>%s</code>", a->fallback > 0 ? "true" : "false");
    } else if (a->kind == ATTRIBUTE_CHOICE) {
        fputs(", ", stdout);
        code(a->choices[(size_t)a->fallback]);
    } else if (a->kind == ATTRIBUTE_PAIR) {
        printf(", <code>[%.15g, %.15g]</code>", a[0].fallback, a[1].fallback);
    } else if (!attribute_is_size(a) || a->fallback >= a->least) {
        printf(", <code>%.15g</code>", a->fallback);
    }
}

static void print_choices(const struct attribute *a)
{
    for (size_t i = 0; a->choices[i] != NULL; i++) {
        if (i > 0) fputs(" or ", stdout);
        code(a->choices[i]);
    }
}

static void print_attributes(const struct attribute *list)
{
    static const char *const kinds[] = {
        [ATTRIBUTE_SIZE] = "a whole number", [ATTRIBUTE_REAL] = "a number", [ATTRIBUTE_PAIR] = "two numbers",
        [ATTRIBUTE_FLAG] = "true or false",  [ATTRIBUTE_CHOICE] = "",       [ATTRIBUTE_SIZES] = "one size or two"};
    bool any = false;
    for (size_t i = 0; attribute_stands(&list[i]); i++) {
        const struct attribute *a = &list[i];
        if (a->name == NULL) continue;
        fputs(any ? "<li>" : "<ul>\n<li>", stdout);
        any = true;
        code(a->name);
        printf(": %s", kinds[a->kind]);
        if (a->kind == ATTRIBUTE_CHOICE) print_choices(a);
        print_default(a);
        puts("</li>");
    }
    if (any) puts("</ul>");
}

static void print_entry(const char *prefix, const char *name, const char *summary, const struct attribute *attributes)
{
    term(prefix, name);
    fputs("</dt>\n<dd><p>", stdout);
    html_words(summary);
    puts("</p>");
    print_attributes(attributes);
    puts("</dd>");
}

static void print_ops(enum op_kind kind)
{
    puts("<dl>");
    for (size_t i = 0; ops[i] != NULL; i++)
        if (ops[i]->kind == kind)
            print_entry(kind == OP_LOSS ? "loss-" : "layer-", ops[i]->name, ops[i]->summary, ops[i]->attributes);
    puts("</dl>");
}

static void print_layers(void)
{
    print_ops(OP_LAYER);
}

static void print_activations(void)
{
    print_ops(OP_ACTIVATION);
}

static void print_losses(void)
{
    print_ops(OP_LOSS);
}

static void print_optimizers(void)
{
    puts("<dl>");
    for (size_t i = 0; optimizers[i] != NULL; i++)
        print_entry("optimizer-", optimizers[i]->name, optimizers[i]->summary, optimizers[i]->attributes);
    puts("</dl>");
}

/* ---- programs ---- */

/* How long the parameters of "def f(x, axis=(0, 1)): ..." are. */
static size_t parameters_length(const char *text)
{
    size_t length = 0;
    for (int depth = 1; text[length] != '\0'; length++) {
        if (text[length] == '(') depth++;
        if (text[length] == ')' && --depth == 0) break;
    }
    return length;
}

static void print_function(const struct builtin *b)
{
    static const char written[] = "def f(";
    static const char python[] = "python.";
    const char *name = strncmp(b->name, python, sizeof python - 1) == 0 ? b->name + sizeof python - 1 : b->name;
    const char *parameters = b->signature;
    size_t length = strlen(parameters);
    if (strcmp(parameters, "*") == 0 && b->op != NULL && strncmp(b->op, written, sizeof written - 1) == 0) {
        parameters = b->op + sizeof written - 1;
        length = parameters_length(parameters);
    } else if (strcmp(parameters, "*") == 0) {
        parameters = "...";
        length = 3;
    }
    fputs(b->use == METHOD ? "<li><code>x." : "<li><code>", stdout);
    html_text(name);
    putchar('(');
    html_part(parameters, length);
    fputs(")</code>", stdout);
    if (b->use == BOTH) fputs(" <span class=\"quiet\">method</span>", stdout);
    puts("</li>");
}

static void print_functions(void)
{
    for (const struct builtin_table *t = builtin_tables; t->title != NULL; t++) {
        fputs("<h3>", stdout);
        html_text(t->title);
        puts("</h3>\n<ul class=\"names\">");
        for (const struct builtin *b = t->functions; b->name != NULL; b++)
            if (b->name[0] != '_') print_function(b);
        puts("</ul>");
    }
}

/* ---- mistakes ---- */

static const char *const step_titles[] = {[STEP_LOSS] = "The loss",
                                          [STEP_INPUT] = "What a layer sends back",
                                          [STEP_PARAMETER] = "A parameter's gradient",
                                          [STEP_CONSUMER] = "Adding up what several layers send back",
                                          [STEP_FINISHED] = "The finished gradients",
                                          [STEP_FORWARD] = "The forward pass, where its values or gradients show it",
                                          [STEP_UPDATE] = "The optimizer's update (`POST /v1/optimizer_step`)"};

static void print_mistake(const struct mistake *m)
{
    printf("<h3 id=\"%s\"><code>%s</code></h3>\n<p>", m->id, m->id);
    html_words(m->summary);
    fputs("</p>\n<pre class=\"lines\">", stdout);
    html_text(m->wrong);
    fputs("  # wrong\n", stdout);
    html_text(m->right);
    fputs("  # right</pre>\n<p>", stdout);
    html_words(m->hint);
    puts("</p>");
    if (m->source == NULL) return;
    fputs("<p class=\"quiet\">Seen in ", stdout);
    html_text(m->source);
    puts(".</p>");
}

static void print_mistakes(void)
{
    for (unsigned step = 0; step < sizeof step_titles / sizeof *step_titles; step++) {
        fputs("<h2>", stdout);
        html_words(step_titles[step]);
        puts("</h2>");
        for (size_t i = 0; mistakes[i] != NULL; i++)
            if (mistakes[i]->step == (enum step)step) print_mistake(mistakes[i]);
    }
}

static void print_mistake_count(bool of_update)
{
    unsigned count = 0;
    for (size_t i = 0; mistakes[i] != NULL; i++)
        count += (mistakes[i]->step == STEP_UPDATE) == of_update;
    printf("%u", count);
}

static void print_gradient_mistakes(void)
{
    print_mistake_count(false);
}

static void print_update_mistakes(void)
{
    print_mistake_count(true);
}

/* ---- the server's ---- */

static void print_formats(void)
{
    puts("<dl>");
    for (const struct format *f = formats; f->name != NULL; f++) {
        term("format-", f->name);
        fputs(" <span class=\"quiet\">", stdout);
        html_text(f->media_type);
        fputs("</span></dt>\n<dd><p>", stdout);
        html_words(f->reader);
        puts("</p></dd>");
    }
    puts("</dl>");
}

static void print_flags(void)
{
    puts("<dl>");
    for (size_t i = 0; options_flag(i) != NULL; i++) {
        const struct option_flag *flag = options_flag(i);
        printf("<dt id=\"%s\"><code>", flag->flag + strspn(flag->flag, "-"));
        html_text(flag->flag);
        if (flag->argument != NULL) putchar(' ');
        if (flag->argument != NULL) html_text(flag->argument);
        fputs("</code> <code class=\"quiet\">", stdout);
        html_text(flag->variable);
        fputs("</code></dt>\n<dd><p>", stdout);
        html_words(flag->help);
        puts("</p></dd>");
    }
    puts("</dl>");
}

static void print_codes(void)
{
    puts("<dl>");
    for (int i = CODE_OK + 1; i < CODE_END; i++) {
        const struct code_entry *entry = codes_entry(i);
        if (entry->meaning == NULL) continue; /* told as another one is */
        term("", entry->name);
        printf(" <span class=\"quiet\">%d %s</span></dt>\n<dd><p>", entry->status, codes_title(entry->status));
        html_words(entry->meaning);
        puts("</p></dd>");
    }
    puts("</dl>");
}

static void print_list(const char *(*entry)(size_t i))
{
    for (size_t i = 0; entry(i) != NULL; i++) {
        if (i > 0) fputs(entry(i + 1) != NULL ? ", " : " and ", stdout);
        code(entry(i));
    }
}

static void print_media_types(void)
{
    print_list(body_media_type);
}

static void print_codings(void)
{
    print_list(body_coding);
}

static void print_files(void)
{
    print_list(files_format);
}

/* ---- by name ---- */

static const struct {
    const char *name;
    void (*print)(void);
} tables[] = {
    {"layers", print_layers},
    {"activations", print_activations},
    {"losses", print_losses},
    {"optimizers", print_optimizers},
    {"functions", print_functions},
    {"mistakes", print_mistakes},
    {"how many mistakes", print_gradient_mistakes},
    {"how many of an update", print_update_mistakes},
    {"formats", print_formats},
    {"flags", print_flags},
    {"codes", print_codes},
    {"media types", print_media_types},
    {"codings", print_codings},
    {"files", print_files},
};

bool tables_print(const char *name)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (strcmp(tables[i].name, name) != 0) continue;
        tables[i].print();
        return true;
    }
    return false;
}
