#include "core/backward/words.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_ROOM = 1600, TEXT_SHOWN = 400 };

/* ---- texts ---- */

/* One line of what may be several: without comments, with single spaces. */
static size_t flatten(const char *from, const char *end, char *to, size_t room)
{
    size_t n = 0;
    char quote = '\0';
    for (const char *c = from; c < end && n + 1 < room; c++) {
        if (quote == '\0' && *c == '#') {
            while (c < end && *c != '\n')
                c++;
            if (c == end) break;
        }
        if (quote == *c)
            quote = '\0';
        else if (quote == '\0' && (*c == '"' || *c == '\''))
            quote = *c;
        bool space = *c == ' ' || *c == '\t' || *c == '\n' || *c == '\r' || (*c == '\\' && quote == '\0');
        if (space && (n == 0 || to[n - 1] == ' ')) continue;
        to[n++] = space ? ' ' : *c;
    }
    while (n > 0 && to[n - 1] == ' ')
        n--;
    while (n > 0 && ((unsigned char)to[n - 1] & 0xC0) == 0x80 && n + 1 >= room)
        n--; /* a character that was cut off */
    to[n] = '\0';
    return n;
}

static const char *flat_text(struct arena *arena, const char *from, const char *end)
{
    char text[WORDS_ROOM];
    size_t n = flatten(from, end, text, sizeof text);
    return arena_text(arena, text, n);
}

static const char *statement_end(const struct statement *s)
{
    bool opens = s->kind == STATEMENT_FOR || s->kind == STATEMENT_IF || s->kind == STATEMENT_DEFINE ||
                 s->kind == STATEMENT_CLASS;
    if (opens && s->value != NULL) return s->value->end;
    if (!opens) return s->end;
    const char *at = s->begin;
    while (at < s->end && *at != '\n' && *at != ':')
        at++;
    return at;
}

const char *words_statement(struct arena *arena, const struct statement *s)
{
    return flat_text(arena, s->begin, statement_end(s));
}

const char *words_line(struct arena *arena, const char *text, size_t length, unsigned line)
{
    const char *at = text, *end = text != NULL ? text + length : NULL;
    for (unsigned i = 1; i < line && at < end; at++)
        i += *at == '\n';
    const char *stop = at;
    while (stop < end && *stop != '\n')
        stop++;
    while (at < stop && (*at == ' ' || *at == '\t'))
        at++;
    size_t n = (size_t)(stop - at) < TEXT_SHOWN ? (size_t)(stop - at) : TEXT_SHOWN;
    while (n > 0 && (at[n - 1] == ' ' || at[n - 1] == '\r'))
        n--;
    return arena_text(arena, at != NULL ? at : "", n);
}

const char *words_target(struct arena *arena, const struct run *plain, const struct statement *s)
{
    if (s->target_count == 0 || s->kind == STATEMENT_FOR) {
        size_t last = plain->outcomes[s->number].last;
        if (last == EVENT_NONE || plain->events[last].name[0] == '\0') return NULL;
        return plain->events[last].name;
    }
    const struct expression *target = s->targets[0];
    if (target->kind == EXPRESSION_NAME || target->kind == EXPRESSION_ATTRIBUTE) return target->name;
    size_t last = plain->outcomes[s->number].last;
    bool whole = target->kind == EXPRESSION_SUBSCRIPT && last != EVENT_NONE &&
                 strchr(plain->events[last].name, '[') == NULL && plain->events[last].name[0] != '\0';
    if (whole) return plain->events[last].name; /* an array that was written into */
    return flat_text(arena, target->begin, target->end);
}

const char *words_edited(struct arena *arena, const struct blamed *blamed, bool value_alone)
{
    const struct statement *s = blamed->of->statements[blamed->statement];
    const struct edit *edit = blamed->edit;
    const char *code = blamed->of->syntax.text, *from = s->begin, *to = statement_end(s);
    char made[WORDS_ROOM], flat[WORDS_ROOM];
    if (value_alone && s->value != NULL && code + edit->from >= s->value->begin && s->kind == STATEMENT_ASSIGN)
        from = s->value->begin;
    if (code + edit->from < from || code + edit->to > to) return arena_text(arena, "", 0);
    int n = snprintf(made, sizeof made, "%.*s%s%.*s", (int)(code + edit->from - from), from, edit->text,
                     (int)(to - (code + edit->to)), code + edit->to);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof made ? (size_t)n : sizeof made - 1;
    length = flatten(made, made + length, flat, sizeof flat);
    return arena_text(arena, flat, length);
}

/* ---- sentences ---- */

