/* What stands between operators, from the tightest to the loosest of these. */
#include "core/language/parser.h"

static struct expression *parse_unary(struct parser *p);
static struct expression *parse_inner_unary(struct parser *p);

/* x ** y: tighter than a sign on its left, looser than one on its right. */
static struct expression *parse_power(struct parser *p)
{
    struct list list = {0};
    struct expression *e = parse_primary(p);
    struct spot spot = p->token->spot;
    if (e == NULL || !parser_take_operator(p, "**")) return e;
    struct expression *exponent = parse_inner_unary(p);
    if (exponent == NULL || parser_append(p, &list, e) != CODE_OK || parser_append(p, &list, exponent) != CODE_OK)
        return NULL;
    return parser_with_operands(p, EXPRESSION_POWER, spot, &list);
}

static struct expression *parse_signed(struct parser *p, enum operation operation)
{
    struct list list = {0};
    const struct token *sign = p->token;
    parser_next(p);
    struct expression *operand = parse_inner_unary(p);
    if (operand == NULL || parser_append(p, &list, operand) != CODE_OK) return NULL;
    struct expression *e = parser_with_operands(p, EXPRESSION_UNARY, sign->spot, &list);
    if (e == NULL) return NULL;
    e->operation = operation;
    e->begin = sign->text;
    return e;
}

static struct expression *parse_unary(struct parser *p)
{
    return parser_at_operator(p, "-")   ? parse_signed(p, OPERATION_NEGATIVE)
           : parser_at_operator(p, "+") ? parse_signed(p, OPERATION_POSITIVE)
           : parser_at_operator(p, "~") ? parse_signed(p, OPERATION_INVERT)
                                        : parse_power(p);
}

/* One within a unary one, or an exponent. */
static struct expression *parse_inner_unary(struct parser *p)
{
    if (!parser_enter(p)) return NULL;
    struct expression *e = parse_unary(p);
    parser_leave(p);
    return e;
}

static const struct binary factors[] = {{"*", OPERATION_MULTIPLY}, {"/", OPERATION_DIVIDE},
                                        {"@", OPERATION_MATMUL},   {"//", OPERATION_FLOOR_DIVIDE},
                                        {"%", OPERATION_MODULO},   {NULL, OPERATION_NONE}};
static const struct binary terms[] = {{"+", OPERATION_ADD}, {"-", OPERATION_SUBTRACT}, {NULL, OPERATION_NONE}};
static const struct binary ands[] = {{"&", OPERATION_AND}, {NULL, OPERATION_NONE}};
static const struct binary xors[] = {{"^", OPERATION_XOR}, {NULL, OPERATION_NONE}};
static const struct binary ors[] = {{"|", OPERATION_OR}, {NULL, OPERATION_NONE}};
static const struct binary *const chains[] = {factors, terms, ands, xors, ors};
enum { CHAINS = sizeof chains / sizeof *chains };

/* Operands of the next tighter level with the operators of this one between them. */
static struct expression *parse_chain(struct parser *p, size_t level)
{
    struct list list = {0}, operations = {0}, operators = {0};
    struct expression *e;
    enum operation operation;
    for (;;) {
        e = level == 0 ? parse_unary(p) : parse_chain(p, level - 1);
        if (e == NULL) return NULL;
        operation = parser_operation(p, chains[level]);
        if (operation == OPERATION_NONE && list.count == 0) return e;
        if (parser_append(p, &list, e) != CODE_OK) return NULL;
        if (operation == OPERATION_NONE) break;
        if (parser_append(p, &operations, (void *)(uintptr_t)operation) != CODE_OK) return NULL;
        if (parser_append(p, &operators, (void *)(uintptr_t)p->token) != CODE_OK) return NULL;
        parser_next(p);
    }
    e = parser_with_operands(p, EXPRESSION_CHAIN, ((const struct token *)operators.items[0])->spot, &list);
    if (e == NULL) return NULL;
    e->operations = arena_array(p->reader->arena, operations.count, sizeof *e->operations);
    e->operators = arena_array(p->reader->arena, operations.count, sizeof *e->operators);
    if (e->operations == NULL || e->operators == NULL) {
        text_no_memory(p->reader);
        return NULL;
    }
    for (size_t i = 0; i < operations.count; i++) {
        e->operations[i] = (enum operation)(uintptr_t)operations.items[i];
        e->operators[i] = ((const struct token *)operators.items[i])->spot;
    }
    return e;
}

