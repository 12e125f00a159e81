#include "server/report/diagnosis.h"

#include <stdlib.h>
#include <string.h>

#include "core/diagnosis/line_words.h"
#include "core/diagnosis/words.h"
#include "core/language/program.h"

static void write_layer(struct json *json, size_t layer)
{
    if (layer == LAYER_LOSS)
        json_text(json, "loss");
    else
        json_size(json, layer);
}

static void write_layers(struct json *json, const char *name, const size_t *layers, size_t count)
{
    json_key(json, name);
    json_open(json, '[');
    for (size_t i = 0; i < count; i++)
        write_layer(json, layers[i]);
    json_close(json, ']');
}

static void write_words(struct json *json, const char *name, const char *words)
{
    if (words == NULL)
        json->text->failed = true;
    else
        json_member_text(json, name, words);
}

static void write_names(struct json *json, const struct check *check, const struct found *found)
{
    json_open(json, '[');
    for (size_t i = 0; i < found->parameter_count; i++)
        json_text(json, check->problem.names[found->parameters[i]]);
    json_close(json, ']');
}

/* {parameter} and {parameters} of a message are one member. */
static const char *member_of(const struct word *word)
{
    return strcmp(word->key, "parameter") == 0 ? "parameters" : word->key;
}

static void write_word(struct json *json, const struct check *check, const struct found *found, const struct word *word)
{
    json_key(json, member_of(word));
    if (strcmp(member_of(word), "parameters") == 0)
        write_names(json, check, found);
    else if (strcmp(word->key, "layer") == 0 || strcmp(word->key, "weighted") == 0 || strcmp(word->key, "line") == 0)
        json_size(json, (size_t)strtoull(word->text, NULL, 10));
    else
        json_text(json, word->text);
}

/* The words of the message as data, so that it can be said in another language; and what it takes to do the same. */
static void write_values(struct json *json, const struct check *check, const struct found *found)
{
    struct word words[WORDS_MAX];
    size_t count = words_list(check, found, words);
    json_key(json, "values");
    json_open(json, '{');
    for (size_t i = 0; i < count; i++) {
        bool number = strcmp(words[i].key, "factor") == 0 || strcmp(words[i].key, "sample") == 0;
        bool used = strcmp(words[i].key, "used") == 0 || strcmp(words[i].key, "detail") == 0 ||
                    strcmp(words[i].key, "of_other") == 0;
        bool again = false;
        for (size_t j = 0; j < i; j++)
            again = again || strcmp(member_of(&words[i]), member_of(&words[j])) == 0;
        if (!number && !used && !again) write_word(json, check, found, &words[i]);
    }
    if (found->has_factor) json_member_number(json, "factor", found->factor);
    if (found->mistake == &mistake_single_sample) json_member_size(json, "sample", found->sample);
    const char *variant = found->mistake->variant_words != NULL ? found->mistake->variant_words(found->variant) : NULL;
    if (variant != NULL) json_member_text(json, "used", variant);
    if (words_other(check, found) != LAYER_LOSS) json_member_size(json, "other", words_other(check, found));
    if (found->scale > 0) json_member_number(json, "scale", found->scale);
    if (found->of_tensors) json_member_bool(json, "alone", true);
    if (found->of_l2) json_member_bool(json, "regularization_alone", true);
    if (found->but_l2) json_member_bool(json, "without_regularization", true);
    if (found->with_l2) json_member_bool(json, "with_regularization", true);
    json_close(json, '}');
}

