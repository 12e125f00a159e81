#include "core/backward/edits.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/backward/operands.h"

enum { TEXT_MAX = 600 };

struct lister {
    struct arena *arena;
    const struct run *plain;
    size_t statement;
    struct edit *list;
    size_t count;
    struct operands operands;
    int cost;    /* of the edits that are being listed */
    bool bound;  /* what is walked next has a subscript or an attribute behind it */
    bool target; /* it is what is assigned to */
    bool failed;
};

/* ---- texts ---- */

static size_t offset(const struct lister *l, const char *at)
{
    return (size_t)(at - l->plain->syntax.text);
}

static void add_at(struct lister *l, const char *from, const char *to, const char *mistake, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

static void add_at(struct lister *l, const char *from, const char *to, const char *mistake, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;
    if (l->count == EDITS_MAX || l->failed) return;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= sizeof text) return;
    struct edit *edit = &l->list[l->count];
    *edit = (struct edit){
        .statement = l->statement, .from = offset(l, from), .to = offset(l, to), .cost = l->cost, .mistake = mistake};
    edit->text = arena_text(l->arena, text, (size_t)n);
    l->failed = edit->text == NULL;
    l->count++;
}

static int width(const struct expression *x)
{
    return (int)(x->end - x->begin);
}

/* Whether what stands there is in parentheses as a whole. */
static bool is_enclosed(const struct expression *x)
{
    int depth = 0;
    if (*x->begin != '(' || x->end[-1] != ')') return false;
    for (const char *c = x->begin; c < x->end; c++) {
        depth += (*c == '(') - (*c == ')');
        if (depth == 0) return c + 1 == x->end;
    }
    return false;
}

static bool is_primary(const struct expression *x)
{
    return x->kind == EXPRESSION_NAME || x->kind == EXPRESSION_CALL || x->kind == EXPRESSION_ATTRIBUTE ||
           x->kind == EXPRESSION_SUBSCRIPT || is_enclosed(x);
}

static bool has_text(const struct lister *l, const struct expression *x)
{
    const struct syntax *syntax = &l->plain->syntax;
    return x->begin != NULL && x->end != NULL && x->begin < x->end && x->begin >= syntax->text &&
           x->end <= syntax->text + syntax->length && width(x) < TEXT_MAX / 2;
}

static void replace(struct lister *l, const struct expression *x, const char *mistake, const char *text)
{
    add_at(l, x->begin, x->end, mistake, "%s", text);
}

/* "(a + b)" where that is needed for something to stand behind it. */
static void extend(struct lister *l, const struct expression *x, const char *mistake, const char *behind)
{
    bool bare = is_primary(x) || x->kind == EXPRESSION_NUMBER;
    add_at(l, x->begin, x->end, mistake, "%s%.*s%s%s", bare ? "" : "(", width(x), x->begin, bare ? "" : ")", behind);
}

/* ---- names ---- */

/* A place of an array by the variable of another loop. */
static void edit_turn(struct lister *l, const struct expression *x)
{
    for (size_t i = 0; i < l->operands.turn_count; i++)
        if (x->kind == EXPRESSION_NUMBER || strcmp(l->operands.turns[i], x->name) != 0)
            add_at(l, x->begin, x->end, "gradient_at_wrong_index", "%s", l->operands.turns[i]);
}

static bool is_turn(const struct lister *l, const struct expression *x)
{
    for (size_t i = 0; x->kind == EXPRESSION_NAME && i < l->operands.turn_count; i++)
        if (strcmp(l->operands.turns[i], x->name) == 0) return true;
    return false;
}

static const struct operand *find_named(const struct lister *l, const char *name)
{
    for (size_t i = 0; i < l->operands.name_count; i++)
        if (strcmp(l->operands.names[i].name, name) == 0) return &l->operands.names[i];
    return NULL;
}

/* A size as the code may call it. */
static const char *size_text(const struct lister *l, double size, char *text, size_t room)
{
    for (size_t i = 0; i < l->operands.name_count; i++)
        if (l->operands.names[i].number && l->operands.names[i].value == size) return l->operands.names[i].name;
    snprintf(text, room, "%.0f", size);
    return text;
}

/* ---- an expression ---- */

