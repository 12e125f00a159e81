#include "core/diagnosis/line_words.h"

#include <stdio.h>
#include <string.h>

#include "core/language/source.h"

/* So much of a program's own text is shown in a sentence. */
enum { SHOWN_MAX = 120 };

static void show(struct source_text source, char text[PHRASE_MAX])
{
    bool cut = source.length > SHOWN_MAX;
    int n =
        snprintf(text, PHRASE_MAX, "%.*s%s", (int)(cut ? SHOWN_MAX : source.length), source.begin, cut ? "..." : "");
    for (int i = 0; i < n; i++)
        if (text[i] == '\n' || text[i] == '\r' || text[i] == '\t') text[i] = ' ';
}

void line_words_value(const struct check *check, const struct value *value, char text[PHRASE_MAX])
{
    const struct program *program = check->problem.network->program;
    struct source_text source = {0};
    if (value->name != NULL) {
        snprintf(text, PHRASE_MAX, "%.120s", value->name);
        return;
    }
    if (value->made_by != NULL) source = source_expression(program, value->made_by->place);
    if (source.length > 0)
        show(source, text);
    else
        snprintf(text, PHRASE_MAX, "the result of %s in line %zu",
                 value->made_by != NULL ? value->made_by->op->name : "a constant",
                 value->made_by != NULL ? value->made_by->place.layer : 0);
}

/* "line 3", "lines 3 and 5" */
static void list_lines(const struct found *found, char text[PHRASE_MAX])
{
    size_t n = (size_t)snprintf(text, PHRASE_MAX, found->layer_count > 1 ? "lines " : "line ");
    for (size_t i = 0; i < found->layer_count && n + SYMBOL_MAX < PHRASE_MAX; i++)
        n += (size_t)snprintf(text + n, PHRASE_MAX - n, "%s%zu",
                              i == 0                       ? ""
                              : i + 1 < found->layer_count ? ", "
                                                           : " and ",
                              found->layers[i]);
}

/* The lines that use a value, each once. */
static void list_uses(const struct value *value, char text[PHRASE_MAX])
{
    struct found uses = {0};
    size_t lines[16];
    uses.layers = lines;
    for (size_t u = 0; u < value->use_count && uses.layer_count < sizeof lines / sizeof *lines; u++) {
        size_t line = value->uses[u].node->place.layer;
        bool before = value->uses[u].node->place.kind != PLACE_LINE;
        for (size_t i = 0; i < uses.layer_count; i++)
            before = before || lines[i] == line;
        if (!before) lines[uses.layer_count++] = line;
    }
    list_lines(&uses, text);
}

static void list_names(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < found->parameter_count && n + SYMBOL_MAX < PHRASE_MAX; i++)
        n += (size_t)snprintf(text + n, PHRASE_MAX - n, "%s%.60s", i > 0 ? ", " : "",
                              check->problem.names[found->parameters[i]]);
}

