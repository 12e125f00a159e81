#include "server/task/judged.h"

#include "core/base/clock.h"
#include "core/diagnosis/carry.h"
#include "server/task/device.h"

/* What a student's code comes to, as what is handed in. */
static int evaluate_code(struct arena *arena, struct judged *j, struct error *error)
{
    struct check_task *request = &j->request;
    struct pass pass = {0};
    double begun = clock_seconds();
    if (request->backward.text == NULL) return CODE_OK;
    int code = problem_run(arena, &request->check.problem, backend_cpu(DTYPE_FLOAT64), &pass, error);
    if (code == CODE_OK)
        code = backward_run(arena, &request->check, &pass, &request->backward, BACKWARD_SECONDS, &j->backward, error);
    request->check.gradients = j->backward.gradients;
    j->diagnose_seconds += clock_seconds() - begun;
    return code;
}

int judged_read(struct arena *arena, struct judged *j, const atomic_bool *cancelled, struct error *error)
{
    double begun = clock_seconds();
    j->request.check.problem.cancelled = cancelled;
    int code = check_task_read(arena, &j->request, error);
    j->read_seconds += clock_seconds() - begun;
    return code == CODE_OK ? evaluate_code(arena, j, error) : code;
}

int judged_diagnose(struct arena *arena, struct judged *j, double seconds, struct error *error)
{
    double begun = clock_seconds();
    /* Of code each line is judged. */
    j->diagnosed = j->request.diagnose && !j->report.passed && j->request.backward.text == NULL;
    if (!j->diagnosed) return CODE_OK;
    if (!j->request.search) seconds = 0;
    int code = diagnose_run(arena, &j->request.check, &j->report, seconds, &j->diagnosis, error);
    if (code == CODE_OK) carry_marks(&j->request.check, &j->diagnosis, &j->report);
    j->diagnose_seconds += clock_seconds() - begun;
    return code;
}

static int judge_code(struct arena *arena, struct judged *j, struct error *error)
{
    if (j->request.backward.text == NULL) return CODE_OK;
    j->report.backward = &j->backward;
    return backward_judge(arena, &j->request.check, &j->backward, &j->report, error);
}

int judged_compare(struct arena *arena, struct judged *j, struct reference *reference, double seconds,
                   struct error *error)
{
    int code = check_judge(arena, &j->request.check, reference, &j->report, error);
    if (code == CODE_OK && !j->report.postponed) code = judged_diagnose(arena, j, seconds, error);
    if (code == CODE_OK && !j->report.postponed) code = judge_code(arena, j, error);
    return code;
}

int judged_compute(struct arena *arena, struct judged *j, double seconds, struct error *error)
{
    struct check *check = &j->request.check;
    for (;;) {
        struct reference reference;
        int code = check_reference(arena, check, &reference, error);
        if (code == CODE_OK) code = judged_compare(arena, j, &reference, seconds, error);
        check_reference_free(check, &reference);
        if (code == CODE_OK) code = check_verify(arena, check, &reference, &j->report, error);
        const struct backend *instead = device_instead(check->problem.backend, j->request.device, code);
        if (instead == NULL) return code;
        check->problem.backend = instead;
        j->again = true;
        *error = (struct error){0};
    }
}

int judged_trace(struct arena *arena, struct judged *j, struct error *error)
{
    double begun = clock_seconds();
    if (!j->request.trace) return CODE_OK;
    j->report.trace = &j->trace;
    int code = trace_run(arena, &j->request.check.problem, &j->trace, error);
    j->trace_seconds = clock_seconds() - begun;
    return code;
}