static void edit_number(struct lister *l, const struct expression *x, bool axis, bool index)
{
    char text[32];
    double n = x->number;
    const char *mistake = axis ? "summed_over_wrong_axis" : index ? "gradient_at_wrong_index" : "constant_factor";
    if (n == 0 || n == 1) replace(l, x, mistake, n == 0 ? "1" : "0");
    const double others[] = {n + 1, n - 1, 2 * n, n / 2, -n, 1};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        bool again = others[i] == n || ((n == 0 || n == 1) && others[i] == 1 - n);
        for (size_t k = 0; k < i; k++)
            again = again || others[k] == others[i];
        if (again || ((axis || index) && others[i] != floor(others[i]))) continue;
        snprintf(text, sizeof text, "%.12g", others[i]);
        replace(l, x, mistake, text);
    }
    for (size_t i = 0; !axis && !index && i < l->operands.constant_count; i++) {
        snprintf(text, sizeof text, "%.12g", l->operands.constants[i]);
        if (l->operands.constants[i] != n) replace(l, x, "constant_factor", text);
    }
}

static void edit_name(struct lister *l, const struct expression *x)
{
    const struct operand *named = find_named(l, x->name);
    for (size_t i = 0; named != NULL && i < l->operands.name_count; i++) {
        const struct operand *other = &l->operands.names[i];
        if (other == named || other->number != named->number) continue;
        if (named->number || shape_equal(&other->shape, &named->shape)) replace(l, x, "wrong_layer_used", other->name);
    }
    if (named == NULL || named->number) return;
    int cost = l->cost; /* a * a for a * (1 - a) */
    l->cost = 2;
    add_at(l, x->begin, x->end, NULL, "(1 - %s)", x->name);
    l->cost = cost;
}

static bool has_same_text(const struct expression *a, const struct expression *b)
{
    return width(a) == width(b) && memcmp(a->begin, b->begin, (size_t)width(a)) == 0;
}

/* An item in place of another one, or of a name: cache['Z1'] for cache['A1'], dhs[t] for dh. */
static void edit_item(struct lister *l, const struct expression *x)
{
    int cost = l->cost;
    l->cost = x->kind == EXPRESSION_NAME ? 2 : 1;
    for (size_t i = 0; i < l->operands.item_count; i++) {
        const struct expression *other = l->operands.items[i];
        bool same = has_same_text(other, x);
        if (l->target) /* another place of the same, or other things were made than before */
            same = same || x->kind != EXPRESSION_SUBSCRIPT || other->kind != EXPRESSION_SUBSCRIPT ||
                   !has_same_text(other->operands[0], x->operands[0]);
        if (!same) add_at(l, x->begin, x->end, "wrong_layer_used", "%.*s", width(other), other->begin);
    }
    l->cost = cost;
}

static const char *operation_text(enum operation operation)
{
    static const char *const texts[] = {
        [OPERATION_ADD] = " + ",         [OPERATION_SUBTRACT] = " - ", [OPERATION_MULTIPLY] = " * ",
        [OPERATION_DIVIDE] = " / ",      [OPERATION_MATMUL] = " @ ",   [OPERATION_LESS] = " < ",
        [OPERATION_LESS_EQUAL] = " <= ", [OPERATION_GREATER] = " > ",  [OPERATION_GREATER_EQUAL] = " >= "};
    return operation < sizeof texts / sizeof *texts && texts[operation] != NULL ? texts[operation] : NULL;
}

/* What else may stand between two operands. */
static void edit_operation(struct lister *l, const struct expression *left, const struct expression *right,
                           enum operation operation)
{
    static const struct {
        enum operation from, to;
        const char *mistake;
    } table[] = {
        {OPERATION_ADD, OPERATION_SUBTRACT, "sign_flipped"},
        {OPERATION_ADD, OPERATION_MULTIPLY, "operator_precedence"},
        {OPERATION_SUBTRACT, OPERATION_ADD, "sign_flipped"},
        {OPERATION_SUBTRACT, OPERATION_MULTIPLY, "operator_precedence"},
        {OPERATION_MULTIPLY, OPERATION_MATMUL, "elementwise_for_product"},
        {OPERATION_MULTIPLY, OPERATION_DIVIDE, "quotient_rule"},
        {OPERATION_MULTIPLY, OPERATION_ADD, NULL},
        {OPERATION_DIVIDE, OPERATION_MULTIPLY, "quotient_rule"},
        {OPERATION_MATMUL, OPERATION_MULTIPLY, NULL},
        {OPERATION_LESS, OPERATION_LESS_EQUAL, "relu_gradient_at_zero"},
        {OPERATION_LESS_EQUAL, OPERATION_LESS, "relu_gradient_at_zero"},
        {OPERATION_GREATER, OPERATION_GREATER_EQUAL, "relu_gradient_at_zero"},
        {OPERATION_GREATER_EQUAL, OPERATION_GREATER, "relu_gradient_at_zero"},
        {OPERATION_LESS, OPERATION_GREATER, "inverted_mask"},
        {OPERATION_GREATER, OPERATION_LESS, "inverted_mask"},
        {OPERATION_GREATER, OPERATION_LESS_EQUAL, "inverted_mask"},
        {OPERATION_LESS_EQUAL, OPERATION_GREATER, "inverted_mask"},
        {OPERATION_LESS, OPERATION_GREATER_EQUAL, "inverted_mask"},
        {OPERATION_GREATER_EQUAL, OPERATION_LESS, "inverted_mask"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].from == operation)
            add_at(l, left->end, right->begin, table[i].mistake, "%s", operation_text(table[i].to));
}

