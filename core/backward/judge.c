#include "core/backward/judge.h"

#include <math.h>
#include <string.h>

#include "core/backward/aims.h"
#include "core/backward/events.h"

enum { SLIPS_MAX = 2000, SLIPS_FIRST = 16 };

bool run_matches(const struct run *run, size_t aim, const struct array *array, bool exactly, double *scale)
{
    const struct aim *a = &run->surroundings->aims[aim];
    bool (*is)(const struct aim *, const struct shape *, const double *, double) = exactly ? aim_is_exactly : aim_is;
    size_t count = !aim_is_parameter(run->surroundings, aim) && run->plan != NULL ? run->plan->scale_count : 0;
    *scale = 1;
    if (array->size != a->size) return false;
    if (is(a, &array->shape, array->numbers, 1)) return true;
    for (size_t i = 0; i < count; i++) {
        *scale = run->plan->scales[i];
        if (is(a, &array->shape, array->numbers, *scale)) return true;
    }
    return false;
}

/* Whether the first number is near that of the gradient, times any of the scales: there may be very many gradients. */
static bool begins_like(const struct run *run, const struct aim *aim, const struct array *array)
{
    if (array->size != aim->size || array->size == 0) return false;
    size_t count = run->plan != NULL ? run->plan->scale_count : 0;
    double scale = 1;
    for (size_t i = 0;; scale = run->plan->scales[i++]) {
        if (fabs(array->numbers[0] - scale * aim->numbers[0]) <= 1e-6 * fabs(scale) * aim->largest) return true;
        if (i == count) return false;
    }
}

size_t run_find_aim(const struct run *run, const struct array *array, double *scale)
{
    const struct surroundings *s = run->surroundings;
    for (size_t a = surroundings_first_aim(s, array->size); a != GRADIENT_NONE; a = s->aims[a].next_of_size)
        if (begins_like(run, &s->aims[a], array) && run_matches(run, a, array, true, scale)) return a;
    return GRADIENT_NONE;
}

/* Any version of a name. */
static size_t match_versions(const struct run *run, const char *of, const struct array *array, double *scale)
{
    const struct surroundings *s = run->surroundings;
    for (size_t i = 0; i < s->known_count; i++)
        if (s->known[i].aim != GRADIENT_NONE && strcmp(s->known[i].name, of) == 0 &&
            run_matches(run, s->known[i].aim, array, false, scale))
            return s->known[i].aim;
    return GRADIENT_NONE;
}

/* ---- putting right ---- */

int judge_put_right(struct run *run, struct evaluation *e, size_t aim, double scale, const struct shape *like,
                    struct array **array)
{
    const struct aim *a = &run->surroundings->aims[aim];
    double *numbers = NULL;
    struct array *right = NULL;
    int code = array_known(e, aim_fits(a, like) ? like : &a->shape, TYPE_FLOAT, &right, &numbers);
    for (size_t i = 0; code == CODE_OK && i < a->size; i++)
        numbers[i] = scale * a->numbers[i];
    if (code == CODE_OK) *array = right;
    return code;
}

static bool add_slip(struct run *run, const struct slip *slip)
{
    if (run->slip_count == SLIPS_MAX) return true;
    struct slip *list = arena_grow(run->arena, run->slips, run->slip_count, &run->slip_room, sizeof *list, SLIPS_FIRST);
    if (list == NULL) return false;
    run->slips = list;
    run->slips[run->slip_count++] = *slip;
    return true;
}

double judge_scale_here(const struct run *run, size_t aim)
{
    if (aim_is_parameter(run->surroundings, aim)) return 1;
    const struct level *level = &run->levels[run->level_count - 1];
    return level->scale != 0 ? level->scale : run->plan->first_scale;
}

static bool is_put(const struct run *run, const struct event *event, size_t *aim, double *scale)
{
    for (size_t i = 0; i < run->plan->put_count; i++)
        if (run->plan->puts[i].statement == event->statement && run->plan->puts[i].execution == event->execution &&
            event->part == 0) {
            *aim = run->plan->puts[i].aim;
            *scale = run->plan->puts[i].scale;
            return true;
        }
    return false;
}

/* Whether a gradient on the way was right under its name, and the code goes on from it under the same, as through the
 * mask of a dropout: then what comes of that is another value's. */
static bool goes_on(const struct run *run, const struct event *event)
{
    if (event->aimed != AIMED_AT || event->before == EVENT_NONE) return false;
    const struct event *before = &run->events[event->before];
    return run->surroundings->aims[event->aim].graded == GRADIENT_NONE && before->aim == event->aim &&
           (before->right || before->onward) && aims_is_made_of(run, event, before);
}

int judge_event(struct run *run, struct evaluation *e, size_t which, struct array **array)
{
    struct event *event = &run->events[which];
    double scale = 1;
    if (is_put(run, event, &event->aim, &scale)) {
        event->aimed = AIMED_NOT;
        int code = judge_put_right(run, e, event->aim, scale, &(*array)->shape, array);
        return code == CODE_OK && !events_enter_array(run, *array, which, scale) ? run_no_memory(run) : code;
    }
    size_t aim = event->aim;
    if (event->aimed == AIMED_AT && !run_matches(run, aim, *array, false, &scale)) aim = GRADIENT_NONE;
    if (event->aimed == AIMED_ANY) aim = match_versions(run, event->of, *array, &scale);
    if (event->aimed != AIMED_AT && aim == GRADIENT_NONE) aim = run_find_aim(run, *array, &scale);
    event->right = aim != GRADIENT_NONE;
    if (event->right) event->aim = aim;
    event->scale = event->right ? scale : 0;
    if (event->right) return scale == 1 || events_enter_array(run, *array, which, scale) ? CODE_OK : run_no_memory(run);
    event->onward = goes_on(run, event);
    event->judged = event->judged && !event->onward;
    bool left = run->plan->left != NULL && run->plan->left[event->statement];
    if (event->aimed != AIMED_AT || !event->judged || event->rewrites || left) return CODE_OK;
    struct slip slip = {.statement = event->statement, .aim = event->aim, .call = event->frame};
    if (!aim_fits(&run->surroundings->aims[event->aim], &(*array)->shape))
        slip.ratio = 0;
    else
        slip.ratio = aim_ratio(&run->surroundings->aims[event->aim], &(*array)->shape, (*array)->numbers);
    if (!add_slip(run, &slip)) return run_no_memory(run);
    scale = judge_scale_here(run, event->aim);
    int code = judge_put_right(run, e, event->aim, scale, &(*array)->shape, array);
    return code == CODE_OK && scale != 1 && !events_enter_array(run, *array, which, scale) ? run_no_memory(run) : code;
}
