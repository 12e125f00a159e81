#include "tests/fuzz/holds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_utf8(const struct text *text)
{
    const char *end = text->data + text->length;
    for (const char *at = text->data; at < end;) {
        size_t length = text_utf8(at, end);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

static double number(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    require(json_is_number(member), "a number is missing from the report");
    return json_number_value(member);
}

static bool flag(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    require(json_is_boolean(member), "a flag is missing from the report");
    return json_is_true(member);
}

static const char *word(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    require(json_is_string(member), "a word is missing from the report");
    return json_string_value(member);
}

/* ---- the entries ---- */

/* The entry of a parameter; NULL where there is none. */
static const json_t *entry_of(const json_t *report, const char *name)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(json_object_get(report, "parameters"), i,
                       entry) if (strcmp(word(entry, "name"), name) == 0) return entry;
    return NULL;
}

/* Points add up, and `passed` is what all say together. */
static void holds_points(const json_t *report)
{
    size_t i;
    const json_t *entry;
    double points = 0, most = 0;
    bool passed = true;
    json_array_foreach(json_object_get(report, "parameters"), i, entry)
    {
        double own = number(entry, "points"), own_most = number(entry, "max_points");
        require(own == (flag(entry, "passed") ? own_most : 0), "points for what did not pass, or none for what did");
        passed = passed && flag(entry, "passed");
        points += own;
        most += own_most;
    }
    double score = number(report, "score");
    require(passed == flag(report, "passed"), "the report and its entries disagree");
    require(points == number(report, "points") && most == number(report, "max_points"), "the points do not add up");
    require(points >= 0 && points <= most && score >= 0 && score <= 1, "points or score out of range");
    require(!passed || score == 1, "all passed, but the score is not 1");
}

/* ---- the diagnosis ---- */

static bool failed(const json_t *report, const char *name)
{
    const json_t *entry = entry_of(report, name);
    require(entry != NULL, "a diagnosis names what is no parameter");
    return !flag(entry, "passed");
}

static void holds_mistake(const json_t *report, const json_t *mistake)
{
    size_t i, wrong = 0;
    const json_t *name;
    json_array_foreach(json_object_get(mistake, "parameters"), i, name) wrong +=
        failed(report, json_string_value(name));
    require(wrong > 0 || strcmp(word(mistake, "id"), "forward_wrong") == 0, "a mistake where nothing failed");
    require(word(mistake, "message")[0] != '\0' && word(mistake, "hint")[0] != '\0', "a mistake without words");
    require(strchr(word(mistake, "message"), '{') == NULL, "a template that was not filled in");
    require(number(mistake, "residual") >= 0, "a residual that is none");
}

/* Whether one of the mistakes has that parameter. */
static bool accounted(const json_t *mistakes, const char *parameter)
{
    size_t i, j;
    const json_t *mistake, *name;
    json_array_foreach(mistakes, i, mistake)
        json_array_foreach(json_object_get(mistake, "parameters"), j,
                           name) if (strcmp(json_string_value(name), parameter) == 0) return true;
    return false;
}

static void holds_explained(const json_t *report, const json_t *mistakes)
{
    size_t i;
    const json_t *entry;
    require(json_array_size(mistakes) > 0, "explained by nothing");
    json_array_foreach(json_object_get(report, "parameters"), i, entry)
        require(flag(entry, "passed") || accounted(mistakes, word(entry, "name")), "explained, but for one parameter");
}

static void holds_diagnosis(const json_t *report)
{
    const json_t *diagnosis = json_object_get(report, "diagnosis"), *mistakes, *mistake;
    size_t i;
    if (diagnosis == NULL) return;
    require(!flag(report, "passed"), "a diagnosis of what is right");
    require(failed(report, word(json_object_get(diagnosis, "first_wrong"), "parameter")), "first wrong is right");
    mistakes = json_object_get(diagnosis, "mistakes");
    require(json_is_array(mistakes), "no list of mistakes");
    json_array_foreach(mistakes, i, mistake) holds_mistake(report, mistake);
    if (flag(diagnosis, "explained")) holds_explained(report, mistakes);
}

/* ---- any answer ---- */

static void holds_problem(const struct answer *answer, const json_t *problem)
{
    require(answer->status == 400 || answer->status == 422, "a status that a body must not cause");
    require(number(problem, "status") == answer->status, "another status");
    require(word(problem, "detail")[0] != '\0' && word(problem, "code")[0] != '\0', "a problem without words");
    const char *pointer = word(problem, "pointer");
    require(pointer[0] == '\0' || pointer[0] == '/', "a pointer that is none");
}

static void holds_text(const struct text *text, const json_t *report)
{
    const char *begin = flag(report, "passed") ? "PASSED: " : "FAILED: ";
    require(is_utf8(text), "the text is not UTF-8");
    require(text->length > 8 && memcmp(text->data, begin, 8) == 0, "the formats disagree");
    require(text->data[text->length - 1] == '\n', "the text does not end with a line");
}

/* Whether a document is made of so many lines, each of them an object of JSON. */
static bool is_objects(const struct text *document, size_t lines)
{
    const char *at = document->data, *end = at + document->length;
    for (; at < end; lines--) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        json_t *root = stop != NULL ? json_loadb(at, (size_t)(stop - at), JSON_REJECT_DUPLICATES, NULL) : NULL;
        bool object = json_is_object(root);
        json_decref(root);
        if (!object || lines == 0) return false;
        at = stop + 1;
    }
    return lines == 0;
}

