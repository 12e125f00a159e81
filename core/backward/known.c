#include "core/backward/known.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/numbers.h"
#include "core/graph/gradient_names.h"
#include "core/graph/intermediates.h"

/* ---- numbers ---- */

bool aim_fits(const struct aim *aim, const struct shape *shape)
{
    size_t i = 0, j = 0;
    for (;;) {
        while (i < shape->rank && shape->dim[i] == 1)
            i++;
        while (j < aim->shape.rank && aim->shape.dim[j] == 1)
            j++;
        if (i == shape->rank || j == aim->shape.rank) return i == shape->rank && j == aim->shape.rank;
        if (shape->dim[i++] != aim->shape.dim[j++]) return false;
    }
}

static bool is_near(const struct aim *aim, const double *numbers, double scale, double atol, double rtol)
{
    for (size_t i = 0; i < aim->size; i++) {
        double right = scale * aim->numbers[i];
        if (!(fabs(numbers[i] - right) <= fabs(scale) * atol + rtol * fabs(right))) return false;
    }
    return true;
}

bool aim_is_parameter(const struct surroundings *s, size_t aim)
{
    return s->aims[aim].graded < s->check->problem.network->parameter_count;
}

/* What another order of sums leaves. */
#define EXACTLY 1e-9

bool aim_is(const struct aim *aim, const struct shape *shape, const double *numbers, double scale)
{
    if (!aim_fits(aim, shape)) return false;
    double atol = fmax(aim->tolerance.atol, EXACTLY * aim->largest);
    return is_near(aim, numbers, scale, atol, aim->tolerance.rtol);
}

bool aim_is_exactly(const struct aim *aim, const struct shape *shape, const double *numbers, double scale)
{
    return aim->largest > 0 && aim_fits(aim, shape) && is_near(aim, numbers, scale, EXACTLY * aim->largest, 0);
}

double aim_ratio(const struct aim *aim, const struct shape *shape, const double *numbers)
{
    size_t at = 0;
    if (!aim_fits(aim, shape)) return 0;
    for (size_t i = 1; i < aim->size; i++)
        if (fabs(aim->numbers[i]) > fabs(aim->numbers[at])) at = i;
    double ratio = aim->numbers[at] != 0 ? numbers[at] / aim->numbers[at] : 0;
    if (!isfinite(ratio) || fabs(ratio) < 1e-12 || fabs(ratio) > 1e12) return 0;
    return is_near(aim, numbers, ratio, EXACTLY * aim->largest, 0) ? ratio : 0;
}

/* ---- what there is ---- */

enum { KNOWN_FIRST = 64 };

static bool add_known(struct surroundings *s, const struct known *known)
{
    struct known *list = arena_grow(s->arena, s->known, s->known_count, &s->known_room, sizeof *list, KNOWN_FIRST);
    if (list == NULL) return false;
    s->known = list;
    s->known[s->known_count++] = *known;
    return true;
}

/* A tensor inside as the request has it; NULL where memory is short. */
static const double *lay_out(struct arena *arena, const struct view *view, const double *inside)
{
    if (view->same) return inside;
    double *outside = arena_doubles(arena, view->size);
    if (outside != NULL) view_export(view, inside, outside);
    return outside;
}

static int add_aim(struct surroundings *s, const struct pass *pass, const struct value *value, const struct view *view,
                   size_t graded, struct error *error)
{
    double *inside = arena_doubles(s->arena, value->size);
    if (inside == NULL) return error_out_of_memory(error);
    int code = pass_read_gradient(pass, value, inside, error);
    if (code != CODE_OK) return code;
    struct aim *aim = &s->aims[s->aim_count];
    *aim = (struct aim){.shape = view->shape, .size = view->size, .graded = graded, .value = value};
    aim->numbers = lay_out(s->arena, view, inside);
    if (aim->numbers == NULL) return error_out_of_memory(error);
    aim->largest = numbers_largest(aim->size, aim->numbers);
    if (graded != GRADIENT_NONE) s->largest = fmax(s->largest, aim->largest);
    s->aim_of[value->index] = s->aim_count++;
    return CODE_OK;
}

