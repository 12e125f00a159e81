/* The conformance suite on the CPU backend. */
#include "tests/core/conformance.h"

Suite *test_suite(void)
{
    conformance =
        (struct conformance){.backends = {backend_cpu(DTYPE_FLOAT64), backend_cpu(DTYPE_FLOAT32)}, .count = 2};
    return conformance_suite("conformance");
}
