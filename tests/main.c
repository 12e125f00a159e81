/* Runs the one suite of a test program. */
#include "tests/main.h"

#include <stdlib.h>

/* Seconds that a test may take where it does not say so itself: for one that hangs. check's own 4 are too few where a
 * sanitizer runs on a busy machine. */
#define TIMEOUT "120"

int main(void)
{
    setenv("CK_DEFAULT_TIMEOUT", TIMEOUT, 0);
    SRunner *runner = srunner_create(test_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
