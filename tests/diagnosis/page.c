/* Prints core/MISTAKES.md from the table of mistakes: `make mistakes` writes it, a test compares. */
#include <stdio.h>

#include "core/ops/mistake.h"

static const char *const steps[] = {[STEP_LOSS] = "The loss",
                                    [STEP_INPUT] = "What a layer sends back",
                                    [STEP_PARAMETER] = "A parameter's gradient",
                                    [STEP_CONSUMER] = "Adding up what several layers send back",
                                    [STEP_FINISHED] = "The finished gradients",
                                    [STEP_FORWARD] = "The forward pass, where its values or gradients show it",
                                    [STEP_UPDATE] = "The optimizer's update (`POST /v1/optimizer_step`)"};

static void print_mistake(const struct mistake *m)
{
    printf("### `%s`\n\n%s\n\n", m->id, m->summary);
    printf("```python\n%s  # wrong\n%s  # right\n```\n\n", m->wrong, m->right);
    printf("%s\n\n", m->hint);
    if (m->source != NULL) printf("Seen in %s.\n\n", m->source);
}

int main(void)
{
    printf(
        "# The mistakes that gradcheckd names\n\n"
        "Generated from `core/ops/mistakes.h` by `make mistakes`; do not edit.\n\n"
        "A layer has the input x, z = x @ W + b and h = f(z). Right is dz = dh * f'(z), dW = x.T @ dz,\n"
        "db = dz.sum(axis=0), dh_prev = dz @ W.T. Each mistake changes one step, and everything below inherits it. A\n"
        "mistake is reported only where making it reproduces the numbers that were handed in. Words in braces stand "
        "for\n"
        "the names of the place.\n");
    for (unsigned step = 0; step < sizeof steps / sizeof *steps; step++) {
        printf("\n## %s\n\n", steps[step]);
        for (size_t i = 0; mistakes[i] != NULL; i++)
            if (mistakes[i]->step == (enum step)step) print_mistake(mistakes[i]);
    }
    return 0;
}
