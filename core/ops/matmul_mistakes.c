/* Wrong ways back through a product of matrices, c = a @ b: da = dc @ b.T, db = a.T @ dc. */
#include <string.h>

#include "core/ops/elementary_mistakes.h"

/* A product of what comes in and the other operand, each transposed or not, in either order. */
enum { FIRST_TRANSPOSED = 1, SECOND_TRANSPOSED = 2, OTHER_FIRST = 4 };
enum { PRODUCTS = 8 };

struct matrix {
    const double *numbers;
    size_t rows, columns, all; /* of each, and the elements of all together */
};

static struct matrix matrix_of(const struct shape *shape, const double *numbers)
{
    return (struct matrix){.numbers = numbers,
                           .rows = shape->dim[shape->rank - 2],
                           .columns = shape->dim[shape->rank - 1],
                           .all = op_elements(shape)};
}

/* Which of them is right: da = dc @ b.T, db = a.T @ dc. */
static size_t right_product(size_t input)
{
    return input == 0 ? SECOND_TRANSPOSED : (OTHER_FIRST | FIRST_TRANSPOSED);
}

static bool make_product(const struct step_call *step, struct alternative *made)
{
    const struct op_call *call = step->call;
    size_t variant = made->variant, other = 1 - step->input;
    if (variant == right_product(step->input)) return false;
    struct matrix dc = matrix_of(call->out, step->dy), operand = matrix_of(call->in[other], call->x[other]);
    const struct matrix first = (variant & OTHER_FIRST) != 0 ? operand : dc,
                        second = (variant & OTHER_FIRST) != 0 ? dc : operand;
    bool turn_first = (variant & FIRST_TRANSPOSED) != 0, turn_second = (variant & SECOND_TRANSPOSED) != 0;
    size_t m = turn_first ? first.columns : first.rows, k = turn_first ? first.rows : first.columns,
           inner = turn_second ? second.columns : second.rows, n = turn_second ? second.rows : second.columns;
    struct matrix to = matrix_of(call->in[step->input], NULL);
    if (m != to.rows || n != to.columns || k != inner) return false;
    size_t count = to.all / (m * n);
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < count; i++)
        code = call->backend->gemm(turn_first, turn_second, m, n, k, 1, first.numbers + i * (first.all / count),
                                   second.numbers + i * (second.all / count), 0, made->value + i * m * n);
    return code == CODE_OK;
}

const struct mistake mistake_operand_not_transposed = {
    .id = "operand_not_transposed",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 3,
    .summary = "dA = dC @ B or dB = A @ dC: an operand is not transposed, or the order is another",
    .message = "The product that makes the gradient of a matrix product's operand has an operand that is not "
               "transposed, or another order: for C = A @ B it is dA = dC @ B.T and dB = A.T @ dC.",
    .in_line = "The product that makes the gradient of {value} has an operand that is not transposed as it should be, "
               "or another order: for C = A @ B it is dA = dC @ B.T and dB = A.T @ dC.",
    .hint = "Shapes that fit prove nothing where matrices are square: write down which axis is which.",
    .wrong = "dA = dC @ B",
    .right = "dA = dC @ B.T",
    .alternative = make_product,
    .variants = PRODUCTS,
};

static bool left_out(const struct step_call *step, struct alternative *made)
{
    const struct op_call *call = step->call;
    if (!shape_equal(call->out, call->in[step->input])) return false;
    memcpy(made->value, step->dy, op_elements(call->out) * sizeof *made->value);
    return true;
}

static const struct mistake mistake_operand_left_out = {
    .id = "other_factor_missing",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 6,
    .summary = "dA = dC for C = A @ B: the other operand is left out",
    .in_line = "What comes back to {value} was passed on without the product with the other operand: for C = A @ B it "
               "is dA = dC @ B.T and dB = A.T @ dC.",
    .hint = "The gradient of one operand is a product with the other one.",
    .alternative = left_out,
};

/* The other operand's place taken by ones. */
static bool other_ignored(const struct step_call *step, struct alternative *made)
{
    const struct op_call *call = step->call;
    struct matrix dc = matrix_of(call->out, step->dy), to = matrix_of(call->in[step->input], NULL);
    size_t count = to.all / (to.rows * to.columns);
    memset(made->value, 0, to.all * sizeof *made->value);
    for (size_t i = 0; i < count; i++)
        for (size_t r = 0; r < dc.rows; r++)
            for (size_t c = 0; c < dc.columns; c++) {
                double sent = dc.numbers[(i * dc.rows + r) * dc.columns + c];
                double *row = made->value + i * to.rows * to.columns;
                if (step->input == 0)
                    for (size_t k = 0; k < to.columns; k++)
                        row[r * to.columns + k] += sent;
                else
                    for (size_t k = 0; k < to.rows; k++)
                        row[k * to.columns + c] += sent;
            }
    return true;
}

static const struct mistake mistake_other_operand_ignored = {
    .id = "input_ignored",
    .step = STEP_INPUT,
    .input = ANY_INPUT,
    .rank = 9,
    .summary = "ones in place of the other operand of a product",
    .in_line = "What comes back to {value} was summed as if the other operand were ones: for C = A @ B it is "
               "dA = dC @ B.T and dB = A.T @ dC.",
    .hint = "The gradient of one operand is a product with the other one.",
    .alternative = other_ignored,
};

/* The first operand before its activation: what made it takes one array of its shape. */
static bool not_activated(const struct step_call *step, struct alternative *made)
{
    const struct op_call *call = step->call, *before = step->before;
    if (step->input != 1 || before == NULL || before->count != 1 || !shape_equal(before->in[0], call->in[0]))
        return false;
    struct matrix dc = matrix_of(call->out, step->dy), a = matrix_of(call->in[0], before->x[0]);
    size_t count = a.all / (a.rows * a.columns);
    int code = CODE_OK;
    for (size_t i = 0; code == CODE_OK && i < count; i++)
        code = call->backend->gemm(true, false, a.columns, dc.columns, a.rows, 1, a.numbers + i * a.rows * a.columns,
                                   dc.numbers + i * dc.rows * dc.columns, 0, made->value + i * a.columns * dc.columns);
    return code == CODE_OK;
}

static const struct mistake mistake_operand_not_activated = {
    .id = "input_not_activated",
    .step = STEP_INPUT,
    .input = 1,
    .rank = 7,
    .summary = "dB = z.T @ dC: the first operand before its activation",
    .in_line = "The product that makes the gradient of {value} takes the first operand before its activation: for "
               "C = A @ B it is dB = A.T @ dC, with A as it goes into the product.",
    .hint = "Keep what goes into the product in the forward pass, and use that.",
    .alternative = not_activated,
};

const struct mistake *const mistakes_of_matmul[] = {&mistake_operand_not_transposed, &mistake_operand_left_out,
                                                    &mistake_operand_not_activated, &mistake_other_operand_ignored,
                                                    NULL};