static void edit_chain(struct lister *l, const struct expression *x)
{
    for (size_t i = 0; i + 1 < x->count; i++) {
        const struct expression *left = x->operands[i], *right = x->operands[i + 1];
        enum operation operation = x->operations[i];
        if (!has_text(l, left) || !has_text(l, right)) return;
        add_at(l, left->end, right->end, NULL, "%s", ""); /* without the operand */
        edit_operation(l, left, right, operation);
        bool plain = i == 0 || operation == OPERATION_MATMUL || operation == OPERATION_MULTIPLY;
        if (plain && operation_text(operation) != NULL)
            add_at(l, left->begin, right->end, operation == OPERATION_SUBTRACT ? "sign_flipped" : "factors_exchanged",
                   "%.*s%s%.*s", width(right), right->begin, operation_text(operation), width(left), left->begin);
        bool drops = i == 0 && (operation == OPERATION_MULTIPLY || operation == OPERATION_ADD ||
                                operation == OPERATION_MATMUL || operation == OPERATION_SUBTRACT);
        if (drops) add_at(l, left->begin, right->begin, NULL, "%s", operation == OPERATION_SUBTRACT ? "-" : "");
    }
    /* a + b * c as (a + b) * c */
    const struct expression *last = x->operands[x->count - 1];
    if (!is_enclosed(x) && last->kind == EXPRESSION_CHAIN && !is_enclosed(last) && has_text(l, last->operands[0]) &&
        last->operations[0] != OPERATION_ADD && last->operations[0] != OPERATION_SUBTRACT)
        add_at(l, x->begin, last->operands[0]->end, "operator_precedence", "(%.*s)",
               (int)(last->operands[0]->end - x->begin), x->begin);
}

/* The array that a call is about: x of x.sum(0), of np.sum(x, axis=0). */
static const struct expression *subject(const struct expression *x)
{
    const struct expression *callee = x->operands[0];
    bool method = callee->kind == EXPRESSION_ATTRIBUTE &&
                  !(callee->operands[0]->kind == EXPRESSION_NAME &&
                    (strcmp(callee->operands[0]->name, "np") == 0 || strcmp(callee->operands[0]->name, "numpy") == 0 ||
                     strcmp(callee->operands[0]->name, "torch") == 0));
    if (method) return callee->operands[0];
    return x->count > 1 ? x->operands[1] : NULL;
}