static const char *say(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

static const char *say(struct arena *arena, const char *format, ...)
{
    char text[WORDS_ROOM];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return arena_text(arena, text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static const char *name_of(const struct backward *b, size_t aim)
{
    const char *name = aim != GRADIENT_NONE ? b->surroundings.aims[aim].name : NULL;
    return name != NULL ? name : "a value without a name";
}

/* What a statement makes in place of a gradient that has another shape; NULL where it has that one. */
static const struct array *find_misshapen(const struct backward *b, const struct blamed *blamed)
{
    if (blamed->aim == GRADIENT_NONE) return NULL;
    for (size_t i = b->plain.outcomes[blamed->statement].first; i != EVENT_NONE; i = b->plain.events[i].next) {
        const struct array *array = b->plain.events[i].array;
        if (b->plain.events[i].aim == blamed->aim && !aim_fits(&b->surroundings.aims[blamed->aim], &array->shape))
            return array;
    }
    return NULL;
}

static const char *say_shapes(struct arena *arena, const struct backward *b, const struct blamed *blamed,
                              const struct array *array, const char *name)
{
    char one[SHAPE_TEXT_MAX], other[SHAPE_TEXT_MAX];
    return say(arena, "%.200s has shape %s, the gradient of %.200s has %s", name, shape_text(&array->shape, one),
               name_of(b, blamed->aim), shape_text(&b->surroundings.aims[blamed->aim].shape, other));
}

static const char *say_edit(struct arena *arena, const struct backward *b, const struct blamed *blamed,
                            const struct backward_line *line)
{
    const char *better = words_edited(arena, blamed, true);
    const struct array *misshapen = find_misshapen(b, blamed);
    if (better == NULL) return NULL;
    if (misshapen == NULL) return say(arena, "line %u: %.500s should be %.500s", line->line, line->text, better);
    const char *shapes = say_shapes(arena, b, blamed, misshapen, line->name != NULL ? line->name : "what it makes");
    if (shapes == NULL) return NULL;
    return say(arena, "line %u: %s; %.500s should be %.500s", line->line, shapes, line->text, better);
}

/* What is wrong with its numbers, where nobody knows what would be right. */
static const char *say_numbers(struct arena *arena, const struct backward *b, const struct blamed *blamed,
                               const struct backward_line *line)
{
    const char *name = line->name != NULL ? line->name : "what it makes", *of = name_of(b, blamed->aim);
    if (blamed->within != STATEMENT_NONE)
        return say(arena,
                   "line %u: with what it hands over, line %u does not make the gradient of %.200s; called from "
                   "elsewhere it does",
                   line->line, blamed->of->statements[blamed->within]->spot.line, of);
    if (blamed->aim == GRADIENT_NONE)
        return say(arena, "line %u: %.200s is not what the lines below need", line->line, name);
    const struct array *misshapen = find_misshapen(b, blamed);
    if (misshapen != NULL) {
        const char *shapes = say_shapes(arena, b, blamed, misshapen, name);
        return shapes != NULL ? say(arena, "line %u: %s", line->line, shapes) : NULL;
    }
    if (blamed->ratio != 0 && fabs(blamed->ratio - 1) > 1e-9)
        return say(arena, "line %u: with right operands %.200s is %.10g times the gradient of %.200s", line->line, name,
                   blamed->ratio, of);
    return say(arena, "line %u: with right operands %.200s is not the gradient of %.200s", line->line, name, of);
}

static const char *say_fault(struct arena *arena, const struct backward *b, const struct statement *s,
                             const struct blamed *blamed, const struct backward_line *line)
{
    const struct outcome *outcome = &b->plain.outcomes[s->number];
    char shape[SHAPE_TEXT_MAX];
    const char *better = blamed != NULL && blamed->edit != NULL ? words_edited(arena, blamed, true) : "";
    if (better == NULL) return NULL;
    const char *fault = outcome->fault != NULL ? outcome->fault : "this cannot be evaluated";
    if (better[0] != '\0')
        return say(arena, "line %u: %s; %.300s should be %.300s", line->line, fault, line->text, better);
    if (outcome->fault_aim == GRADIENT_NONE) return say(arena, "line %u: %s", line->line, fault);
    const struct aim *aim = &b->surroundings.aims[outcome->fault_aim];
    return say(arena, "line %u: %s; the gradient of %.200s has shape %s", line->line, fault,
               name_of(b, outcome->fault_aim), shape_text(&aim->shape, shape));
}

const char *words_message(struct arena *arena, const struct backward *b, const struct statement *s,
                          const struct blamed *blamed, const struct backward_line *line)
{
    if (line->mark == MARK_FAULT) return say_fault(arena, b, s, blamed, line);
    if (line->mark == MARK_INHERITED && b->plain.outcomes[s->number].poisoned)
        return say(arena, "line %u: it reads what could not be evaluated", line->line);
    if (line->mark == MARK_INHERITED) return say(arena, "line %u: right, given what came in", line->line);
    if (line->mark != MARK_WRONG || blamed == NULL) return NULL;
    if (blamed->spoils != NULL && blamed->spoils->own)
        return say(arena,
                   "line %u: %s changes %s, which is read after it: that should be as the forward pass has left it",
                   line->line, line->text, blamed->spoils->name);
    if (blamed->spoils != NULL)
        return say(arena, "line %u: %s changes %s, too: they share their numbers, as a copy would not", line->line,
                   line->text, blamed->spoils->name);
    if (blamed->edit != NULL) return say_edit(arena, b, blamed, line);
    const char *numbers = say_numbers(arena, b, blamed, line);
    if (numbers == NULL || line->together_count == 0) return numbers;
    return say(arena, "%s (built by %zu lines together, which are judged as one)", numbers, line->together_count + 1);
}