/* The gradients of what is graded, and of all that is computed. */
static int find_aims(struct surroundings *s, const struct pass *pass, struct error *error)
{
    const struct problem *problem = &s->check->problem;
    const struct network *network = problem->network;
    const struct graph *graph = &network->graph;
    s->aims = arena_zeroed(s->arena, network->graded_count + graph->value_count, sizeof *s->aims);
    s->aim_of = arena_array(s->arena, graph->value_count, sizeof *s->aim_of);
    s->values = arena_zeroed(s->arena, graph->value_count, sizeof *s->values);
    if (s->aims == NULL || s->aim_of == NULL || s->values == NULL) return error_out_of_memory(error);
    for (size_t v = 0; v < graph->value_count; v++) {
        s->aim_of[v] = GRADIENT_NONE;
        s->values[v] = pass->values[v];
    }
    for (size_t p = 0; p < network->graded_count; p++) {
        struct view view = convention_graded(problem->convention, &network->graded[p]);
        int code = add_aim(s, pass, network->graded[p].value, &view, p, error);
        if (code != CODE_OK) return code;
        s->aims[p].name = problem->names[p];
    }
    for (size_t v = 0; v < graph->value_count; v++) {
        const struct value *value = graph->values[v];
        if (s->aim_of[v] != GRADIENT_NONE || value->made_by == NULL || value->is_term || pass->gradients[v] == NULL)
            continue;
        struct view view = convention_samples(problem->convention, &value->shape);
        if (s->program != NULL) view = convention_samples(CONVENTION_NUMPY, &value->shape);
        int code = add_aim(s, pass, value, &view, GRADIENT_NONE, error);
        if (code != CODE_OK) return code;
    }
    for (size_t a = 0; a < s->aim_count; a++)
        s->aims[a].tolerance = tolerance_of(&s->check->tolerance, s->aims[a].size, s->aims[a].numbers, s->largest);
    return CODE_OK;
}

/* ---- the names of a program ---- */

static bool add_array(struct surroundings *s, const char *name, const struct array *array, size_t version,
                      size_t versions)
{
    const double *numbers = array->numbers != NULL ? array->numbers
                            : array->value != NULL ? s->values[array->value->index]
                                                   : NULL;
    if (numbers == NULL) return true;
    struct known known = {.name = name,
                          .shape = array->shape,
                          .size = array->size,
                          .numbers = numbers,
                          .type = array->type,
                          .aim = GRADIENT_NONE,
                          .version = version,
                          .versions = versions};
    if (array->value != NULL) known.aim = s->aim_of[array->value->index];
    if (known.aim != GRADIENT_NONE && s->aims[known.aim].name == NULL) s->aims[known.aim].name = name;
    return add_known(s, &known);
}

enum { ITEMS_NAMED_MAX = 1000 };

/* hs[2] of a list; of a dictionary the key itself, and cache[2]. */
static bool add_items(struct surroundings *s, const char *name, const struct thing *thing)
{
    const struct sequence *sequence = thing->sequence;
    bool dictionary = thing->kind == THING_DICTIONARY;
    for (size_t i = 0; i < sequence->count && i < ITEMS_NAMED_MAX; i += dictionary ? 2 : 1) {
        const struct thing *item = &sequence->items[i + dictionary];
        if (item->kind != THING_ARRAY) continue;
        const char *called = sequence->items[i].text;
        if (!dictionary || sequence->items[i].kind != THING_TEXT) {
            double index = dictionary ? sequence->items[i].number : (double)i;
            size_t room = strlen(name) + 24;
            char *indexed = arena_alloc(s->arena, room);
            if (indexed == NULL) return false;
            snprintf(indexed, room, "%s[%.0f]", name, index);
            called = indexed;
        }
        if (!add_array(s, called, item->array, 0, 1)) return false;
    }
    return true;
}