static void edit_call(struct lister *l, const struct expression *x)
{
    static const char *const others[][3] = {{"sum", "mean", "not_spread"},
                                            {"mean", "sum", "broadcast_averaged"},
                                            {"tanh", "sigmoid", NULL},
                                            {"maximum", "minimum", NULL},
                                            {"max", "min", NULL},
                                            {"min", "max", NULL},
                                            {"argmax", "argmin", NULL},
                                            {"zeros_like", "ones_like", NULL},
                                            {"ones_like", "zeros_like", NULL},
                                            {"dot", "multiply", NULL},
                                            {"multiply", "dot", "elementwise_for_product"}};
    const struct expression *callee = x->operands[0], *of = subject(x);
    if (callee->kind != EXPRESSION_ATTRIBUTE && callee->kind != EXPRESSION_NAME) return;
    size_t length = strlen(callee->name);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i][0], callee->name) == 0)
            add_at(l, callee->end - length, callee->end, others[i][2], "%s", others[i][1]);
    if (of == NULL || !has_text(l, of)) return;
    bool method = of != x->operands[1 < x->count ? 1 : 0];
    size_t given = x->count - 1 - !method;
    bool folds = strcmp(callee->name, "sum") == 0 || strcmp(callee->name, "mean") == 0;
    if (folds && given == 0) {
        add_at(l, x->end - 1, x->end, "summed_over_wrong_axis", method ? "axis=0)" : ", axis=0)");
        add_at(l, x->end - 1, x->end, "summed_over_wrong_axis", method ? "axis=1)" : ", axis=1)");
        add_at(l, x->end - 1, x->end, "summed_over_wrong_axis",
               method ? "axis=-1, keepdims=True)" : ", axis=-1, keepdims=True)");
    }
    if (folds && given > 0) {
        const struct expression *first = x->operands[1 + !method];
        add_at(l, method ? callee->end + 1 : of->end, x->end - 1, "summed_over_wrong_axis", "%s", "");
        if (given == 1 && has_text(l, first)) add_at(l, x->end - 1, x->end, NULL, ", keepdims=True)");
    }
    if (folds || strcmp(callee->name, "transpose") == 0 || x->count <= 2) {
        bool compound = !is_primary(of);
        add_at(l, x->begin, x->end, NULL, "%s%.*s%s", compound ? "(" : "", width(of), of->begin, compound ? ")" : "");
    }
    bool product = strcmp(callee->name, "dot") == 0 || strcmp(callee->name, "matmul") == 0;
    const struct expression *second = method         ? (x->count > 1 ? x->operands[1] : NULL)
                                      : x->count > 2 ? x->operands[2]
                                                     : NULL;
    if (product && second != NULL && has_text(l, second) && !method)
        add_at(l, of->begin, second->end, "factors_exchanged", "%.*s, %.*s", width(second), second->begin, width(of),
               of->begin);
}

static void edit_power(struct lister *l, const struct expression *x)
{
    const struct expression *base = x->operands[0];
    if (has_text(l, base)) add_at(l, base->end, x->end, "power_rule", "%s", "");
}

static void edit_index(struct lister *l, const struct expression *x)
{
    if (x->kind == EXPRESSION_NAME) {
        extend(l, x, "gradient_at_wrong_index", " - 1");
        extend(l, x, "gradient_at_wrong_index", " + 1");
    }
    if (x->kind != EXPRESSION_SLICE || !has_text(l, x)) return;
    static const char *const slices[] = {"1:", ":-1", ":", NULL};
    for (size_t i = 0; slices[i] != NULL; i++)
        replace(l, x, "gradient_at_wrong_index", slices[i]);
}

/* Whether what an attribute names is no array: x.shape, and what is called. */
static bool is_array_name(const struct expression *x)
{
    if (x->kind != EXPRESSION_ATTRIBUTE) return true;
    return strcmp(x->name, "shape") != 0 && strcmp(x->name, "size") != 0 && strcmp(x->name, "ndim") != 0;
}

/* Whether it is what an array is got at by. */
static bool is_item(const struct expression *x)
{
    return x->kind == EXPRESSION_SUBSCRIPT || x->kind == EXPRESSION_NAME ||
           (x->kind == EXPRESSION_ATTRIBUTE && strcmp(x->name, "T") != 0 && is_array_name(x));
}

