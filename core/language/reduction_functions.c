/* Functions that make fewer elements of more: sums, products of matrices. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/language/functions.h"

/* ---- over axes ---- */

enum { REDUCTION_NUMBERS = 3 + TENSOR_RANK_MAX };

/* The numbers of a reduction: how many axes, which, and whether they stay as axes of length 1. */
static size_t reduction_numbers(const bool *chosen, size_t rank, bool keep, double *numbers)
{
    size_t n = 0;
    for (size_t i = 0; i < rank; i++)
        if (chosen[i]) numbers[1 + n++] = (double)i;
    numbers[0] = (double)n;
    numbers[1 + n] = keep;
    return 2 + n;
}

static bool is_argument(const char *op)
{
    return strcmp(op, "argmax") == 0 || strcmp(op, "argmin") == 0;
}

static enum number_type reduced_type(const char *op, enum number_type type)
{
    if (is_argument(op)) return TYPE_INT;
    if (strcmp(op, "max") == 0 || strcmp(op, "min") == 0) return type;
    bool whole = strcmp(op, "sum") == 0 || strcmp(op, "prod") == 0 || strcmp(op, "cumsum") == 0;
    return !whole ? TYPE_FLOAT : type == TYPE_BOOL ? TYPE_INT : type;
}

static int reduce(struct evaluation *e, const char *op, struct array *x, const struct thing *axis, bool keep,
                  double last, bool has_last, struct array **y)
{
    bool chosen[TENSOR_RANK_MAX];
    double numbers[REDUCTION_NUMBERS];
    int code = function_axes(e, axis, x->shape.rank, chosen);
    if (code != CODE_OK) return code;
    size_t n = reduction_numbers(chosen, x->shape.rank, keep, numbers);
    if (has_last) numbers[n++] = last;
    return array_op(e, op, numbers, n, &x, 1, reduced_type(op, x->type), y);
}

/* x, axis=, keepdims= */
static int call_reduction(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL, *y = NULL;
    bool keep;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = argument_truth(e, a, 2, false, &keep);
    if (code == CODE_OK) code = reduce(e, a->builtin->op, x, &a->things[1], keep, 0, false, &y);
    if (code == CODE_OK) *result = thing_array(y);
    return code;
}

/* max(x, axis): of a list of numbers a number. */
static int call_extreme(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    bool largest = strcmp(a->builtin->op, "max") == 0;
    const struct thing *x = &a->things[0];
    struct sequence items = {0};
    if ((x->kind == THING_LIST || x->kind == THING_TUPLE) && !a->given[1]) items = *x->sequence;
    bool all = items.count > 0;
    if (evaluation_step(e, items.count) != CODE_OK) return evaluation_failed(e);
    for (size_t i = 0; all && i < items.count; i++)
        all = items.items[i].kind == THING_NUMBER;
    if (!all) return call_reduction(e, a, result);
    *result = items.items[0];
    for (size_t i = 1; i < items.count; i++)
        if (largest ? items.items[i].number > result->number : items.items[i].number < result->number)
            *result = items.items[i];
    return CODE_OK;
}

/* x, axis=, keepdims=, ddof=, unbiased=: PyTorch's x.var(unbiased=True) has a ddof of 1 */
static int call_variance(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL, *y = NULL;
    bool keep, unbiased;
    double ddof;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = argument_truth(e, a, 2, false, &keep);
    if (code == CODE_OK) code = argument_number(e, a, 3, 0, &ddof);
    if (code == CODE_OK) code = argument_truth(e, a, 4, false, &unbiased);
    if (code == CODE_OK) code = reduce(e, "var", x, &a->things[1], keep, unbiased ? 1 : ddof, true, &y);
    if (code == CODE_OK && strcmp(a->builtin->op, "std") == 0)
        code = array_op(e, "sqrt", NULL, 0, &y, 1, TYPE_FLOAT, &y);
    if (code == CODE_OK) *result = thing_array(y);
    return code;
}

