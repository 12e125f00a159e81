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

/* One operation of the text may be several nodes (a batch's product: reshaped, multiplied, reshaped back): the one of
 * them that goes on from a value; NULL where the value is what the operation makes. */
static const struct node *within(const struct value *value)
{
    const struct node *by = value->made_by;
    for (size_t u = 0; u < value->use_count; u++) {
        const struct node *node = value->uses[u].node;
        if (node->op != by->op && node->place.kind == by->place.kind && node->place.layer == by->place.layer &&
            node->place.column == by->place.column)
            return node;
    }
    return NULL;
}

/* The value of the text that one within an operation has the elements of: what the operation takes, or what it makes;
 * NULL where it is neither. */
static const struct value *of_text(const struct value *value)
{
    const struct value *at = value;
    while (at->name == NULL && at->made_by != NULL && at->made_by->op->arranges && within(at) != NULL)
        at = at->made_by->inputs[0];
    if (at->name != NULL || at->made_by == NULL || within(at) == NULL) return at;
    const struct node *next;
    for (at = value; (next = within(at)) != NULL; at = next->output)
        if (!next->op->arranges) return NULL;
    return at;
}

void line_words_value(const struct check *check, const struct value *value, char text[PHRASE_MAX])
{
    const struct program *program = check->problem.network->program;
    struct source_text source = {0};
    const struct value *whole = of_text(value);
    if (whole != NULL) value = whole;
    if (value->name != NULL) {
        snprintf(text, PHRASE_MAX, "%.120s", value->name);
        return;
    }
    if (value->made_by != NULL) source = source_expression(program, value->made_by->place);
    if (source.length > 0 && whole == NULL) {
        char of[PHRASE_MAX];
        show(source, of);
        snprintf(text, PHRASE_MAX, "a part of %.200s", of);
    } else if (source.length > 0)
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

/* ---- the words: each writes nothing where there is nothing of its kind ---- */

static void write_names(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < found->parameter_count && n + SYMBOL_MAX < PHRASE_MAX; i++)
        n += (size_t)snprintf(text + n, PHRASE_MAX - n, "%s%.60s", i > 0 ? ", " : "",
                              check->problem.names[found->parameters[i]]);
}

static void write_line(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    (void)check;
    if (found->layer_count > 0) snprintf(text, PHRASE_MAX, "%zu", found->layers[0]);
}

static void write_lines(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    (void)check;
    list_lines(found, text);
}

static void write_source(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    if (found->layer_count > 0) show(source_line(check->problem.network->program, found->layers[0]), text);
}

static void write_uses(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    (void)check;
    if (found->below != NULL) list_uses(found->below, text);
}

static void write_below(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    if (found->below != NULL) line_words_value(check, found->below, text);
}

static void write_output(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    if (found->made_at != NULL) line_words_value(check, found->made_at->output, text);
}

static void write_gradient(const struct check *check, const struct value *value, char text[PHRASE_MAX])
{
    char name[PHRASE_MAX];
    line_words_value(check, value, name);
    snprintf(text, PHRASE_MAX, value->name != NULL ? "d%.120s" : "the gradient of %.300s", name);
}

static void write_gradient_below(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    if (found->below != NULL) write_gradient(check, found->below, text);
}

static void write_gradient_of_output(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    if (found->made_at != NULL) write_gradient(check, found->made_at->output, text);
}

static void write_function(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    (void)check;
    if (found->made_at != NULL)
        snprintf(text, PHRASE_MAX, "%s", found->whole_line ? "this line" : found->made_at->op->name);
}

static void write_onward(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    (void)check;
    (void)found;
    snprintf(text, PHRASE_MAX, "the lines before");
}

static void write_exponent(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    const struct node *node = found->made_at;
    (void)check;
    if (node != NULL)
        snprintf(text, PHRASE_MAX, "%.8g",
                 node->op->map == MAP_square       ? 2
                 : node->op->map == MAP_sqrt       ? 0.5
                 : node->op->map == MAP_reciprocal ? -1
                                                   : node->attributes[0]);
}

static void write_left(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    (void)check;
    if (found->left_line > 0) snprintf(text, PHRASE_MAX, "line %zu", found->left_line);
}

static void write_turn(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    (void)check;
    if (found->turn != TURN_NONE) snprintf(text, PHRASE_MAX, found->turn == TURN_FIRST ? "first" : "last");
}

static void write_factor(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    (void)check;
    snprintf(text, PHRASE_MAX, "%.8g", found->factor);
}

static void write_used(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    const struct mistake *mistake = found->mistake;
    const char *words = mistake->variant_words != NULL ? mistake->variant_words(found->variant) : NULL;
    (void)check;
    if (words != NULL) snprintf(text, PHRASE_MAX, "%s", words);
}

static void write_how(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    (void)check;
    snprintf(text, PHRASE_MAX, "%s", found->by_norm ? "by their global norm" : "by value");
}

static void write_printed(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    const struct printed *printed = &found->printed;
    (void)check;
    snprintf(text, PHRASE_MAX, printed->decimals > 0 ? "%d decimals" : "%d significant digits",
             printed->decimals > 0 ? printed->decimals : printed->digits);
}

static void write_forward_name(const struct check *check, const struct found *found, char text[PHRASE_MAX])
{
    (void)check;
    snprintf(text, PHRASE_MAX, "%.200s", found->name != NULL ? found->name : "the loss");
}

static const struct {
    const char *key;
    void (*write)(const struct check *check, const struct found *found,
                  char text[PHRASE_MAX]); /* NULL: nothing is said */
} words[] = {
    {"line", write_line},
    {"lines", write_lines},
    {"through", write_lines},
    {"source", write_source},
    {"uses", write_uses},
    {"value", write_below},
    {"z", write_below},
    {"x", write_below},
    {"h", write_output},
    {"dz", write_gradient_below},
    {"dh", write_gradient_of_output},
    {"f", write_function},
    {"onward", write_onward},
    {"exponent", write_exponent},
    {"left", write_left},
    {"turn", write_turn},
    {"factor", write_factor},
    {"detail", NULL},
    {"of_other", NULL},
    {"looks_like", NULL},
    {"used", write_used},
    {"how", write_how},
    {"printed", write_printed},
    {"forward_name", write_forward_name},
    {"parameter", write_names},
    {"parameters", write_names},
};

bool line_words_word(const struct check *check, const struct found *found, const char *key, char text[PHRASE_MAX])
{
    text[0] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].key, key) != 0) continue;
        if (words[i].write == NULL) return true;
        words[i].write(check, found, text);
    }
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
    static const char turn_left[] =
        "{value} is used each time that this line is run, and of what comes back to it here "
        "only the share of the {turn} time is left: the others were replaced, not added to.";
    static const char turn_missing[] =
        "{value} is used each time that this line is run; the share of the {turn} time is "
        "missing. The gradients of all its uses add up.";
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
    if (mistake == &mistake_contribution_missing) return found->turn != TURN_NONE ? turn_missing : missing;
    if (mistake == &mistake_gradient_overwritten) return found->turn != TURN_NONE ? turn_left : overwritten;
    if (mistake == &mistake_sent_twice) return twice;
    if (mistake == &mistake_all_zero || mistake == &mistake_detached) return zero;
    if (mistake == &mistake_gradient_at_wrong_index) return index;
    if (mistake == &mistake_transposed) return turned;
    return mistake->in_line;
}
