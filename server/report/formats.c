#include "server/report/formats.h"

#include <string.h>

#include "server/report/autolab.h"
#include "server/report/check50.h"
#include "server/report/check_words.h"
#include "server/report/classroom.h"
#include "server/report/coderunner.h"
#include "server/report/edulinq.h"
#include "server/report/github.h"
#include "server/report/gradescope.h"
#include "server/report/junit.h"
#include "server/report/markdown.h"
#include "server/report/prairielearn.h"
#include "server/report/submitty.h"
#include "server/report/tap.h"

#define JSON "application/json"
#define PLAIN "text/plain; charset=utf-8"

#define VISIBILITY (1U << FORMAT_VISIBILITY)
#define HINTS (1U << FORMAT_HINTS)
#define SUITE (1U << FORMAT_SUITE)
#define FILE_NAME (1U << FORMAT_FILE)
#define SCORES (1U << FORMAT_SCORES)

const struct format formats[] = {
    {"json", JSON, .accepted = true, .write = check_report_json,
     .reader = "Programs: everything that there is to say."},
    {"text", PLAIN, .accepted = true, .write = check_report_text,
     .reader = "A terminal: a table, a line for each gradient, and the mistakes."},
    {"gradescope", JSON, .tell = gradescope_write, .takes = VISIBILITY | HINTS,
     .reader = "Gradescope: /autograder/results/results.json. `hints=after_published` shows the points now, and what "
               "was done wrong later."},
    {"prairielearn", JSON, .marks = true, .tell = prairielearn_write,
     .reader = "PrairieLearn's external graders: /grade/results/results.json, with pictures of which elements are "
               "wrong. What cannot be graded costs no attempt."},
    {"junit", "application/xml", .accepted = true, .tell = junit_write, .takes = SUITE | FILE_NAME,
     .reader = "Jenkins, GitLab, Buildkite and others: JUnit's XML. GitLab wants `file=` too."},
    {"tap", PLAIN, .tell = tap_write, .reader = "Perl's prove and other readers of TAP."},
    {"markdown", "text/markdown; charset=utf-8", .accepted = true, .tell = markdown_write,
     .reader = "`$GITHUB_STEP_SUMMARY`, comments, notebooks."},
    {"github", PLAIN, .tell = github_write, .takes = SUITE | FILE_NAME,
     .reader = "The log of a GitHub workflow's step: annotations at the file that `file=` names."},
    {"classroom", JSON, .tell = classroom_write,
     .reader = "GitHub Classroom's reporter, which wants it in base64; with partial credit."},
    {"classroom50", JSON, .tell = classroom50_write,
     .reader = "Classroom 50. Its points are whole: fractions are cut off."},
    {"autolab", PLAIN, .tell = autolab_write, .takes = SCORES,
     .reader = "Autolab: the last two lines of the output. `scores=total` is for an assessment with one problem, "
               "`Gradients`."},
    {"submitty", JSON, .tell = submitty_write, .reader = "Submitty: a custom validator's validation_results.json."},
    {"coderunner", JSON, .tell = coderunner_write,
     .reader = "A template grader of Moodle's CodeRunner; with `reveal`, the reference is where only staff see it."},
    {"check50", JSON, .tell = check50_write, .reader = "CS50: what check50 --output json writes."},
    {"edulinq", JSON, .tell = edulinq_write, .reader = "The edulinq autograder: /autograder/output/result.json."},
    {"client", "application/vnd.gradcheckd+json", .accepted = true, .write = check_report_client,
     .reader = "The Python client: the JSON, with the table of `text` as its member `text`."},
    {0},
};
_Static_assert(sizeof formats / sizeof *formats <= FORMATS_MAX, "FORMATS_MAX is too small");

static const char *const who[] = {"visible", "hidden", "after_due_date", "after_published", NULL};
static const char *const which_scores[] = {"total", NULL};

const struct format_asked format_options[FORMAT_OPTIONS] = {
    [FORMAT_VISIBILITY] = {"visibility", who},  [FORMAT_HINTS] = {"hints", who},
    [FORMAT_SUITE] = {"suite", NULL},           [FORMAT_FILE] = {"file", NULL},
    [FORMAT_SCORES] = {"scores", which_scores},
};

const struct format *formats_find(const char *name)
{
    for (const struct format *f = formats; f->name != NULL; f++)
        if (strcmp(f->name, name) == 0) return f;
    return NULL;
}

void formats_write(const struct format *format, const char *const *options, struct text *text,
                   const struct check *check, const struct report *report, const struct diagnosis *diagnosis)
{
    if (format->write != NULL) {
        format->write(text, check, report, diagnosis);
        return;
    }
    struct verdicts verdicts;
    verdicts_make(text->arena, check, report, diagnosis, &verdicts);
    verdicts.options = options;
    format->tell(text, &verdicts);
    text->failed = text->failed || verdicts.failed;
}