/* x, ord=, axis=, keepdims= */
static int call_norm(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL, *y = NULL;
    bool keep;
    double order;
    int code = argument_array(e, a, 0, &x);
    bool text = a->things[1].kind == THING_TEXT;
    if (code == CODE_OK && text && strcmp(a->things[1].text, "fro") != 0)
        return function_fault(e, a, "of a matrix has \"fro\" alone");
    order = 2;
    if (code == CODE_OK && !text) code = argument_number(e, a, 1, 2, &order);
    if (code == CODE_OK) code = argument_truth(e, a, 3, false, &keep);
    if (code != CODE_OK) return code;
    if (x->shape.rank > 1 && a->things[2].kind != THING_NUMBER && a->given[1] && a->things[1].kind == THING_NUMBER &&
        a->builtin->op[0] != 't')
        return function_fault(e, a, "of a matrix has \"fro\" alone: give an axis");
    if (order == 1) {
        code = array_op(e, "abs", NULL, 0, &x, 1, x->type, &x);
        if (code == CODE_OK) code = reduce(e, "sum", x, &a->things[2], keep, 0, false, &y);
    } else if (order == 2) {
        code = reduce(e, "norm", x, &a->things[2], keep, 0, false, &y);
    } else if (isinf(order)) {
        code = array_op(e, "abs", NULL, 0, &x, 1, x->type, &x);
        if (code == CODE_OK) code = reduce(e, order > 0 ? "max" : "min", x, &a->things[2], keep, 0, false, &y);
    } else {
        return function_fault(e, a, "has the orders 1, 2 and infinity alone");
    }
    if (code == CODE_OK) *result = thing_array(y);
    return code;
}

static int call_cumsum(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL, *y = NULL;
    size_t axis = 0;
    int code = argument_array(e, a, 0, &x);
    if (code != CODE_OK) return code;
    if (a->given[1]) {
        code = function_axis(e, &a->things[1], x->shape.rank, &axis);
    } else {
        const struct shape flat = {.rank = 1, .dim = {x->size}};
        code = array_reshape(e, x, &flat, &x);
    }
    const double number = (double)axis;
    if (code == CODE_OK) code = array_op(e, "cumsum", &number, 1, &x, 1, reduced_type("cumsum", x->type), &y);
    if (code == CODE_OK) *result = thing_array(y);
    return code;
}

/* ---- products ---- */

static int matrix_fault(struct evaluation *e, const struct array *a, const struct array *b)
{
    char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    return evaluation_fault(e,
                            "shapes %s and %s do not fit a product: the last axis of the first must be as long as the "
                            "one before the last of the second",
                            shape_text(&a->shape, one), shape_text(&b->shape, other));
}

/* Both with the axes before the last two that the other has. */
static int match_batches(struct evaluation *e, struct array **a, struct array **b)
{
    struct shape x = (*a)->shape, y = (*b)->shape, common, one = x, other = y;
    one.rank -= 2;
    other.rank -= 2;
    if (!array_common_shape(&one, &other, &common)) return matrix_fault(e, *a, *b);
    if (common.rank + 2 > LANGUAGE_RANK_MAX) return evaluation_fault(e, "more than %d axes", LANGUAGE_RANK_MAX);
    one = other = common;
    for (size_t i = 0; i < 2; i++) {
        one.dim[one.rank++] = x.dim[x.rank - 2 + i];
        other.dim[other.rank++] = y.dim[y.rank - 2 + i];
    }
    int code = array_broadcast(e, *a, &one, a);
    return code == CODE_OK ? array_broadcast(e, *b, &other, b) : code;
}

/* Sums of nothing. */
static int no_products(struct evaluation *e, const struct shape *shape, enum number_type type, struct thing *result)
{
    struct array *y = NULL;
    double *numbers = NULL;
    int code = array_known(e, shape, type, &y, &numbers);
    for (size_t i = 0; code == CODE_OK && i < y->size; i++)
        numbers[i] = 0;
    return function_give(result, code, y);
}