static int find_program_names(struct surroundings *s, struct error *error)
{
    const struct evaluation *e = &s->program->evaluation;
    for (size_t n = 0; n < s->program->syntax.name_count; n++) {
        const struct versions *versions = &e->names[n];
        const char *name = s->program->syntax.names[n];
        for (size_t v = 0; v < versions->count; v++) {
            const struct thing *thing = &versions->list[v].thing;
            bool last = v + 1 == versions->count, good = true;
            if (thing->kind == THING_ARRAY) good = add_array(s, name, thing->array, v, versions->count);
            if (last && (thing->kind == THING_LIST || thing->kind == THING_TUPLE || thing->kind == THING_DICTIONARY))
                good = add_items(s, name, thing);
            if (!good) return error_out_of_memory(error);
        }
    }
    return CODE_OK;
}

/* ---- the names of a list of layers ---- */

static int add_intermediate(struct surroundings *s, const char *name, struct error *error)
{
    struct intermediate which;
    const struct network *network = s->check->problem.network;
    if (!intermediate_find(network, name, &which) || which.gradient || s->values[which.value->index] == NULL)
        return CODE_OK;
    const char *copy = arena_text(s->arena, name, strlen(name));
    struct view view = convention_samples(s->check->problem.convention, &which.value->shape);
    struct known known = {.name = copy, .shape = view.shape, .size = view.size, .type = TYPE_FLOAT, .versions = 1};
    known.numbers = lay_out(s->arena, &view, s->values[which.value->index]);
    known.aim = s->aim_of[which.value->index];
    if (copy == NULL || known.numbers == NULL) return error_out_of_memory(error);
    if (known.aim != GRADIENT_NONE && s->aims[known.aim].name == NULL) s->aims[known.aim].name = copy;
    return add_known(s, &known) ? CODE_OK : error_out_of_memory(error);
}

static bool is_graded(const struct problem *problem, const char *name)
{
    for (size_t p = 0; p < problem->network->graded_count; p++)
        if (strcmp(problem->names[p], name) == 0) return true;
    return false;
}

static int find_layer_names(struct surroundings *s, const struct known_data *data, size_t data_count,
                            struct error *error)
{
    const struct problem *problem = &s->check->problem;
    const struct network *network = problem->network;
    char name[32];
    int code = CODE_OK;
    for (size_t p = 0; p < network->graded_count; p++) {
        const struct value *value = network->graded[p].value;
        struct view view = convention_graded(problem->convention, &network->graded[p]);
        struct known known = {.name = problem->names[p],
                              .size = view.size,
                              .type = TYPE_FLOAT,
                              .aim = p,
                              .shape = problem->shapes[p],
                              .versions = 1};
        known.numbers = lay_out(s->arena, &view, s->values[value->index]);
        if (known.numbers == NULL || !add_known(s, &known)) return error_out_of_memory(error);
    }
    for (size_t i = 0; i < data_count; i++) {
        const struct tensor *tensor = data[i].tensor;
        bool whole = true;
        if (is_graded(problem, data[i].name)) continue;
        for (size_t k = 0; whole && k < tensor->size; k++)
            whole = tensor->data[k] == trunc(tensor->data[k]);
        const struct known known = {.name = data[i].name,
                                    .shape = tensor->shape,
                                    .size = tensor->size,
                                    .versions = 1,
                                    .numbers = tensor->data,
                                    .type = whole ? TYPE_INT : TYPE_FLOAT,
                                    .aim = GRADIENT_NONE};
        if (!add_known(s, &known)) return error_out_of_memory(error);
    }
    code = add_intermediate(s, "y_hat", error);
    for (size_t k = 1; code == CODE_OK && k <= network->numbered_count; k++) {
        snprintf(name, sizeof name, "z%zu", k);
        code = add_intermediate(s, name, error);
        name[0] = 'h';
        if (code == CODE_OK) code = add_intermediate(s, name, error);
    }
    return code;
}