static void walk(struct lister *l, const struct expression *x, bool axis, bool index, size_t depth)
{
    if (x == NULL || depth > LANGUAGE_LEVELS_MAX) return;
    const bool bound = l->bound;
    l->bound = false;
    bool text = has_text(l, x), value = is_primary(x) && !axis && !index && is_array_name(x);
    bool transposed = x->kind == EXPRESSION_ATTRIBUTE && strcmp(x->name, "T") == 0;
    if (text && transposed && has_text(l, x->operands[0]))
        add_at(l, x->operands[0]->end, x->end, "operand_not_transposed", "%s", "");
    if (text && value && !transposed) {
        if (!bound) extend(l, x, "power_rule", "**2");
        extend(l, x, "operand_not_transposed", ".T");
    }
    if (text && x->kind == EXPRESSION_NUMBER) edit_number(l, x, axis, index);
    if (text && x->kind == EXPRESSION_NAME && !axis && !index) edit_name(l, x);
    if (text && is_item(x) && !bound && !axis && !index) edit_item(l, x);
    if (text && index) edit_index(l, x);
    if (text && (is_turn(l, x) || (index && x->kind == EXPRESSION_NUMBER))) edit_turn(l, x);
    if (text && x->kind == EXPRESSION_CHAIN) edit_chain(l, x);
    if (text && x->kind == EXPRESSION_POWER) edit_power(l, x);
    if (text && x->kind == EXPRESSION_CALL) edit_call(l, x);
    if (x->kind == EXPRESSION_COMPARE && x->count == 2 && has_text(l, x->operands[0]) && has_text(l, x->operands[1]))
        edit_operation(l, x->operands[0], x->operands[1], x->operations[0]);
    if (x->kind == EXPRESSION_UNARY && x->operation == OPERATION_NEGATIVE && has_text(l, x->operands[0]))
        add_at(l, x->begin, x->operands[0]->begin, "sign_flipped", "%s", "");
    bool call = x->kind == EXPRESSION_CALL, subscript = x->kind == EXPRESSION_SUBSCRIPT;
    bool named = call && (x->operands[0]->kind == EXPRESSION_NAME || x->operands[0]->kind == EXPRESSION_ATTRIBUTE);
    if (x->kind == EXPRESSION_LAMBDA) walk(l, x->function->body.list[0]->value, false, false, depth + 1);
    l->bound = named && x->operands[0]->kind == EXPRESSION_ATTRIBUTE;
    if (l->bound) walk(l, x->operands[0]->operands[0], axis, index, depth + 1); /* the method's object */
    for (size_t i = named ? 1 : 0; i < x->count; i++) {
        bool is_axis = call && i > 0 && x->keywords[i] != NULL && x->keywords[i] != syntax_star;
        bool is_place = call && i > 0 && x->operands[i]->kind == EXPRESSION_NUMBER;
        l->bound = i == 0 && (subscript || x->kind == EXPRESSION_ATTRIBUTE);
        walk(l, x->operands[i], axis || is_axis || is_place,
             index || (subscript && i > 0) || (x->kind == EXPRESSION_SLICE), depth + 1);
    }
}

/* ---- a statement ---- */

/* for i in range(1, n): other bounds, or the other way round. */
static void edit_loop(struct lister *l, const struct expression *x)
{
    if (x->kind != EXPRESSION_CALL || x->operands[0]->kind != EXPRESSION_NAME || x->count < 2) return;
    const struct expression *first = x->operands[1], *last = x->operands[x->count - 1];
    bool range = strcmp(x->operands[0]->name, "range") == 0, reversed = strcmp(x->operands[0]->name, "reversed") == 0;
    if (!has_text(l, x) || !has_text(l, first) || !has_text(l, last)) return;
    if (reversed) {
        add_at(l, x->begin, x->end, "gradient_at_wrong_index", "%.*s", width(first), first->begin);
        edit_loop(l, first);
    }
    if (!range) return;
    const struct expression *end = x->count == 2 ? first : x->operands[2];
    if (x->count == 3) add_at(l, first->begin, last->begin, "gradient_at_wrong_index", "%s", "");
    if (x->count == 2)
        add_at(l, first->begin, first->end, "gradient_at_wrong_index", "1, %.*s", width(first), first->begin);
    if (has_text(l, end)) {
        add_at(l, end->begin, end->end, "gradient_at_wrong_index", "%.*s - 1", width(end), end->begin);
        add_at(l, end->begin, end->end, "gradient_at_wrong_index", "%.*s + 1", width(end), end->begin);
    }
    add_at(l, x->begin, x->end, "gradient_at_wrong_index", "reversed(%.*s)", width(x), x->begin);
}

/* r, s = i, j the other way round. */
static void edit_pair(struct lister *l, const struct expression *x)
{
    if (x->kind != EXPRESSION_TUPLE || x->count != 2 || !has_text(l, x->operands[0]) || !has_text(l, x->operands[1]))
        return;
    const struct expression *a = x->operands[0], *b = x->operands[1];
    add_at(l, a->begin, b->end, "gradient_at_wrong_index", "%.*s, %.*s", width(b), b->begin, width(a), a->begin);
}

/* What is put beside an expression, and what encloses that. */
struct beside {
    int width;
    const char *text, *open, *close;
};