int functions_matmul(struct evaluation *e, struct array *a, struct array *b, struct thing *result)
{
    struct array *inputs[2] = {a, b}, *y = NULL;
    struct shape x = a->shape, w = b->shape;
    if (x.rank == 0 || w.rank == 0) return evaluation_fault(e, "a product of matrices takes no number: use *");
    size_t k = x.dim[x.rank - 1], m = w.rank > 1 ? w.dim[w.rank - 2] : w.dim[0];
    if (k != m) return matrix_fault(e, a, b);
    struct shape out = {0};
    const bool empty = a->size == 0 || b->size == 0;
    int code = CODE_OK;
    if (w.rank <= 2) { /* all that comes before the last axis of the first as rows */
        const size_t by = k > 0 ? k : 1;
        const struct shape rows = {.rank = 2, .dim = {a->size / by, k}}, matrix = {.rank = 2, .dim = {k, b->size / by}};
        if (!empty) code = array_reshape(e, a, &rows, &inputs[0]);
        if (code == CODE_OK && !empty) code = array_reshape(e, b, &matrix, &inputs[1]);
        out = x;
        out.rank--;
        if (w.rank == 2) out.dim[out.rank++] = w.dim[1];
    } else {
        if (x.rank == 1) {
            const struct shape row = {.rank = 2, .dim = {1, k}};
            code = array_reshape(e, a, &row, &inputs[0]);
        }
        if (code == CODE_OK) code = match_batches(e, &inputs[0], &inputs[1]);
        if (code != CODE_OK) return code;
        out = inputs[0]->shape;
        out.dim[out.rank - 1] = w.dim[w.rank - 1];
        if (x.rank == 1) {
            out.dim[out.rank - 2] = out.dim[out.rank - 1];
            out.rank--;
        }
    }
    enum number_type type = a->type > b->type ? a->type : b->type;
    if (code == CODE_OK && empty) return no_products(e, &out, type, result);
    if (code == CODE_OK) code = array_op(e, "matmul", NULL, 0, inputs, 2, type == TYPE_BOOL ? TYPE_INT : type, &y);
    if (code == CODE_OK && type == TYPE_BOOL) code = type_cast(e, y, type, &y);
    if (code == CODE_OK) code = array_reshape(e, y, &out, &y);
    if (code == CODE_OK) *result = thing_array(y);
    return code;
}

static int call_matmul(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL, *y = NULL;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = argument_array(e, a, 1, &y);
    if (code != CODE_OK) return code;
    bool dot = a->builtin->op != NULL;
    if (dot && (x->shape.rank == 0 || y->shape.rank == 0))
        return evaluation_binary(e, OPERATION_MULTIPLY, &a->things[0], &a->things[1], result);
    if (dot && y->shape.rank > 2) return function_fault(e, a, "takes a second array of at most two axes: use matmul");
    return functions_matmul(e, x, y, result);
}

static int call_outer(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct array *x = NULL, *y = NULL;
    int code = argument_array(e, a, 0, &x);
    if (code == CODE_OK) code = argument_array(e, a, 1, &y);
    if (code != CODE_OK) return code;
    const struct shape column = {.rank = 2, .dim = {x->size, 1}}, row = {.rank = 2, .dim = {1, y->size}};
    code = array_reshape(e, x, &column, &x);
    if (code == CODE_OK) code = array_reshape(e, y, &row, &y);
    if (code != CODE_OK) return code;
    const struct thing one = thing_array(x), other = thing_array(y);
    return evaluation_binary(e, OPERATION_MULTIPLY, &one, &other, result);
}

/* ---- einsum ---- */

/* An operand's axes by letter. */
struct labels {
    char list[TENSOR_RANK_MAX + 1];
    size_t count;
};

static bool has_label(const struct labels *l, char c)
{
    return c != '\0' && strchr(l->list, c) != NULL;
}

static int read_labels(struct evaluation *e, const char **at, struct labels *l)
{
    *l = (struct labels){0};
    for (; **at != '\0' && **at != ',' && **at != '-'; ++*at) {
        char c = **at;
        if (c == ' ') continue;
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
            return evaluation_fault(e, "einsum's subscripts are letters, not \"%c\"", c);
        if (has_label(l, c)) return evaluation_fault(e, "einsum's letter %c stands twice for one operand", c);
        if (l->count == LANGUAGE_RANK_MAX) return evaluation_fault(e, "more than %d axes", LANGUAGE_RANK_MAX);
        l->list[l->count++] = c;
    }
    return CODE_OK;
}

static void add_labels(struct labels *to, const struct labels *more)
{
    for (size_t i = 0; i < more->count && to->count < LANGUAGE_RANK_MAX; i++)
        to->list[to->count++] = more->list[i];
}

