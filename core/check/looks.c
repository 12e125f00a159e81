#include "core/check/looks.h"

#include <float.h>
#include <math.h>

#include "core/base/numbers.h"
#include "core/check/float32_text.h"
#include "core/graph/intermediates.h"

int looks_out_of_memory(struct looks *l)
{
    return error_out_of_memory(l->error);
}

/* Beyond that float32 has whole numbers alone. */
#define ALL_WHOLE 0x1p24

static bool is_whole(size_t n, const double *values)
{
    for (size_t i = 0; i < n; i++)
        if (values[i] != rint(values[i])) return false;
    return true;
}

/* Whether numbers are float32's; *whole stays true where all of them are such whole ones as come of whole data in any
 * format: small ones, or large ones where the right numbers are whole, too. */
static bool are_float32(size_t n, const double *values, bool right_is_whole, bool *whole)
{
    for (size_t i = 0; i < n; i++) {
        if (fabs(values[i]) > (double)FLT_MAX || (double)(float)values[i] != values[i]) return false;
        *whole = *whole && values[i] == rint(values[i]) && (right_is_whole || fabs(values[i]) <= ALL_WHOLE);
    }
    return true;
}

const double *looks_reference(const struct looks *l, const struct look *look)
{
    size_t v = look->value->index;
    return look->gradient ? l->pass->gradients[v] : l->pass->values[v];
}

double looks_largest(const struct looks *l, const struct look *look)
{
    return numbers_largest(look->value->size, looks_reference(l, look));
}

static void add_look(struct looks *l, struct entry *entry, const struct value *value, bool gradient,
                     const struct view *view)
{
    if (entry->verdict != VERDICT_MATCH && entry->verdict != VERDICT_MISMATCH) return;
    struct look *look = &l->list[l->count++];
    const struct tensor *student = entry->submission->tensor;
    *look = (struct look){.entry = entry, .value = value, .gradient = gradient, .view = *view};
    bool whole = true;
    look->float32 = are_float32(student->size, student->data, is_whole(value->size, looks_reference(l, look)), &whole);
    look->whole = look->float32 && whole;
}

int looks_import(struct looks *l)
{
    for (size_t i = 0; i < l->count; i++) {
        struct look *look = &l->list[i];
        look->student = arena_doubles(l->arena, look->value->size);
        look->allowed = arena_doubles(l->arena, look->value->size);
        if (look->student == NULL || look->allowed == NULL) return looks_out_of_memory(l);
        view_import(&look->view, look->entry->submission->tensor->data, look->student);
    }
    return CODE_OK;
}

/* So unlikely are other decimals to be float32's by chance. */
#define BY_CHANCE 1e-2

/* What is float32's as text: all of that together has to be no chance. */
static void find_float32_text(struct looks *l)
{
    double together = 1;
    for (size_t i = 0; i < l->count; i++) {
        struct look *look = &l->list[i];
        const struct tensor *student = look->entry->submission->tensor;
        double chance = 1;
        look->text = !look->float32 && float32_text(student->size, student->data, &chance);
        if (look->text) together *= chance;
    }
    for (size_t i = 0; i < l->count; i++) {
        struct look *look = &l->list[i];
        look->text = look->text && together <= BY_CHANCE;
        l->text = l->text || (look->text && i < l->graded);
        look->float32 = look->float32 || look->text;
    }
}

/* Numbers that are whole, zeros among them, are float32's where all the others of the submission are. */
static void find_float32(struct looks *l)
{
    bool whole = true, zero = true;
    l->float32 = l->graded > 0;
    for (size_t i = 0; i < l->graded; i++) {
        l->float32 = l->float32 && l->list[i].float32;
        const struct tensor *student = l->list[i].entry->submission->tensor;
        whole = whole && l->list[i].whole;
        zero = zero && whole && numbers_largest(student->size, student->data) == 0;
    }
    l->whole = whole;
    l->zero = zero;
    l->float32 = l->float32 && !whole;
    for (size_t i = 0; i < l->graded; i++)
        l->list[i].float32 = l->list[i].float32 && (l->float32 || !l->list[i].whole);
}

int looks_list(struct looks *l, struct report *report)
{
    const struct problem *problem = &l->check->problem;
    const struct network *network = problem->network;
    l->list = arena_array(l->arena, network->graded_count + report->intermediate_count, sizeof *l->list);
    if (l->list == NULL) return looks_out_of_memory(l);
    for (size_t p = 0; p < network->graded_count; p++) {
        struct view view = convention_graded(problem->convention, &network->graded[p]);
        add_look(l, &report->entries[p], network->graded[p].value, true, &view);
    }
    l->graded = l->count;
    for (size_t i = 0; i < report->intermediate_count; i++) {
        struct intermediate which;
        struct entry *entry = &report->intermediates[i];
        if (!intermediate_find(network, entry->name, &which)) continue;
        struct view view = convention_samples(problem->convention, &which.value->shape);
        add_look(l, entry, which.value, which.gradient, &view);
    }
    find_float32_text(l);
    find_float32(l);
    for (size_t i = l->graded; i < l->count; i++)
        l->list[i].float32 = l->list[i].float32 && !l->list[i].whole;
    return CODE_OK;
}