static void add_beside(struct lister *l, const struct expression *x, const struct beside *b, const char *mistake,
                       const char *before, const char *behind)
{
    add_at(l, x->begin, x->end, mistake, "%s%.*s%s%s%.*s%s", b->open, width(x), x->begin, b->close, before, b->width,
           b->text, behind);
}

static void edit_factor(struct lister *l, const struct expression *x, const struct beside *b)
{
    add_beside(l, x, b, "other_factor_missing", " * ", "");
    add_beside(l, x, b, "other_factor_missing", " / ", "");
}

/* The factor that an activation leaves, in terms of what goes into it or comes out of it. */
static void edit_activation(struct lister *l, const struct expression *x, const struct beside *b)
{
    static const char *const missing = "missing_activation_derivative";
    add_beside(l, x, b, missing, " * (", " > 0)");
    add_beside(l, x, b, missing, " * (1 - ", "**2)");
    add_at(l, x->begin, x->end, missing, "%s%.*s%s * %.*s * (1 - %.*s)", b->open, width(x), x->begin, b->close,
           b->width, b->text, b->width, b->text);
    add_beside(l, x, b, "other_factor_missing", " * (1 - ", ")");
}

static void edit_term(struct lister *l, const struct expression *x, const struct beside *b)
{
    static const char *const missing = "contribution_missing";
    add_at(l, x->begin, x->end, missing, "%.*s + %.*s", width(x), x->begin, b->width, b->text);
    add_at(l, x->begin, x->end, missing, "%.*s - %.*s", width(x), x->begin, b->width, b->text);
    add_at(l, x->begin, x->end, missing, "%.*s - %s%.*s%s", b->width, b->text, b->open, width(x), x->begin, b->close);
}

/* What the statement makes, with something done to all of it. */
static void edit_whole(struct lister *l, const struct expression *x, const struct shape *shape)
{
    char text[32];
    bool enclosed = is_primary(x) || x->kind == EXPRESSION_POWER, product = x->kind == EXPRESSION_CHAIN &&
                                                                            x->operations[0] != OPERATION_ADD &&
                                                                            x->operations[0] != OPERATION_SUBTRACT;
    const char *open = enclosed || product ? "" : "(", *close = enclosed || product ? "" : ")";
    int n = width(x);
    l->cost = 2;
    add_at(l, x->begin, x->end, "sign_flipped", "-%s%.*s%s", open, n, x->begin, close);
    for (size_t i = 0; i < l->operands.constant_count; i++) {
        const char *mistake = "other_factor_missing";
        add_at(l, x->begin, x->end, mistake, "%s%.*s%s * %.12g", open, n, x->begin, close, l->operands.constants[i]);
        add_at(l, x->begin, x->end, mistake, "%s%.*s%s / %.12g", open, n, x->begin, close, l->operands.constants[i]);
    }
    add_at(l, x->begin, x->end, "missing_factor_two", "2 * %s%.*s%s", open, n, x->begin, close);
    add_at(l, x->begin, x->end, "constant_factor", "%s%.*s%s / 2", open, n, x->begin, close);
    for (size_t i = 0; i < l->operands.size_count; i++) {
        const char *size = size_text(l, l->operands.sizes[i], text, sizeof text);
        add_at(l, x->begin, x->end, "not_averaged_over_batch", "%s%.*s%s / %s", open, n, x->begin, close, size);
        add_at(l, x->begin, x->end, "averaged_twice", "%s%.*s%s * %s", open, n, x->begin, close, size);
        add_at(l, x->begin, x->end, NULL, "2 * %s%.*s%s / %s", open, n, x->begin, close, size);
    }
    for (int axis = 0; axis < 2; axis++)
        add_at(l, x->begin, x->end, "broadcast_not_summed", "np.sum(%.*s, axis=%d)", n, x->begin, axis);
    add_at(l, x->begin, x->end, "broadcast_not_summed", "np.sum(%.*s)", n, x->begin);
    bool bare = is_primary(x);
    add_at(l, x->begin, x->end, "transposed", "%s%.*s%s.T", bare ? "" : "(", n, x->begin, bare ? "" : ")");
    l->cost = 3;
    for (size_t i = 0; shape != NULL && i < l->operands.name_count; i++) {
        const struct operand *m = &l->operands.names[i];
        struct shape common;
        if (m->number || !array_common_shape(&m->shape, shape, &common) || !shape_equal(&common, shape)) continue;
        const struct beside beside = {(int)strlen(m->name), m->name, open, close};
        edit_factor(l, x, &beside);
        if (!shape_equal(&m->shape, shape)) continue;
        if (!m->gradient) edit_activation(l, x, &beside);
        edit_term(l, x, &beside);
    }
    for (size_t i = 0; i < l->operands.item_count; i++) {
        const struct expression *item = l->operands.items[i];
        const struct beside beside = {width(item), item->begin, open, close};
        edit_factor(l, x, &beside);
        edit_activation(l, x, &beside);
        edit_term(l, x, &beside);
    }
}

