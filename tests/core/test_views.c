/* Tensors whose axes are in another order in the request than inside: every order of up to four axes against an
 * odometer that goes from index to index. */
#include "tests/main.h"

#include <string.h>

#include "core/graph/names.h"

enum { RANK_MAX = 4, SIZE_MAX_HERE = 2 * 3 * 4 * 5 };

static const size_t dims[RANK_MAX] = {2, 3, 4, 5};

/* The number-th order of so many axes; false where there are fewer. */
static bool order_of(size_t rank, size_t number, unsigned char *axes)
{
    unsigned char left[RANK_MAX] = {0, 1, 2, 3};
    size_t orders = 1;
    for (size_t n = 2; n <= rank; n++)
        orders *= n;
    if (number >= orders) return false;
    for (size_t i = 0; i < rank; i++) {
        orders /= rank - i;
        size_t which = number / orders;
        number %= orders;
        axes[i] = left[which];
        memmove(left + which, left + which + 1, RANK_MAX - 1 - which);
    }
    return true;
}

static size_t offset_of(const struct shape *shape, const size_t *index)
{
    size_t offset = 0;
    for (size_t i = 0; i < shape->rank; i++)
        offset = offset * shape->dim[i] + index[i];
    return offset;
}

/* A view whose axes are in that order. */
static struct view make_view(size_t rank, const unsigned char *axes)
{
    static struct shape inside; /* it outlives the view */
    inside = shape_of(rank, dims);
    struct view view = {.inside = &inside, .shape = inside, .size = op_elements(&inside)};
    view.same = true;
    for (size_t i = 0; i < rank; i++) {
        view.axes[i] = axes[i];
        view.shape.dim[i] = view.inside->dim[axes[i]];
        view.same = view.same && axes[i] == i;
    }
    return view;
}

static void check_view(const struct view *view)
{
    double given[SIZE_MAX_HERE], inside[SIZE_MAX_HERE], back[SIZE_MAX_HERE];
    size_t index[TENSOR_RANK_MAX], turned[TENSOR_RANK_MAX] = {0};
    for (size_t i = 0; i < view->size; i++)
        given[i] = (double)i;
    view_import(view, given, inside);
    for (size_t i = 0; i < view->size; i++) {
        shape_index(view->inside, i, index);
        ck_assert_uint_eq(offset_of(view->inside, index), i);
        for (size_t axis = 0; axis < view->shape.rank; axis++)
            turned[axis] = index[view->axes[axis]];
        size_t want = offset_of(&view->shape, turned);
        ck_assert_double_eq(inside[i], given[want]);
        ck_assert_uint_eq(view_offset(view, i), want);
    }
    view_export(view, inside, back);
    ck_assert_mem_eq(back, given, view->size * sizeof *back);
}

START_TEST(every_order)
{
    size_t seen = 0;
    for (size_t rank = 0; rank <= RANK_MAX; rank++) {
        unsigned char axes[RANK_MAX];
        for (size_t n = 0; order_of(rank, n, axes); n++, seen++) {
            const struct view view = make_view(rank, axes);
            check_view(&view);
        }
    }
    ck_assert_uint_eq(seen, 1 + 1 + 2 + 6 + 24);
}
END_TEST

/* tensor_permute itself, also where nothing moves, and where an axis has one element. */
START_TEST(permutations)
{
    double from[SIZE_MAX_HERE], to[SIZE_MAX_HERE], back[SIZE_MAX_HERE];
    unsigned char axes[RANK_MAX];
    size_t index[TENSOR_RANK_MAX], turned[TENSOR_RANK_MAX] = {0};
    for (size_t i = 0; i < SIZE_MAX_HERE; i++)
        from[i] = (double)i;
    for (size_t one = 0; one <= RANK_MAX; one++)
        for (size_t n = 0; order_of(RANK_MAX, n, axes); n++) {
            struct shape shape = shape_of(RANK_MAX, dims), permuted = shape;
            if (one < RANK_MAX) shape.dim[one] = 1;
            for (size_t i = 0; i < RANK_MAX; i++)
                permuted.dim[i] = shape.dim[axes[i]];
            size_t size = op_elements(&shape);
            tensor_permute(&shape, axes, false, from, to);
            for (size_t i = 0; i < size; i++) {
                shape_index(&shape, i, index);
                for (size_t axis = 0; axis < RANK_MAX; axis++)
                    turned[axis] = index[axes[axis]];
                ck_assert_double_eq(to[offset_of(&permuted, turned)], from[i]);
            }
            tensor_permute(&shape, axes, true, to, back);
            ck_assert_mem_eq(back, from, size * sizeof *back);
        }
}
END_TEST

/* In columns the batch is the last axis of the request, and the others stay in their order. */
START_TEST(samples_in_columns)
{
    for (size_t rank = 1; rank <= RANK_MAX; rank++) {
        const struct shape whole = shape_of(rank, dims);
        struct view view = convention_samples(CONVENTION_COLUMNS, &whole);
        ck_assert_uint_eq(view.shape.dim[rank - 1], whole.dim[0]);
        for (size_t i = 0; i + 1 < rank; i++)
            ck_assert_uint_eq(view.shape.dim[i], whole.dim[i + 1]);
        ck_assert(view.same == (rank == 1));
        check_view(&view);
        for (int convention = CONVENTION_NUMPY; convention <= CONVENTION_PYTORCH; convention++) {
            view = convention_samples((enum convention)convention, &whole);
            ck_assert(view.same && shape_equal(&view.shape, &whole));
            check_view(&view);
        }
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("views");
    TCase *tcase = tcase_create("views");
    tcase_add_test(tcase, every_order);
    tcase_add_test(tcase, permutations);
    tcase_add_test(tcase, samples_in_columns);
    suite_add_tcase(suite, tcase);
    return suite;
}