bool line_words_word(const struct check *check, const struct found *found, const char *key, char text[PHRASE_MAX])
{
    const struct node *node = found->made_at;
    bool of_node = node != NULL, of_value = found->below != NULL;
    char name[PHRASE_MAX];
    text[0] = '\0';
    if (strcmp(key, "line") == 0 && found->layer_count > 0)
        snprintf(text, PHRASE_MAX, "%zu", found->layers[0]);
    else if (strcmp(key, "lines") == 0 || strcmp(key, "through") == 0)
        list_lines(found, text);
    else if (strcmp(key, "source") == 0 && found->layer_count > 0)
        show(source_line(check->problem.network->program, found->layers[0]), text);
    else if (strcmp(key, "uses") == 0 && of_value)
        list_uses(found->below, text);
    else if ((strcmp(key, "value") == 0 || strcmp(key, "z") == 0 || strcmp(key, "x") == 0) && of_value)
        line_words_value(check, found->below, text);
    else if (strcmp(key, "h") == 0 && of_node)
        line_words_value(check, node->output, text);
    else if (strcmp(key, "dz") == 0 && of_value) {
        line_words_value(check, found->below, name);
        snprintf(text, PHRASE_MAX, found->below->name != NULL ? "d%.120s" : "the gradient of %.300s", name);
    } else if (strcmp(key, "dh") == 0 && of_node) {
        line_words_value(check, node->output, name);
        snprintf(text, PHRASE_MAX, node->output->name != NULL ? "d%.120s" : "the gradient of %.300s", name);
    } else if (strcmp(key, "f") == 0 && of_node)
        snprintf(text, PHRASE_MAX, "%s", found->whole_line ? "this line" : node->op->name);
    else if (strcmp(key, "onward") == 0)
        snprintf(text, PHRASE_MAX, "the lines before");
    else if (strcmp(key, "exponent") == 0 && of_node)
        snprintf(text, PHRASE_MAX, "%.8g",
                 node->op->map == MAP_square       ? 2
                 : node->op->map == MAP_sqrt       ? 0.5
                 : node->op->map == MAP_reciprocal ? -1
                                                   : node->attributes[0]);
    else if (strcmp(key, "left") == 0 && found->left_line > 0)
        snprintf(text, PHRASE_MAX, "line %zu", found->left_line);
    else if (strcmp(key, "factor") == 0)
        snprintf(text, PHRASE_MAX, "%.8g", found->factor);
    else if (strcmp(key, "detail") == 0 || strcmp(key, "of_other") == 0 || strcmp(key, "looks_like") == 0)
        return true; /* nothing is said there */
    else if (strcmp(key, "used") == 0 && found->mistake->variant_words != NULL)
        snprintf(text, PHRASE_MAX, "%s",
                 found->mistake->variant_words(found->variant) != NULL ? found->mistake->variant_words(found->variant)
                                                                       : "");
    else if (strcmp(key, "how") == 0)
        snprintf(text, PHRASE_MAX, "%s", found->by_norm ? "by their global norm" : "by value");
    else if (strcmp(key, "printed") == 0)
        snprintf(text, PHRASE_MAX, found->printed.decimals > 0 ? "%d decimals" : "%d significant digits",
                 found->printed.decimals > 0 ? found->printed.decimals : found->printed.digits);
    else if (strcmp(key, "forward_name") == 0)
        snprintf(text, PHRASE_MAX, "%.200s", found->name != NULL ? found->name : "the loss");
    else if (strcmp(key, "parameter") == 0 || strcmp(key, "parameters") == 0)
        list_names(check, found, text);
    return text[0] != '\0';
}

bool line_words_has_all(const struct check *check, const struct found *found, const char *template)
{
    char key[SYMBOL_MAX], text[PHRASE_MAX];
    for (const char *at = strchr(template, '{'); at != NULL; at = strchr(at + 1, '{')) {
        size_t length = strcspn(at + 1, "}");
        if (length >= SYMBOL_MAX) return false;
        memcpy(key, at + 1, length);
        key[length] = '\0';
        if (!line_words_word(check, found, key, text)) return false;
    }
    return true;
}

const char *line_words_template(const struct found *found)
{
    static const char factor[] = "What comes back to {value} is {factor} times what it should be.";
    static const char sign[] = "What comes back to {value} has the wrong sign.";
    static const char missing[] = "{value} is used in {uses}; what comes back to it through this line is missing. The "
                                  "gradients of all its uses add up.";
    static const char overwritten[] =
        "Of what comes back to {value}, which is used in {uses}, only what comes through {left} is left: the last "
        "assignment replaced the others.";
    static const char twice[] = "What comes back to {value} through this line was added twice.";
    static const char zero[] = "Nothing comes back to {value}: its gradient is zero everywhere.";
    static const char index[] = "What comes back to {value} was put in the wrong places: slices are exchanged or "
                                "shifted.";
    static const char turned[] = "The gradient of {value} is transposed.";
    static const char raw[] =
        "What comes back to {value} skips an activation: the gradient of its output was multiplied "
        "by the other operand, in place of the gradient of its input.";
    static const char turn[] = "The gradient of {value} was made with the operand of another turn of the loop.";
    static const char line[] =
        "The gradient was passed through this line unchanged: {dz} was set to {dh}. What the line "
        "computes has a derivative, which belongs between the two.";
    const struct mistake *mistake = found->mistake;
    if (found->whole_line) return line;
    if (mistake == &mistake_raw_error_propagated) return raw;
    if (mistake == &mistake_wrong_layer_used) return turn;
    if (mistake == &mistake_constant_factor) return factor;
    if (mistake == &mistake_sign_flipped) return sign;
    if (mistake == &mistake_contribution_missing) return missing;
    if (mistake == &mistake_gradient_overwritten) return overwritten;
    if (mistake == &mistake_sent_twice) return twice;
    if (mistake == &mistake_all_zero || mistake == &mistake_detached) return zero;
    if (mistake == &mistake_gradient_at_wrong_index) return index;
    if (mistake == &mistake_transposed) return turned;
    return mistake->in_line;
}