/* += for =, and the other way round. */
static void edit_assignment(struct lister *l, const struct statement *s)
{
    const struct expression *target = s->targets[s->target_count - 1];
    if (!has_text(l, target) || s->value == NULL || !has_text(l, s->value)) return;
    const char *from = target->end, *to = s->value->begin;
    if (s->kind == STATEMENT_ASSIGN && s->target_count == 1 && target->kind != EXPRESSION_TUPLE) {
        add_at(l, from, to, "gradient_overwritten", " += ");
        return;
    }
    if (s->kind != STATEMENT_UPDATE) return;
    add_at(l, from, to, "sent_twice", " = ");
    if (s->operation == OPERATION_ADD) add_at(l, from, to, "sign_flipped", " -= ");
    if (s->operation == OPERATION_SUBTRACT) add_at(l, from, to, "sign_flipped", " += ");
    if (s->operation == OPERATION_MULTIPLY) add_at(l, from, to, "quotient_rule", " /= ");
    if (s->operation == OPERATION_DIVIDE) add_at(l, from, to, "quotient_rule", " *= ");
}

bool edits_list(struct arena *arena, const struct run *plain, size_t statement, struct edit **edits, size_t *count)
{
    struct lister *l = arena_zeroed(arena, 1, sizeof *l);
    const struct statement *s = plain->statements[statement];
    *edits = NULL;
    *count = 0;
    if (l == NULL) return false;
    l->arena = arena;
    l->plain = plain;
    l->statement = statement;
    l->list = arena_array(arena, EDITS_MAX, sizeof *l->list);
    if (l->list == NULL) return false;
    if (s == NULL || s->value == NULL) return true;
    operands_find(plain, s, &l->operands);
    l->cost = 1;
    walk(l, s->value, false, false, 0);
    edit_pair(l, s->value);
    if (s->kind == STATEMENT_FOR) {
        edit_loop(l, s->value);
        *edits = l->list;
        *count = l->count;
        return !l->failed;
    }
    l->target = true;
    for (size_t t = 0; t < s->target_count; t++)
        if (s->targets[t]->kind == EXPRESSION_SUBSCRIPT) walk(l, s->targets[t], false, false, 0);
    if (s->target_count > 0) edit_assignment(l, s);
    const struct shape *shape = NULL;
    size_t first = plain->outcomes[statement].first;
    if (first != EVENT_NONE) {
        const struct event *event = &plain->events[first];
        shape = event->aim != GRADIENT_NONE ? &plain->surroundings->aims[event->aim].shape : &event->array->shape;
    }
    if (has_text(l, s->value) && s->value->kind != EXPRESSION_TUPLE && s->value->kind != EXPRESSION_DICTIONARY)
        edit_whole(l, s->value, shape);
    *edits = l->list;
    *count = l->count;
    return !l->failed;
}

const char *edits_apply(struct arena *arena, const struct run *plain, const struct edit *const *edits, size_t count,
                        size_t *length)
{
    const char *text = plain->syntax.text;
    size_t room = plain->syntax.length + 1, at = 0, used = 0;
    for (size_t i = 0; i < count; i++)
        room += strlen(edits[i]->text);
    char *made = arena_alloc(arena, room);
    if (made == NULL) return NULL;
    for (size_t done = 0; done < count; done++) {
        const struct edit *next = NULL;
        for (size_t i = 0; i < count; i++)
            if (edits[i]->from >= at && edits[i]->to > at && (next == NULL || edits[i]->from < next->from))
                next = edits[i]; /* none is empty, which would be found again */
        if (next == NULL) break;
        memcpy(made + used, text + at, next->from - at);
        used += next->from - at;
        memcpy(made + used, next->text, strlen(next->text));
        used += strlen(next->text);
        at = next->to;
    }
    memcpy(made + used, text + at, plain->syntax.length - at);
    *length = used + plain->syntax.length - at;
    made[*length] = '\0';
    return made;
}