/* Letters and digits alone, in lower case: what people change most in a name. */
static size_t strip(const char *name, size_t length, char *to, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < length && n + 1 < room; i++) {
        char c = name[i];
        if (c == '_' && i + 1 < length) continue;
        to[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    to[n] = '\0';
    return n;
}

enum { NAME_ROOM = 128 };

static size_t hash_name(const char *name)
{
    size_t hash = 14695981039346656037u;
    for (const char *c = name; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    return hash;
}

/* The slot of a name, or of a stripped one. */
static size_t *find_slot(const struct surroundings *s, size_t *slots, const char *name, bool stripped)
{
    char other[NAME_ROOM];
    for (size_t i = hash_name(name) % s->slot_count;; i = (i + 1) % s->slot_count) {
        if (slots[i] == GRADIENT_NONE) return &slots[i];
        const char *known = s->known[slots[i]].name;
        if (stripped) strip(known, strlen(known), other, sizeof other);
        if (strcmp(stripped ? other : known, name) == 0) return &slots[i];
    }
}

/* Of several that are alike but for what people change, all are in the table: `strip` is no key then, but the first. */
static bool enter_names(struct surroundings *s)
{
    char stripped[NAME_ROOM];
    s->slot_count = 2 * s->known_count + 1;
    s->by_name = arena_array(s->arena, s->slot_count, sizeof *s->by_name);
    s->by_stripped = arena_array(s->arena, s->slot_count, sizeof *s->by_stripped);
    if (s->by_name == NULL || s->by_stripped == NULL) return false;
    for (size_t i = 0; i < s->slot_count; i++)
        s->by_name[i] = s->by_stripped[i] = GRADIENT_NONE;
    for (size_t i = 0; i < s->known_count; i++) {
        struct known *known = &s->known[i];
        if (known->version + 1 != known->versions) continue;
        size_t *slot = find_slot(s, s->by_name, known->name, false);
        if (*slot == GRADIENT_NONE) *slot = i;
        strip(known->name, strlen(known->name), stripped, sizeof stripped);
        slot = find_slot(s, s->by_stripped, stripped, true);
        if (*slot != GRADIENT_NONE && strcmp(s->known[*slot].name, known->name) != 0)
            s->known[*slot].doubtful = true;
        else
            *slot = i;
    }
    return true;
}

/* Chains of gradients with as many elements. */
static bool enter_aims(struct surroundings *s)
{
    s->by_size = arena_array(s->arena, s->aim_count + 1, sizeof *s->by_size);
    if (s->by_size == NULL) return false;
    for (size_t i = 0; i <= s->aim_count; i++)
        s->by_size[i] = GRADIENT_NONE;
    for (size_t a = s->aim_count; a-- > 0;) { /* the first one stands first */
        size_t *first = &s->by_size[s->aims[a].size % (s->aim_count + 1)];
        s->aims[a].next_of_size = *first;
        *first = a;
    }
    return true;
}

size_t surroundings_first_aim(const struct surroundings *s, size_t size)
{
    return s->by_size[size % (s->aim_count + 1)];
}

int surroundings_find(struct arena *arena, const struct check *check, const struct pass *pass,
                      const struct known_code *code, struct surroundings *to, struct error *error)
{
    const struct network *network = check->problem.network;
    *to = (struct surroundings){
        .arena = arena, .code = code, .check = check, .program = network->program, .output = network->output};
    int status = find_aims(to, pass, error);
    if (network->target != NULL && network->loss->op->target == TARGET_UPSTREAM)
        to->upstream = check->problem.given[network->target->index];
    if (status == CODE_OK)
        status = to->program != NULL ? find_program_names(to, error)
                                     : find_layer_names(to, code->data, code->data_count, error);
    if (status == CODE_OK && (!enter_names(to) || !enter_aims(to))) status = error_out_of_memory(error);
    return status;
}

/* ---- names ---- */

/* What else values are called: where the request has none of that name. */
static bool rename_as_others(const struct surroundings *s, const char *stripped, char *to, size_t room)
{
    static const char *const outputs[] = {"al",     "yhat", "ypred", "yp",    "p",    "probs",       "pred", "preds",
                                          "output", "out",  "a",     "yprob", "yout", "predictions", NULL};
    if (s->program != NULL) return false;
    for (size_t i = 0; outputs[i] != NULL; i++)
        if (strcmp(outputs[i], stripped) == 0) return snprintf(to, room, "yhat") > 0;
    if (strcmp(stripped, "a0") == 0 || strcmp(stripped, "h0") == 0) return snprintf(to, room, "x") > 0;
    if (strcmp(stripped, "t") == 0 || strcmp(stripped, "target") == 0 || strcmp(stripped, "targets") == 0 ||
        strcmp(stripped, "ytrue") == 0)
        return snprintf(to, room, "y") > 0;
    if ((stripped[0] == 'a' || stripped[0] == 's') && stripped[1] >= '1' && stripped[1] <= '9')
        return snprintf(to, room, "%c%s", stripped[0] == 'a' ? 'h' : 'z', stripped + 1) > 0;
    return false;
}

static const struct known *find_stripped(const struct surroundings *s, const char *stripped)
{
    size_t found = *find_slot(s, s->by_stripped, stripped, true);
    return found != GRADIENT_NONE && !s->known[found].doubtful ? &s->known[found] : NULL;
}

static const struct known *find_part(const struct surroundings *s, const char *name, size_t length)
{
    char own[NAME_ROOM], stripped[NAME_ROOM], other[NAME_ROOM];
    if (length == 0 || length >= NAME_ROOM) return NULL;
    memcpy(own, name, length);
    own[length] = '\0';
    size_t found = *find_slot(s, s->by_name, own, false);
    if (found != GRADIENT_NONE) return &s->known[found];
    strip(name, length, stripped, sizeof stripped);
    const struct known *known = find_stripped(s, stripped);
    if (known == NULL && rename_as_others(s, stripped, other, sizeof other)) known = find_stripped(s, other);
    return known;
}

const struct known *known_find(const struct surroundings *s, const char *name)
{
    return find_part(s, name, strlen(name));
}

static const struct known *with_aim(const struct known *known)
{
    return known != NULL && known->aim != GRADIENT_NONE ? known : NULL;
}

/* Of a target's gradient that of its prediction, where there is one of its size. */
static const struct known *or_prediction(const struct surroundings *s, const struct known *known)
{
    if (s->aims[known->aim].value->kind != VALUE_DATA) return known;
    for (size_t i = 0; i < s->known_count; i++) {
        const struct known *other = &s->known[i];
        if (gradient_name_is_prediction(other->name, known->name) && other->size == known->size &&
            other->version + 1 == other->versions && with_aim(other) != NULL)
            return other;
    }
    return known;
}

const struct known *known_of_gradient(const struct surroundings *s, const char *name, bool own)
{
    static const char *const before[] = {"dloss_d",  "dLoss_d", "dl_d",   "dC_d",      "dE_d", "dcost_d",
                                         "derror_d", "dJd",     "dloss_", "gradient_", "d_",   NULL};
    const char *from;
    size_t length;
    for (size_t i = 0; i < s->code->name_count; i++)
        if (strcmp(s->code->names[i].name, name) == 0) return with_aim(known_find(s, s->code->names[i].of));
    for (size_t rank = 0; rank < GRADIENT_NAMES_MAX - 1; rank++) {
        if (!gradient_name_base(CONVENTION_NUMPY, name, rank, false, &from, &length)) continue;
        const struct known *known = with_aim(find_part(s, from, length));
        if (known != NULL) return or_prediction(s, known);
    }
    for (size_t i = 0; before[i] != NULL; i++) {
        size_t n = strlen(before[i]);
        if (strncmp(name, before[i], n) != 0 || name[n] == '\0') continue;
        const struct known *known = with_aim(find_part(s, name + n, strlen(name + n)));
        if (known != NULL) return or_prediction(s, known);
    }
    return own ? with_aim(known_find(s, name)) : NULL;
}