static enum operation take_comparison(struct parser *p)
{
    static const struct binary comparisons[] = {{"<", OPERATION_LESS},    {"<=", OPERATION_LESS_EQUAL},
                                                {">", OPERATION_GREATER}, {">=", OPERATION_GREATER_EQUAL},
                                                {"==", OPERATION_EQUAL},  {"!=", OPERATION_NOT_EQUAL},
                                                {NULL, OPERATION_NONE}};
    enum operation operation = parser_operation(p, comparisons);
    if (operation != OPERATION_NONE) {
        parser_next(p);
    } else if (parser_take_word(p, "in")) {
        operation = OPERATION_IN;
    } else if (parser_at_word(p, "not") && parser_is_text(&p->token[1], TOKEN_NAME, "in")) {
        parser_next(p);
        parser_next(p);
        operation = OPERATION_NOT_IN;
    } else if (parser_take_word(p, "is")) {
        operation = parser_take_word(p, "not") ? OPERATION_IS_NOT : OPERATION_IS;
    }
    return operation;
}

static struct expression *parse_comparison(struct parser *p)
{
    struct list list = {0};
    enum { COMPARISONS_MAX = 8 };
    enum operation operations[COMPARISONS_MAX];
    struct spot spot = {0};
    for (;;) {
        struct expression *e = parse_chain(p, CHAINS - 1);
        struct spot here = p->token->spot;
        enum operation operation = e != NULL ? take_comparison(p) : OPERATION_NONE;
        if (e == NULL || (operation == OPERATION_NONE && list.count == 0)) return e;
        if (parser_append(p, &list, e) != CODE_OK) return NULL;
        if (operation == OPERATION_NONE) break;
        if (list.count == 1) spot = here;
        if (list.count > COMPARISONS_MAX) {
            text_fault(p->reader, here, "more than %d comparisons in a row", COMPARISONS_MAX);
            return NULL;
        }
        operations[list.count - 1] = operation;
    }
    struct expression *e = parser_with_operands(p, EXPRESSION_COMPARE, spot, &list);
    if (e == NULL) return NULL;
    e->operations = arena_array(p->reader->arena, list.count, sizeof *e->operations);
    if (e->operations == NULL) {
        text_no_memory(p->reader);
        return NULL;
    }
    memcpy(e->operations, operations, (list.count - 1) * sizeof *operations);
    return e;
}

static struct expression *parse_not(struct parser *p)
{
    struct list list = {0};
    const struct token *word = p->token;
    if (!parser_take_word(p, "not")) return parse_comparison(p);
    if (!parser_enter(p)) return NULL;
    struct expression *operand = parse_not(p);
    parser_leave(p);
    if (operand == NULL || parser_append(p, &list, operand) != CODE_OK) return NULL;
    struct expression *e = parser_with_operands(p, EXPRESSION_UNARY, word->spot, &list);
    if (e == NULL) return NULL;
    e->operation = OPERATION_NOT;
    e->begin = word->text;
    return e;
}

struct expression *parse_words(struct parser *p, bool either)
{
    struct list list = {0};
    struct spot spot = {0};
    for (;;) {
        struct expression *e = either ? parse_words(p, false) : parse_not(p);
        struct spot here = p->token->spot;
        bool more = e != NULL && parser_take_word(p, either ? "or" : "and");
        if (e == NULL || (!more && list.count == 0)) return e;
        if (parser_append(p, &list, e) != CODE_OK) return NULL;
        if (list.count == 1) spot = here;
        if (!more) return parser_with_operands(p, either ? EXPRESSION_EITHER : EXPRESSION_BOTH, spot, &list);
    }
}

static struct expression *parse_choice(struct parser *p)
{
    struct list list = {0};
    struct expression *e = parse_words(p, true);
    struct spot spot = p->token->spot;
    if (e == NULL || !parser_take_word(p, "if")) return e;
    struct expression *condition = parse_words(p, true);
    if (condition == NULL) return NULL;
    if (!parser_take_word(p, "else")) {
        parser_unexpected(p, "\"else\"");
        return NULL;
    }
    struct expression *otherwise = parse_expression(p);
    if (otherwise == NULL || parser_append(p, &list, e) != CODE_OK || parser_append(p, &list, condition) != CODE_OK ||
        parser_append(p, &list, otherwise) != CODE_OK)
        return NULL;
    return parser_with_operands(p, EXPRESSION_CHOICE, spot, &list);
}

