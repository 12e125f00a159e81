#include "tests/fuzz/answer.h"

#include "server/codes.h"
#include "server/http/problem.h"
#include "server/limits.h"
#include "server/report/check_words.h"
#include "server/report/formats.h"
#include "server/task/check_task.h"
#include "tests/fuzz/clock.h"

/* Whatever is larger is refused as too much work: a fuzzer's time is better spent on many small networks. */
#define WORK 3e7

static const struct options options = {.max_body = LIMIT_BODY, .max_work = WORK};

void answer_setup(void)
{
    document_setup();
}

static int read(struct arena *arena, const char *body, size_t length, struct check_task *task, struct error *error)
{
    int code = document_read(arena, body, length, NULL, &task->document, error);
    if (code == CODE_OK) code = check_task_measure(arena, &options, task, error);
    return code == CODE_OK ? check_task_read(arena, task, error) : code;
}

/* As POST /v1/check does it: a short search first, and where that does not suffice a longer one, in the same arena. */
static int diagnose(struct arena *arena, const struct check_task *task, struct report *report,
                    struct diagnosis *diagnosis, struct error *error)
{
    double seconds = task->search ? LIMIT_LIGHT_DIAGNOSIS : 0;
    int code = diagnose_run(arena, &task->check, report, seconds, diagnosis, error);
    if (code != CODE_OK || !diagnosis->stopped || !task->search) return code;
    return diagnose_run(arena, &task->check, report, DIAGNOSE_SECONDS, diagnosis, error);
}

static void refuse(const struct error *error, struct answer *answer)
{
    problem_write(&answer->json, error);
    answer->status = answer->json.failed ? 503 : codes_entry(error->code)->status;
}

/* In each of the formats for platforms. */
static void write_others(const struct check *check, const struct report *report, const struct diagnosis *diagnosis,
                         struct answer *answer)
{
    static const char *const asked[FORMAT_OPTIONS] = {
        [FORMAT_HINTS] = "hidden", [FORMAT_SUITE] = "\"a\":\n]]>", [FORMAT_FILE] = "lab,1.py"};
    for (const struct format *f = formats; f->name != NULL; f++) {
        if (f->tell == NULL) continue;
        struct text *document = &answer->others[answer->other_count].document;
        answer->others[answer->other_count].name = f->name;
        answer->others[answer->other_count++].media_type = f->media_type;
        text_init(document, answer->json.arena);
        formats_write(f, asked, document, check, report, diagnosis);
        if (document->failed) answer->status = 503;
    }
}

static void report_on(struct arena *arena, const struct check_task *task, struct error *error, struct answer *answer)
{
    struct report report;
    struct diagnosis found;
    const struct diagnosis *diagnosis = NULL;
    struct check check = task->check;
    check.mark = true;
    int code = check_run(arena, &check, &report, error);
    if (code == CODE_OK && task->diagnose && !report.passed) {
        code = diagnose(arena, task, &report, &found, error);
        diagnosis = &found;
    }
    if (code != CODE_OK) {
        refuse(error, answer);
        return;
    }
    check_report_json(&answer->json, &task->check, &report, diagnosis);
    check_report_text(&answer->text, &task->check, &report, diagnosis);
    answer->status = answer->json.failed || answer->text.failed ? 503 : 200;
    write_others(&check, &report, diagnosis, answer);
}

void answer_body(struct arena *arena, const char *body, size_t length, unsigned steps, struct answer *answer)
{
    struct check_task task = {0};
    struct error error = {0};
    *answer = (struct answer){0};
    text_init(&answer->json, arena);
    text_init(&answer->text, arena);
    fuzz_clock_reset((long)(DIAGNOSE_SECONDS * 1e9) / (long)steps);
    if (read(arena, body, length, &task, &error) == CODE_OK)
        report_on(arena, &task, &error, answer);
    else
        refuse(&error, answer);
}
