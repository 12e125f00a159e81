#include "core/backward/expression_edits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/backward/gradient_of.h"

/* ---- names ---- */

/* A place of an array by the variable of another loop. */
static void edit_turn(struct lister *l, const struct expression *x)
{
    for (size_t i = 0; i < l->operands.turn_count; i++)
        if (x->kind == EXPRESSION_NUMBER || strcmp(l->operands.turns[i], x->name) != 0)
            edit_add(l, x->begin, x->end, "gradient_at_wrong_index", "%s", l->operands.turns[i]);
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

/* ---- an expression ---- */

static void edit_number(struct lister *l, const struct expression *x, bool axis, bool index)
{
    char text[32];
    double n = x->number;
    const char *mistake = axis ? "summed_over_wrong_axis" : index ? "gradient_at_wrong_index" : "constant_factor";
    if (n == 0 || n == 1) edit_replace(l, x, mistake, n == 0 ? "1" : "0");
    const double others[] = {n + 1, n - 1, 2 * n, n / 2, -n, 1};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        bool again = others[i] == n || ((n == 0 || n == 1) && others[i] == 1 - n);
        for (size_t k = 0; k < i; k++)
            again = again || others[k] == others[i];
        if (again || ((axis || index) && others[i] != floor(others[i]))) continue;
        snprintf(text, sizeof text, "%.12g", others[i]);
        edit_replace(l, x, mistake, text);
    }
    for (size_t i = 0; !axis && !index && i < l->operands.constant_count; i++) {
        snprintf(text, sizeof text, "%.12g", l->operands.constants[i]);
        if (l->operands.constants[i] != n) edit_replace(l, x, "constant_factor", text);
    }
}

static void edit_name(struct lister *l, const struct expression *x)
{
    const struct operand *named = find_named(l, x->name);
    for (size_t i = 0; named != NULL && i < l->operands.name_count; i++) {
        const struct operand *other = &l->operands.names[i];
        if (other == named || other->number != named->number) continue;
        if (named->number || shape_equal(&other->shape, &named->shape))
            edit_replace(l, x, "wrong_layer_used", other->name);
    }
    if (named == NULL || named->number) return;
    int cost = l->cost; /* a * a for a * (1 - a) */
    l->cost = 2;
    edit_add(l, x->begin, x->end, NULL, "(1 - %s)", x->name);
    l->cost = cost;
}

/* Where the bracket of a subscript stands. */
static const char *place_of(const struct expression *x)
{
    return x->operands[0]->end;
}

/* The same place of another array, or another place of the same; or both: P[u] for Q[i]. */
static void edit_place(struct lister *l, const struct expression *x)
{
    const struct operand *own = x->operands[0]->kind == EXPRESSION_NAME ? find_named(l, x->operands[0]->name) : NULL;
    if (own == NULL || x->count != 2) return;
    for (size_t i = 0; i < l->operands.item_count; i++) {
        const struct expression *other = l->operands.items[i];
        if (other->kind != EXPRESSION_SUBSCRIPT || other->count != 2 || !edit_has_text(l, other->operands[1])) continue;
        const struct expression *place = other->operands[1];
        if (!edit_has_same_text(place, x->operands[1]))
            edit_add(l, place_of(x), x->end, "gradient_at_wrong_index", "[%.*s]", edit_width(place), place->begin);
        for (size_t k = 0; k < l->operands.name_count; k++) {
            const struct operand *array = &l->operands.names[k];
            bool like = array != own && !array->number && !array->gradient && array->shape.rank == own->shape.rank;
            if (like)
                edit_add(l, x->begin, x->end, "wrong_layer_used", "%s[%.*s]", array->name, edit_width(place),
                         place->begin);
        }
    }
}

/* An item in place of another one, or of a name: cache['Z1'] for cache['A1'], dhs[t] for dh. */
static void edit_item(struct lister *l, const struct expression *x)
{
    int cost = l->cost;
    l->cost = x->kind == EXPRESSION_NAME ? 2 : 1;
    for (size_t i = 0; i < l->operands.item_count; i++) {
        const struct expression *other = l->operands.items[i];
        bool same = edit_has_same_text(other, x);
        if (l->target) /* another place of the same, or other things were made than before */
            same = same || x->kind != EXPRESSION_SUBSCRIPT || other->kind != EXPRESSION_SUBSCRIPT ||
                   !edit_has_same_text(other->operands[0], x->operands[0]);
        if (!same) edit_add(l, x->begin, x->end, "wrong_layer_used", "%.*s", edit_width(other), other->begin);
    }
    l->cost = 2;
    if (!l->target && x->kind == EXPRESSION_SUBSCRIPT) edit_place(l, x);
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
            edit_add(l, left->end, right->begin, table[i].mistake, "%s", operation_text(table[i].to));
}

