#include "server/blas_setup.h"

#include <cblas.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* OpenBLAS 0.3.21 knows AVX-512 CPUs by their model numbers. On one that it has not heard of it takes kernels
 * for AVX2, which reach 60% of the speed. OPENBLAS_CORETYPE corrects that, but is read when the library is
 * loaded, before any code of this program runs (a .preinit_array function does run earlier, but what it puts
 * into the environment is lost: libc reads the environment later). So the program starts itself once more, a
 * matter of milliseconds. */
static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

static bool chose_avx2(void)
{
    const char *name = openblas_get_corename();
    return strcmp(name, "Haswell") == 0 || strcmp(name, "Zen") == 0;
}

void blas_setup(char **argv)
{
    if (getenv("OPENBLAS_CORETYPE") == NULL && has_avx512() && chose_avx2()) {
        /* By its own path, not /proc/self/exe: the process keeps its name. */
        char program[PATH_MAX];
        ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
        if (length > 0 && setenv("OPENBLAS_CORETYPE", "SkylakeX", 1) == 0) {
            program[length] = '\0';
            execv(program, argv);
        }
        /* Where that fails, slower kernels are better than none. */
    }
    /* Requests run in parallel; each multiplies its own matrices by itself. */
    openblas_set_num_threads(1);
}