/* Axes that nobody else has are summed at once. */
static int sum_alone(struct evaluation *e, struct array **x, struct labels *l, const struct labels *other,
                     const struct labels *out)
{
    bool chosen[TENSOR_RANK_MAX] = {false}, any = false;
    double numbers[REDUCTION_NUMBERS];
    struct labels kept = {0};
    for (size_t i = 0; i < l->count; i++) {
        chosen[i] = !has_label(out, l->list[i]) && (other == NULL || !has_label(other, l->list[i]));
        any = any || chosen[i];
        if (!chosen[i]) kept.list[kept.count++] = l->list[i];
    }
    size_t n = reduction_numbers(chosen, l->count, false, numbers);
    *l = kept;
    return any ? array_op(e, "sum", numbers, n, x, 1, (*x)->type, x) : CODE_OK;
}

/* The axes in the order of `order`. */
static int order_axes(struct evaluation *e, struct array **x, struct labels *l, const struct labels *order)
{
    size_t axes[TENSOR_RANK_MAX];
    for (size_t i = 0; i < order->count; i++)
        axes[i] = (size_t)(strchr(l->list, order->list[i]) - l->list);
    int code = array_permute(e, *x, axes, x);
    *l = *order;
    return code;
}

enum { BOTH_KEPT, BOTH_SUMMED, ALONE };

static void pick_labels(const struct labels *from, const struct labels *other, const struct labels *out, int which,
                        struct labels *to, size_t *size, const struct shape *shape)
{
    *size = 1;
    for (size_t i = 0; i < from->count; i++) {
        char c = from->list[i];
        int kind = !has_label(other, c) ? ALONE : has_label(out, c) ? BOTH_KEPT : BOTH_SUMMED;
        if (kind != which) continue;
        to->list[to->count++] = c;
        *size *= shape->dim[i];
    }
}

static int dimension_of(struct evaluation *e, char c, const struct labels *l, const struct array *x, size_t *dim)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->list[i] != c) continue;
        if (*dim != 0 && *dim != x->shape.dim[i])
            return evaluation_fault(e, "einsum's letter %c is %zu here and %zu there", c, *dim, x->shape.dim[i]);
        *dim = x->shape.dim[i];
    }
    return CODE_OK;
}

/* Two operands as one batched product of matrices. */
static int contract(struct evaluation *e, struct array *a, struct labels *la, struct array *b, struct labels *lb,
                    const struct labels *out, struct array **y)
{
    struct labels batch = {0}, left = {0}, right = {0}, summed = {0}, order, made;
    size_t B, M, N, K;
    pick_labels(la, lb, out, BOTH_KEPT, &batch, &B, &a->shape);
    pick_labels(la, lb, out, ALONE, &left, &M, &a->shape);
    pick_labels(la, lb, out, BOTH_SUMMED, &summed, &K, &a->shape);
    pick_labels(lb, la, out, ALONE, &right, &N, &b->shape);
    struct shape final = {0};
    made = batch;
    add_labels(&made, &left);
    if (batch.count + left.count + right.count > LANGUAGE_RANK_MAX)
        return evaluation_fault(e, "more than %d axes", LANGUAGE_RANK_MAX);
    add_labels(&made, &right);
    for (size_t i = 0; i < made.count; i++) {
        size_t dim = 0;
        if (dimension_of(e, made.list[i], la, a, &dim) != CODE_OK ||
            dimension_of(e, made.list[i], lb, b, &dim) != CODE_OK)
            return evaluation_failed(e);
        final.dim[final.rank++] = dim;
    }
    order = batch;
    add_labels(&order, &left);
    add_labels(&order, &summed);
    int code = order_axes(e, &a, la, &order);
    order = batch;
    add_labels(&order, &summed);
    add_labels(&order, &right);
    if (code == CODE_OK) code = order_axes(e, &b, lb, &order);
    const struct shape x = {.rank = 3, .dim = {B, M, K}}, w = {.rank = 3, .dim = {B, K, N}};
    if (code == CODE_OK) code = array_reshape(e, a, &x, &a);
    if (code == CODE_OK) code = array_reshape(e, b, &w, &b);
    struct array *inputs[2] = {a, b};
    if (code == CODE_OK) code = array_op(e, "matmul", NULL, 0, inputs, 2, TYPE_FLOAT, y);
    if (code == CODE_OK) code = array_reshape(e, *y, &final, y);
    return code == CODE_OK ? order_axes(e, y, &made, out) : code;
}