/* What an activation leaves, in another of its forms: of tanh, sigmoid, relu. */
static void edit_derivative(struct lister *l, const char *from, const char *to, const struct expression *of)
{
    static const char *const mistake = "missing_activation_derivative";
    int n = edit_width(of);
    const bool bare = edit_is_primary(of);
    const char *open = bare ? "" : "(", *close = bare ? "" : ")";
    edit_add(l, from, to, mistake, "(1 - %s%.*s%s**2)", open, n, of->begin, close);
    edit_add(l, from, to, mistake, "(%s%.*s%s * (1 - %.*s))", open, n, of->begin, close, n, of->begin);
    edit_add(l, from, to, mistake, "(%.*s > 0)", n, of->begin);
}

/* The h of 1 - h; NULL where it is something else. With `squared`, of 1 - h**2. */
static const struct expression *rest_of(const struct expression *x, bool squared)
{
    if (x->kind != EXPRESSION_CHAIN || x->count != 2 || x->operations[0] != OPERATION_SUBTRACT ||
        x->operands[0]->kind != EXPRESSION_NUMBER || x->operands[0]->number != 1)
        return NULL;
    const struct expression *rest = x->operands[1];
    if (!squared) return rest;
    return rest->kind == EXPRESSION_POWER ? rest->operands[0] : NULL;
}

static void edit_derivatives(struct lister *l, const struct expression *x)
{
    const int cost = l->cost;
    const struct expression *of = rest_of(x, true);
    l->cost = 2;
    if (of != NULL && edit_has_text(l, of)) edit_derivative(l, x->begin, x->end, of);
    for (size_t i = 0; i + 1 < x->count; i++) {
        const struct expression *left = x->operands[i], *rest = rest_of(x->operands[i + 1], false);
        bool pair = x->operations[i] == OPERATION_MULTIPLY && rest != NULL && edit_has_text(l, left) &&
                    edit_has_text(l, rest) && edit_has_same_text(left, rest);
        if (pair) edit_derivative(l, left->begin, x->operands[i + 1]->end, left);
    }
    for (size_t i = 0; i < x->count; i++) {
        const struct expression *one = x->operands[i];
        bool factor = (i > 0 && x->operations[i - 1] == OPERATION_MULTIPLY) ||
                      (i + 1 < x->count && x->operations[i] == OPERATION_MULTIPLY);
        factor = factor && !(one->kind == EXPRESSION_NAME && is_like_gradient(one->name));
        if (factor && edit_has_text(l, one) && edit_is_primary(one)) edit_derivative(l, one->begin, one->end, one);
    }
    l->cost = cost;
}

/* Weights without the bias that is among them. */
static void edit_part(struct lister *l, const struct expression *x)
{
    if (!edit_is_primary(x)) return;
    l->cost++;
    edit_extend(l, x, NULL, "[:, 1:]");
    edit_extend(l, x, NULL, "[1:]");
    l->cost--;
}