static void write_alternatives(struct json *json, const struct found *found)
{
    json_key(json, "alternatives");
    json_open(json, '[');
    for (size_t i = 0; i < found->alternative_count; i++) {
        json_open(json, '{');
        json_member_text(json, "id", found->alternatives[i]->id);
        json_member_text(json, "summary", found->alternatives[i]->summary);
        if (found->with[i] != NULL) json_member_text(json, "with", found->with[i]->id);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static const char *const states[] = {
    [GIVEN_RIGHT] = "right", [GIVEN_RIGHT_FOR_INPUT] = "right_given_input", [GIVEN_WRONG_HERE] = "wrong_here"};

static const char *name_of(const struct check *check, const struct given_step *step)
{
    return step->name != NULL ? step->name : check->problem.names[step->graded];
}

static void write_steps(struct json *json, const struct check *check, const struct diagnosis *diagnosis)
{
    json_key(json, "steps");
    json_open(json, '[');
    for (size_t i = 0; i < diagnosis->step_count; i++) {
        json_open(json, '{');
        json_member_text(json, "name", name_of(check, &diagnosis->steps[i]));
        json_member_text(json, "state", states[diagnosis->steps[i].state]);
        json_close(json, '}');
    }
    json_close(json, ']');
}

/* Where it is in a program: the line nearest the loss, all of them, and the value that it is about. */
static void write_lines(struct json *json, const struct check *check, const struct found *found)
{
    char value[PHRASE_MAX];
    if (found->layer_count > 0) {
        json_member_size(json, "line", found->layers[0]);
        write_layers(json, "lines", found->layers, found->layer_count);
    }
    if (found->below == NULL) return;
    line_words_value(check, found->below, value);
    json_member_text(json, "value", value);
    if (found->mistake->step == STEP_CONSUMER) write_layers(json, "through", found->layers, found->layer_count);
}

static void write_found(struct json *json, const struct check *check, const struct found *found)
{
    json_open(json, '{');
    json_member_text(json, "id", found->mistake->id);
    if (found->name != NULL) json_member_text(json, "name", found->name);
    if (found->looks_like != NULL) json_member_text(json, "looks_like", found->looks_like);
    if (check->problem.network->program != NULL)
        write_lines(json, check, found);
    else
        write_layers(json, "layers", found->layers, found->layer_count);
    json_key(json, "parameters");
    write_names(json, check, found);
    json_member_number(json, "residual", found->residual);
    if (found->has_factor) json_member_number(json, "factor", found->factor);
    if (found->mistake == &mistake_single_sample) json_member_size(json, "sample", found->sample);
    write_words(json, "message", words_told(json->text->arena, check, found));
    write_words(json, "hint", words_text(json->text->arena, check, found, found->mistake->hint));
    write_values(json, check, found);
    if (found->alternative_count > 0) write_alternatives(json, found);
    json_close(json, '}');
}

/* The line that makes what is first wrong; of what is given the last one that uses it. */
static void write_first_line(struct json *json, const struct check *check, const struct diagnosis *diagnosis)
{
    const struct network *network = check->problem.network;
    const struct value *value = network->graded[diagnosis->first_wrong].value;
    size_t line = network->program->graded_lines[diagnosis->first_wrong];
    for (size_t u = 0; line == 0 && u < value->use_count; u++)
        if (value->uses[u].node->place.kind == PLACE_LINE) line = value->uses[u].node->place.layer;
    json_key(json, "line");
    if (line > 0)
        json_size(json, line);
    else
        json_nothing(json); /* nothing uses it */
}

void diagnosis_report_json(struct json *json, const struct check *check, const struct diagnosis *diagnosis)
{
    json_key(json, "diagnosis");
    json_open(json, '{');
    json_member_bool(json, "explained", diagnosis->explained);
    json_key(json, "first_wrong");
    json_open(json, '{');
    json_member_text(json, "parameter", check->problem.names[diagnosis->first_wrong]);
    const struct graded *first = &check->problem.network->graded[diagnosis->first_wrong];
    if (check->problem.network->program != NULL) {
        write_first_line(json, check, diagnosis);
    } else {
        json_key(json, "layer");
        if (first->slot != NULL)
            json_size(json, first->layer);
        else
            json_nothing(json); /* data belongs to none */
    }
    json_close(json, '}');
    json_key(json, "mistakes");
    json_open(json, '[');
    for (size_t i = 0; i < diagnosis->count; i++)
        write_found(json, check, &diagnosis->found[i]);
    json_close(json, ']');
    if (diagnosis->step_count > 0) write_steps(json, check, diagnosis);
    if (diagnosis->suspect_count > 0) write_layers(json, "suspects", diagnosis->suspects, diagnosis->suspect_count);
    if (diagnosis->stopped) json_member_text(json, "search", "stopped");
    json_close(json, '}');
}

static void add_layers(struct text *text, const struct check *check, const size_t *layers, size_t count)
{
    if (check->problem.network->program != NULL) {
        for (size_t i = 0; i < count; i++)
            text_format(text, "%s%zu", i > 0 ? ", " : count > 1 ? "lines " : "line ", layers[i]);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0) text_add(text, ", ");
        if (layers[i] == LAYER_LOSS)
            text_add(text, "the loss");
        else
            text_format(text, "layer %zu (%s)", layers[i], check->problem.network->layers[layers[i]]->op->name);
    }
}

static void add_found(struct text *text, const struct check *check, const struct found *found)
{
    const char *message = words_told(text->arena, check, found);
    const char *hint = words_text(text->arena, check, found, found->mistake->hint);
    if (message == NULL || hint == NULL) {
        text->failed = true;
        return;
    }
    text_format(text, found->layer_count > 0 ? "\n  %s at " : "\n  %s", found->mistake->id);
    add_layers(text, check, found->layers, found->layer_count);
    text_add(text, "\n    ");
    text_shown(text, message);
    text_add(text, "\n    Hint: ");
    text_shown(text, hint);
    for (size_t i = 0; i < found->alternative_count; i++) {
        text_add(text, i == 0 ? "\n    Or: " : ", ");
        text_add(text, found->alternatives[i]->id);
        if (found->with[i] != NULL) text_format(text, " with %s", found->with[i]->id);
    }
    text_add(text, "\n");
}

static void add_steps(struct text *text, const struct check *check, const struct diagnosis *diagnosis)
{
    static const char *const words[] = {[GIVEN_RIGHT] = "right",
                                        [GIVEN_RIGHT_FOR_INPUT] = "right, given what came in",
                                        [GIVEN_WRONG_HERE] = "wrong here"};
    text_add(text, "step by step:");
    for (size_t i = 0; i < diagnosis->step_count; i++) {
        text_add(text, i > 0 ? "; " : " ");
        text_shown(text, name_of(check, &diagnosis->steps[i]));
        text_format(text, " %s", words[diagnosis->steps[i].state]);
    }
    text_add(text, "\n");
}

void diagnosis_report_text(struct text *text, const struct check *check, const struct diagnosis *diagnosis)
{
    text_add(text, "\nfirst wrong: ");
    text_shown(text, check->problem.names[diagnosis->first_wrong]);
    const struct graded *first = &check->problem.network->graded[diagnosis->first_wrong];
    if (first->slot != NULL) text_format(text, " (layer %zu)", first->layer);
    text_add(text, "\n");
    if (diagnosis->step_count > 0) add_steps(text, check, diagnosis);
    for (size_t i = 0; i < diagnosis->count; i++)
        add_found(text, check, &diagnosis->found[i]);
    if (diagnosis->count > 0 && !diagnosis->explained) text_add(text, "\n");
    diagnosis_report_rest(text, check, diagnosis);
}

void diagnosis_report_rest(struct text *text, const struct check *check, const struct diagnosis *diagnosis)
{
    if (diagnosis->count == 0 && check->gradients.count > 0)
        text_add(text, "No known mistake reproduces these numbers.\n");
    else if (diagnosis->count > 0 && !diagnosis->explained)
        text_add(text, "That does not account for everything that is wrong.\n");
    if (diagnosis->suspect_count > 0) {
        text_add(text, "Given what is right, what is wrong comes from: ");
        add_layers(text, check, diagnosis->suspects, diagnosis->suspect_count);
        text_add(text, ".\n");
    }
    if (diagnosis->stopped) text_add(text, "The search was stopped: its time or its memory is limited.\n");
}