static int call_einsum(struct evaluation *e, const struct arguments *a, struct thing *result)
{
    struct labels l[2], out = {0};
    struct array *x[2] = {NULL}, *y = NULL;
    size_t n = a->rest.count;
    const char *at = a->things[0].text;
    if (a->things[0].kind != THING_TEXT || n < 1 || n > 2)
        return function_fault(e, a, "takes subscripts as \"ij,jk->ik\", and one or two arrays");
    for (size_t i = 0; i < n; i++) {
        if (read_labels(e, &at, &l[i]) != CODE_OK || array_of(e, &a->rest.items[i], &x[i]) != CODE_OK)
            return evaluation_failed(e);
        if (l[i].count != x[i]->shape.rank) return function_fault(e, a, "takes a letter for each axis of an array");
        if (i + 1 < n && *at++ != ',') return function_fault(e, a, "takes subscripts for each array");
    }
    if (at[0] == '-' && at[1] == '>') {
        at += 2;
        if (read_labels(e, &at, &out) != CODE_OK) return evaluation_failed(e);
        for (size_t i = 0; i < out.count; i++)
            if (!has_label(&l[0], out.list[i]) && (n == 1 || !has_label(&l[1], out.list[i])))
                return evaluation_fault(e, "einsum's letter %c comes out of nowhere", out.list[i]);
    } else { /* what stands there once, in the order of the alphabet */
        for (int c = 'A'; c <= 'z'; c++) {
            bool one = has_label(&l[0], (char)c), other = n > 1 && has_label(&l[1], (char)c);
            if (one != other && out.count < LANGUAGE_RANK_MAX) out.list[out.count++] = (char)c;
        }
    }
    if (*at != '\0') return function_fault(e, a, "has subscripts that are not understood");
    for (size_t i = 0; n == 2 && i < l[0].count; i++) {
        size_t dim = x[0]->shape.dim[i];
        if (dimension_of(e, l[0].list[i], &l[1], x[1], &dim) != CODE_OK) return evaluation_failed(e);
    }
    int code = sum_alone(e, &x[0], &l[0], n > 1 ? &l[1] : NULL, &out);
    if (code == CODE_OK && n > 1) code = sum_alone(e, &x[1], &l[1], &l[0], &out);
    if (code == CODE_OK) y = x[0];
    if (code == CODE_OK)
        code = n > 1 ? contract(e, x[0], &l[0], x[1], &l[1], &out, &y) : order_axes(e, &y, &l[0], &out);
    if (code == CODE_OK) *result = thing_array(y);
    return code;
}

const struct builtin reduction_builtins[] = {
    {"sum", "x, axis=, keepdims=", call_reduction, "sum", BOTH},
    {"mean", "x, axis=, keepdims=", call_reduction, "mean", BOTH},
    {"max", "x, axis=, keepdims=", call_extreme, "max", BOTH},
    {"min", "x, axis=, keepdims=", call_extreme, "min", BOTH},
    {"amax", "x, axis=, keepdims=", call_reduction, "max", BOTH},
    {"amin", "x, axis=, keepdims=", call_reduction, "min", BOTH},
    {"prod", "x, axis=, keepdims=", call_reduction, "prod", BOTH},
    {"logsumexp", "x, axis=, keepdims=", call_reduction, "logsumexp", BOTH},
    {"argmax", "x, axis=, keepdims=", call_reduction, "argmax", BOTH},
    {"argmin", "x, axis=, keepdims=", call_reduction, "argmin", BOTH},
    {"var", "x, axis=, keepdims=, ddof|correction=, unbiased=", call_variance, "var", BOTH},
    {"std", "x, axis=, keepdims=, ddof|correction=, unbiased=", call_variance, "std", BOTH},
    {"norm", "x, ord|p=, axis=, keepdims=", call_norm, "norm", FREE},
    {"norm", "x, ord|p=, axis=, keepdims=", call_norm, "torch", METHOD},
    {"torch.norm", "x, ord|p=, axis=, keepdims=", call_norm, "torch", FREE},
    {"cumsum", "x, axis=", call_cumsum, "cumsum", BOTH},
    {"matmul", "x, y", call_matmul, NULL, BOTH},
    {"mm", "x, y", call_matmul, NULL, BOTH},
    {"bmm", "x, y", call_matmul, NULL, BOTH},
    {"dot", "x, y", call_matmul, "dot", BOTH},
    {"outer", "x, y", call_outer, NULL, BOTH},
    {"einsum", "subscripts, *", call_einsum, NULL, FREE},
    {.name = NULL},
};
