#include "server/blas_setup.h"

#include <cblas.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

/* ---- its buffers ---- */

/* What OpenBLAS packs its matrices into: one for each product under way, taken from a list that grows when all are in
 * use. Where the system has no more, it asks for ever. These two of its functions are not in its headers. */
extern void *blas_memory_alloc(int procedure) __attribute__((weak));
extern void blas_memory_free(void *buffer) __attribute__((weak));

/* What a buffer takes at most on any machine so far; and as many as Debian's builds have a place for, before they warn.
 */
#define BUFFER_BYTES ((size_t)128 << 20)
enum { BUFFERS_MAX = 250, BUFFERS_SPARE = 2 };

static struct {
    void *buffers[BUFFERS_MAX];
    size_t bytes[BUFFERS_MAX];
    unsigned count;
} reserved;

static void take_buffers(void **buffers, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        buffers[i] = blas_memory_alloc(0);
}

static void give_buffers(void *const *buffers, unsigned count)
{
    for (unsigned i = count; i-- > 0;)
        blas_memory_free(buffers[i]);
}

/* Where the mapping ends that an address is in; the address itself where the system does not tell. */
static uintptr_t mapping_end(uintptr_t address)
{
    unsigned long long from, to;
    uintptr_t end = address;
    char line[512];
    FILE *file = fopen("/proc/self/maps", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "%llx-%llx", &from, &to) == 2 && address >= from && address < to) end = (uintptr_t)to;
    if (file != NULL) fclose(file);
    return end;
}

/* How far each goes: as far as it is from one to the next, but not beyond its mapping, which the system may have joined
 * with somebody else's. */
static void measure_all(void)
{
    size_t bytes = BUFFER_BYTES;
    for (unsigned i = 0; i < reserved.count; i++)
        for (unsigned k = 0; k < reserved.count; k++) {
            uintptr_t at = (uintptr_t)reserved.buffers[i], other = (uintptr_t)reserved.buffers[k];
            if (other > at && other - at < bytes) bytes = other - at;
        }
    for (unsigned i = 0; i < reserved.count; i++) {
        uintptr_t at = (uintptr_t)reserved.buffers[i], end = mapping_end(at);
        reserved.bytes[i] = end - at < bytes ? end - at : bytes;
    }
}

bool blas_reserve(unsigned threads)
{
    if (blas_memory_alloc == NULL || blas_memory_free == NULL) return true; /* not OpenBLAS */
    unsigned count = threads + BUFFERS_SPARE < BUFFERS_MAX ? threads + BUFFERS_SPARE : BUFFERS_MAX;
    /* Asked of the system first, which says no where OpenBLAS would go on asking. */
    void *room =
        mmap(NULL, count * BUFFER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return false;
    munmap(room, count * BUFFER_BYTES);
    take_buffers(reserved.buffers, count);
    reserved.count = count;
    measure_all();
    give_buffers(reserved.buffers, count);
    return true;
}

/* A product that begins in this moment finds one of the spare ones. */
void blas_settle(void)
{
    if (reserved.count <= BUFFERS_SPARE) return;
    unsigned count = reserved.count - BUFFERS_SPARE;
    void *taken[BUFFERS_MAX];
    take_buffers(taken, count);
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < reserved.count; k++)
            if (reserved.buffers[k] == taken[i]) (void)madvise(taken[i], reserved.bytes[k], MADV_DONTNEED);
    give_buffers(taken, count);
}