static void edit_chain(struct lister *l, const struct expression *x)
{
    bool adds = x->operations[0] == OPERATION_ADD || x->operations[0] == OPERATION_SUBTRACT;
    if (adds && edit_has_text(l, x->operands[0]))
        edit_add(l, x->operands[0]->begin, x->operands[0]->end, "sign_flipped", "-%.*s", edit_width(x->operands[0]),
                 x->operands[0]->begin);
    edit_derivatives(l, x);
    for (size_t i = 0; i + 1 < x->count; i++) {
        const struct expression *left = x->operands[i], *right = x->operands[i + 1];
        enum operation operation = x->operations[i];
        if (!edit_has_text(l, left) || !edit_has_text(l, right)) return;
        edit_add(l, left->end, right->end, NULL, "%s", ""); /* without the operand */
        edit_operation(l, left, right, operation);
        if (operation == OPERATION_MATMUL) edit_part(l, left);
        if (operation == OPERATION_MATMUL) edit_part(l, right);
        bool plain = i == 0 || operation == OPERATION_MATMUL || operation == OPERATION_MULTIPLY;
        if (plain && operation_text(operation) != NULL)
            edit_add(l, left->begin, right->end, operation == OPERATION_SUBTRACT ? "sign_flipped" : "factors_exchanged",
                     "%.*s%s%.*s", edit_width(right), right->begin, operation_text(operation), edit_width(left),
                     left->begin);
        bool drops = i == 0 && (operation == OPERATION_MULTIPLY || operation == OPERATION_ADD ||
                                operation == OPERATION_MATMUL || operation == OPERATION_SUBTRACT);
        if (drops) edit_add(l, left->begin, right->begin, NULL, "%s", operation == OPERATION_SUBTRACT ? "-" : "");
    }
    /* a + b * c as (a + b) * c */
    const struct expression *last = x->operands[x->count - 1];
    if (!edit_is_enclosed(x) && last->kind == EXPRESSION_CHAIN && !edit_is_enclosed(last) &&
        edit_has_text(l, last->operands[0]) && last->operations[0] != OPERATION_ADD &&
        last->operations[0] != OPERATION_SUBTRACT)
        edit_add(l, x->begin, last->operands[0]->end, "operator_precedence", "(%.*s)",
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
            edit_add(l, callee->end - length, callee->end, others[i][2], "%s", others[i][1]);
    if (of == NULL || !edit_has_text(l, of)) return;
    bool method = of != x->operands[1 < x->count ? 1 : 0];
    size_t given = x->count - 1 - !method;
    bool folds = strcmp(callee->name, "sum") == 0 || strcmp(callee->name, "mean") == 0;
    if (folds && given == 0) {
        edit_add(l, x->end - 1, x->end, "summed_over_wrong_axis", method ? "axis=0)" : ", axis=0)");
        edit_add(l, x->end - 1, x->end, "summed_over_wrong_axis", method ? "axis=1)" : ", axis=1)");
        edit_add(l, x->end - 1, x->end, "summed_over_wrong_axis",
                 method ? "axis=-1, keepdims=True)" : ", axis=-1, keepdims=True)");
    }
    if (folds && given > 0) {
        const struct expression *first = x->operands[1 + !method];
        edit_add(l, method ? callee->end + 1 : of->end, x->end - 1, "summed_over_wrong_axis", "%s", "");
        if (given == 1 && edit_has_text(l, first)) edit_add(l, x->end - 1, x->end, NULL, ", keepdims=True)");
    }
    if (folds || strcmp(callee->name, "transpose") == 0 || x->count <= 2) {
        bool compound = !edit_is_primary(of);
        edit_add(l, x->begin, x->end, NULL, "%s%.*s%s", compound ? "(" : "", edit_width(of), of->begin,
                 compound ? ")" : "");
    }
    bool product = strcmp(callee->name, "dot") == 0 || strcmp(callee->name, "matmul") == 0;
    const struct expression *second = method         ? (x->count > 1 ? x->operands[1] : NULL)
                                      : x->count > 2 ? x->operands[2]
                                                     : NULL;
    if (product && second != NULL && edit_has_text(l, second) && !method)
        edit_add(l, of->begin, second->end, "factors_exchanged", "%.*s, %.*s", edit_width(second), second->begin,
                 edit_width(of), of->begin);
}

static void edit_power(struct lister *l, const struct expression *x)
{
    const struct expression *base = x->operands[0];
    if (edit_has_text(l, base)) edit_add(l, base->end, x->end, "power_rule", "%s", "");
}

static void edit_index(struct lister *l, const struct expression *x)
{
    if (x->kind == EXPRESSION_NAME) {
        edit_extend(l, x, "gradient_at_wrong_index", " - 1");
        edit_extend(l, x, "gradient_at_wrong_index", " + 1");
    }
    if (x->kind != EXPRESSION_SLICE || !edit_has_text(l, x)) return;
    static const char *const slices[] = {"1:", ":-1", ":", NULL};
    for (size_t i = 0; slices[i] != NULL; i++)
        edit_replace(l, x, "gradient_at_wrong_index", slices[i]);
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

/* Whether the numbers that a function is called with are values, rather than axes. */
static bool takes_numbers(const struct expression *callee)
{
    static const char *const names[] = {"where", "maximum", "minimum", "clip", "power", "full", "full_like", NULL};
    if (callee->kind != EXPRESSION_NAME && callee->kind != EXPRESSION_ATTRIBUTE) return false;
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], callee->name) == 0) return true;
    return false;
}