/* No document for a platform has anything that steers a terminal or is no UTF-8; what is JSON can be read. */
static void holds_others(const struct answer *answer)
{
    for (size_t i = 0; i < answer->other_count; i++) {
        const struct text *document = &answer->others[i].document;
        const char *name = answer->others[i].name;
        require(is_utf8(document) && document->length > 0, name);
        for (size_t c = 0; c < document->length; c++)
            require((unsigned char)document->data[c] >= 0x20 || document->data[c] == '\n', name);
        if (strcmp(answer->others[i].media_type, "application/json") == 0) require(is_objects(document, 1), name);
        if (strcmp(name, "autolab") == 0) require(is_objects(document, 2), name);
    }
}

json_t *holds_answer(const struct answer *answer)
{
    require(is_utf8(&answer->json), "the JSON is not UTF-8");
    json_t *root = json_loadb(answer->json.data, answer->json.length, JSON_REJECT_DUPLICATES, NULL);
    require(json_is_object(root), "the JSON cannot be parsed");
    if (answer->status == 200) {
        holds_points(root);
        holds_diagnosis(root);
        holds_text(&answer->text, root);
        holds_others(answer);
    } else {
        holds_problem(answer, root);
    }
    return root;
}

/* ---- a report on what was handed in ---- */

static void holds_verdicts(const json_t *report, const struct assignment *assignment, const struct handin *handin)
{
    for (size_t p = 0; p < assignment->parameter_count; p++) {
        const json_t *entry = entry_of(report, assignment->parameters[p].name);
        require((entry != NULL) == handin->tensors[p].graded, "the report lacks what is graded, or has what is not");
        if (entry == NULL) continue;
        const char *expected = handin->tensors[p].verdict, *got = word(entry, "status");
        if (expected == NULL || strcmp(expected, got) == 0) continue;
        fprintf(stderr, "%s is %s, expected %s\n", assignment->parameters[p].name, got, expected);
        require(false, "another verdict");
    }
}

static bool is_feed(const struct assignment *assignment, const char *name)
{
    for (size_t p = 0; p < assignment->parameter_count; p++)
        if (assignment->parameters[p].feed && strcmp(assignment->parameters[p].name, name) == 0) return true;
    return false;
}

/* A mistake was made at a layer; but for one in the finished gradient of data. */
static void holds_places(const json_t *diagnosis, const struct assignment *assignment)
{
    size_t i, j;
    const json_t *mistake, *name;
    json_array_foreach(json_object_get(diagnosis, "mistakes"), i, mistake)
    {
        if (json_array_size(json_object_get(mistake, "layers")) > 0) continue;
        json_array_foreach(json_object_get(mistake, "parameters"), j, name)
            require(is_feed(assignment, json_string_value(name)), "a mistake at no layer");
    }
}

/* The intermediates that were handed in as they are. */
static void holds_values(const json_t *report)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(json_object_get(report, "intermediates"), i, entry)
        require(flag(entry, "passed"), "a right intermediate failed");
}

void holds_report(const json_t *report, const struct assignment *assignment, const struct handin *handin)
{
    const json_t *diagnosis = json_object_get(report, "diagnosis");
    holds_verdicts(report, assignment, handin);
    holds_places(diagnosis, assignment);
    if (handin->right) require(flag(report, "passed") && diagnosis == NULL, "what is right did not pass");
    require((diagnosis != NULL) == (!flag(report, "passed") && !handin->silent), "a diagnosis too much or too little");
    require((json_object_get(report, "reference") != NULL) == handin->reveal, "revealed, or not revealed");
    if (handin->values == 1) holds_values(report);
}