bool parse_parameters(struct parser *p, const char *closing, struct statement *s)
{
    struct list list = {0};
    const bool annotated = strcmp(closing, ":") != 0;
    while (!parser_failed(p) && !parser_at_operator(p, closing)) {
        struct parameter *parameter = arena_zeroed(p->reader->arena, 1, sizeof *parameter);
        const struct token *t = p->token;
        if (parameter == NULL) return text_no_memory(p->reader) == CODE_OK;
        if (t->kind != TOKEN_NAME || parser_is_reserved(t)) {
            parser_unexpected(p, "a parameter's name");
            return false;
        }
        parser_next(p);
        if (parser_intern(p, t->text, t->length, &parameter->name, &parameter->symbol) != CODE_OK) return false;
        if (annotated && parser_take_operator(p, ":") && parse_expression(p) == NULL) return false;
        if (parser_take_operator(p, "=") && (parameter->fallback = parse_expression(p)) == NULL) return false;
        if (parser_append(p, &list, parameter) != CODE_OK) return false;
        if (!parser_take_operator(p, ",")) break;
    }
    if (!parser_expect(p, closing)) return false;
    s->parameters = arena_array(p->reader->arena, list.count, sizeof *s->parameters);
    if (s->parameters == NULL) return text_no_memory(p->reader) == CODE_OK;
    for (size_t i = 0; i < list.count; i++)
        s->parameters[i] = *(struct parameter *)list.items[i];
    s->parameter_count = list.count;
    return true;
}

static struct expression *parse_lambda(struct parser *p)
{
    struct list list = {0};
    const struct token *word = p->token;
    struct statement *s = parser_new_statement(p, STATEMENT_DEFINE, word),
                     *body = parser_new_statement(p, STATEMENT_RETURN, word);
    parser_next(p);
    if (s == NULL || body == NULL || !parse_parameters(p, ":", s)) return NULL;
    s->name = "a lambda";
    body->of_lambda = true;
    body->value = parse_expression(p);
    if (body->value == NULL || parser_append(p, &list, body) != CODE_OK) return NULL;
    s->body = (struct block){.list = (struct statement **)(void *)list.items, .count = 1};
    struct list none = {0};
    struct expression *e = parser_with_operands(p, EXPRESSION_LAMBDA, word->spot, &none);
    if (e == NULL) return NULL;
    e->function = s;
    e->begin = word->text;
    e->end = p->last_end;
    return e;
}

struct expression *parse_expression(struct parser *p)
{
    if (!parser_enter(p)) return NULL;
    struct expression *e = parser_at_word(p, "lambda") ? parse_lambda(p) : parse_choice(p);
    parser_leave(p);
    return e;
}

/* An expression, or several with commas between them: a tuple without parentheses. */
struct expression *parse_expressions(struct parser *p)
{
    struct list list = {0};
    const struct token *begin = p->token;
    struct expression *e = parse_expression(p);
    if (e == NULL || !parser_at_operator(p, ",")) return e;
    if (parser_append(p, &list, e) != CODE_OK) return NULL;
    while (parser_take_operator(p, ",")) {
        if (p->token->kind == TOKEN_NEWLINE || parser_at_operator(p, "=")) break;
        e = parse_expression(p);
        if (e == NULL || parser_append(p, &list, e) != CODE_OK) return NULL;
    }
    return parser_with_operands(p, EXPRESSION_TUPLE, begin->spot, &list);
}

struct expression *parse_loop_target(struct parser *p)
{
    struct list names = {0};
    struct spot spot = p->token->spot;
    do {
        struct expression *target = parse_unary(p);
        if (target == NULL || !parser_is_target(p, target, false) || parser_append(p, &names, target) != CODE_OK)
            return NULL;
    } while (parser_take_operator(p, ","));
    return names.count == 1 ? names.items[0] : parser_with_operands(p, EXPRESSION_TUPLE, spot, &names);
}