static void walk(struct lister *l, const struct expression *x, bool axis, bool index, size_t depth)
{
    if (x == NULL || depth > LANGUAGE_LEVELS_MAX) return;
    const bool bound = l->bound, argument = l->argument;
    l->bound = l->argument = false;
    bool text = edit_has_text(l, x), value = edit_is_primary(x) && !axis && !index && is_array_name(x);
    bool transposed = x->kind == EXPRESSION_ATTRIBUTE && strcmp(x->name, "T") == 0;
    if (text && transposed && edit_has_text(l, x->operands[0]))
        edit_add(l, x->operands[0]->end, x->end, "operand_not_transposed", "%s", "");
    if (text && value && !transposed) {
        l->cost += argument; /* a function of the code's own squares by itself, where it should */
        if (!bound) edit_extend(l, x, "power_rule", "**2");
        l->cost -= argument;
        edit_extend(l, x, "operand_not_transposed", ".T");
    }
    if (text && x->kind == EXPRESSION_NUMBER) edit_number(l, x, axis, index);
    if (text && x->kind == EXPRESSION_NAME && !axis && !index) edit_name(l, x);
    if (text && is_item(x) && !bound && !axis && !index) edit_item(l, x);
    if (text && index) edit_index(l, x);
    if (text && (is_turn(l, x) || (index && x->kind == EXPRESSION_NUMBER))) edit_turn(l, x);
    if (text && x->kind == EXPRESSION_CHAIN) edit_chain(l, x);
    if (text && x->kind == EXPRESSION_POWER) edit_power(l, x);
    if (text && x->kind == EXPRESSION_CALL) edit_call(l, x);
    if (x->kind == EXPRESSION_COMPARE && x->count == 2 && edit_has_text(l, x->operands[0]) &&
        edit_has_text(l, x->operands[1]))
        edit_operation(l, x->operands[0], x->operands[1], x->operations[0]);
    if (text && x->kind == EXPRESSION_COMPARE && edit_is_enclosed(x) && edit_has_text(l, x->operands[0])) {
        l->cost++;
        edit_derivative(l, x->begin, x->end, x->operands[0]);
        l->cost--;
    }
    if (x->kind == EXPRESSION_UNARY && x->operation == OPERATION_NEGATIVE && edit_has_text(l, x->operands[0]))
        edit_add(l, x->begin, x->operands[0]->begin, "sign_flipped", "%s", "");
    bool call = x->kind == EXPRESSION_CALL, subscript = x->kind == EXPRESSION_SUBSCRIPT;
    bool named = call && (x->operands[0]->kind == EXPRESSION_NAME || x->operands[0]->kind == EXPRESSION_ATTRIBUTE);
    if (x->kind == EXPRESSION_LAMBDA) walk(l, x->function->body.list[0]->value, false, false, depth + 1);
    l->bound = named && x->operands[0]->kind == EXPRESSION_ATTRIBUTE;
    if (l->bound) walk(l, x->operands[0]->operands[0], axis, index, depth + 1); /* the method's object */
    for (size_t i = named ? 1 : 0; i < x->count; i++) {
        bool is_axis = call && i > 0 && x->keywords[i] != NULL && x->keywords[i] != syntax_star;
        bool is_place = call && i > 0 && x->operands[i]->kind == EXPRESSION_NUMBER && !takes_numbers(x->operands[0]);
        l->bound = i == 0 && (subscript || x->kind == EXPRESSION_ATTRIBUTE);
        l->argument = named && x->operands[0]->kind == EXPRESSION_NAME;
        walk(l, x->operands[i], axis || is_axis || is_place,
             index || (subscript && i > 0) || (x->kind == EXPRESSION_SLICE), depth + 1);
    }
}

/* ---- a name throughout ---- */

enum { OCCURRENCES_MAX = 6 };

static void find_occurrences(const struct expression *x, const char *name, const struct expression **list,
                             size_t *count, size_t depth)
{
    if (x == NULL || depth > LANGUAGE_LEVELS_MAX) return;
    if (x->kind == EXPRESSION_NAME && strcmp(x->name, name) == 0 && *count < OCCURRENCES_MAX) list[(*count)++] = x;
    for (size_t i = 0; i < x->count; i++)
        find_occurrences(x->operands[i], name, list, count, depth + 1);
}

/* s * (1 - s) for z * (1 - z). */
static void edit_throughout(struct lister *l, const struct expression *x, const struct operand *named)
{
    const struct expression *list[OCCURRENCES_MAX];
    size_t count = 0;
    char text[2 * OPERAND_TEXT_MAX + 1];
    find_occurrences(x, named->name, list, &count, 0);
    for (size_t i = 0; count > 1 && i < l->operands.name_count; i++) {
        const struct operand *other = &l->operands.names[i];
        const char *at = x->begin;
        size_t n = 0, length = strlen(other->name);
        if (other == named || other->number || !shape_equal(&other->shape, &named->shape)) continue;
        for (size_t k = 0; k <= count; k++) {
            const char *end = k < count ? list[k]->begin : x->end;
            if (end < at || n + (size_t)(end - at) + length >= sizeof text) {
                n = 0; /* they do not stand one behind the other, or it is too long */
                break;
            }
            memcpy(text + n, at, (size_t)(end - at));
            n += (size_t)(end - at);
            if (k == count) break;
            memcpy(text + n, other->name, length);
            n += length;
            at = list[k]->end;
        }
        if (n > 0) edit_add(l, x->begin, x->end, "wrong_layer_used", "%.*s", (int)n, text);
    }
}

void expression_edits(struct lister *l, const struct expression *x)
{
    walk(l, x, false, false, 0);
    if (l->target || !edit_has_text(l, x)) return;
    l->cost++;
    for (size_t i = 0; i < l->operands.name_count; i++)
        if (!l->operands.names[i].number) edit_throughout(l, x, &l->operands.names[i]);
    l->cost--;
}
