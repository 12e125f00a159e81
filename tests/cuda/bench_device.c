/* What passes take on the CUDA backend and on the CPU's, in one run: forward and backward of networks of 10^2 to 10^8
 * parameters, transfers apart; and lab-sized networks 1 to 10^6 at once, from host memory to host memory. `make
 * bench-cuda` runs it; without a device it says SKIPPED, and `--standin` runs a little of it on the host stand-in. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/pass.h"
#include "core/ops/ops.h"
#include "core/sequence.h"
#include "core/status.h"
#include "cuda/gradcheckd_cuda.h"

enum { SECONDS_EACH = 1, LAYERS_MAX = 8 };
#define CPU_PARAMETERS_MAX 1e7 /* beyond it takes too long */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(int code, const char *what)
{
    if (code == CODE_OK) return;
    fprintf(stderr, "%s failed: code %d\n", what, code);
    exit(EXIT_FAILURE);
}

/* Uniform in [-1, 1), scaled. */
static void fill(size_t n, double *x, double scale)
{
    unsigned long long state = 42;
    for (size_t i = 0; i < n; i++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        x[i] = scale * ((double)(state >> 11) / 4503599627370496.0 - 1);
    }
}

struct bench {
    struct arena arena;
    struct layer layers[LAYERS_MAX];
    struct definition definition;
    struct network network;
    double *x, *target, *parameters;
    size_t batch;
};

/* width -> width -> width, ReLU between, mean squared error; or the lab's 2-3-1 */
static void bench_new(struct bench *b, size_t in, size_t hidden, size_t out, const char *activation, size_t batch)
{
    struct error error = {0};
    *b = (struct bench){.batch = batch};
    arena_init(&b->arena, (size_t)16 << 30);
    b->layers[0] = (struct layer){.op = ops_find("linear", false), .attributes = {(double)hidden, 0, 1}};
    b->layers[1] = (struct layer){.op = ops_find(activation, false)};
    b->layers[2] = (struct layer){.op = ops_find("linear", false), .attributes = {(double)out, 0, 1}};
    b->definition = (struct definition){
        .input = {1, {in}}, .layers = b->layers, .layer_count = 3, .loss = {.op = ops_find("mse", true)}};
    must(network_build(&b->arena, &b->definition, &b->network, &error), "network_build");
    b->x = arena_doubles(&b->arena, batch * in);
    b->target = arena_doubles(&b->arena, batch * out);
    b->parameters = arena_doubles(&b->arena, b->network.parameter_elements);
    if (b->x == NULL || b->target == NULL || b->parameters == NULL) must(CODE_OUT_OF_MEMORY, "arena");
    fill(batch * in, b->x, 1);
    fill(batch * out, b->target, 1);
    fill(b->network.parameter_elements, b->parameters, 1.0 / (double)(in + hidden));
}

/* Seconds of one forward and backward pass, whose data is where it is needed; and of sending that there. */
static void time_pass(struct bench *b, const struct backend *backend, double *pass_seconds, double *transfer_seconds)
{
    struct pass pass;
    struct error error = {0};
    double element;
    must(pass_new(&b->arena, &b->network, backend, b->batch, &pass, &error), "pass_new");
    double begun = now();
    must(pass_set_data(&pass, b->x, b->target, &error), "pass_set_data");
    const double *w = b->parameters;
    for (size_t p = 0; p < b->network.parameter_count; w += b->network.parameters[p++].size)
        must(pass_set_parameter(&pass, p, w, &error), "pass_set_parameter");
    *transfer_seconds = now() - begun;
    size_t passes = 0;
    for (int warm = 1; warm >= 0; warm--) {
        begun = now();
        passes = 0;
        do {
            must(pass_forward(&pass, &error), "pass_forward");
            must(pass_backward(&pass, &error), "pass_backward");
            must(pass_read(&pass, pass.gradients[0], 1, &element, &error), "pass_read"); /* waits for the device */
            passes++;
        } while (warm ? passes < 3 : now() - begun < SECONDS_EACH);
    }
    *pass_seconds = (now() - begun) / (double)passes;
    pass_free(&pass);
}

static void bench_sizes(const struct backend *device, const struct gradcheckd_cuda_device *card, double most)
{
    printf("forward and backward, linear-relu-linear-mse, batch 256\n%10s %8s %12s %12s %12s %10s %8s\n", "parameters",
           "type", "device ms", "transfer ms", "cpu ms", "Gflop/s", "of peak");
    const size_t widths[] = {7, 22, 70, 223, 707, 2236, 7071};
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
        struct bench b;
        double on_device, transfer, on_cpu = 0, unused;
        if (2.0 * (double)widths[k] * (double)widths[k] > most) continue;
        bench_new(&b, widths[k], widths[k], widths[k], "relu", 256);
        time_pass(&b, device, &on_device, &transfer);
        if ((double)b.network.parameter_elements < CPU_PARAMETERS_MAX)
            time_pass(&b, backend_cpu(device->dtype), &on_cpu, &unused);
        /* z and dW of both layers, dx of the second */
        double flops = 2.0 * 256 * (double)widths[k] * (double)widths[k] * 5;
        double peak = device->dtype == DTYPE_FLOAT64 ? card->flops_f64 : card->flops_f32;
        printf("%10zu %8s %12.4f %12.3f %12.4f %10.1f %8.3f\n", b.network.parameter_elements,
               dtype_names[device->dtype], 1e3 * on_device, 1e3 * transfer, 1e3 * on_cpu, flops / on_device / 1e9,
               peak > 0 ? flops / on_device / peak : 0);
        arena_free(&b.arena);
    }
}

static void bench_many(const struct backend *device, size_t most)
{
    printf(
        "many networks 2-3-1 at once, batch 4, forward, backward and comparison, transfers included\n%10s %8s %14s\n",
        "networks", "type", "passes/s");
    struct bench b;
    struct sequence s;
    bench_new(&b, 2, 3, 1, "tanh", 4);
    if (device->passes_of_many == NULL || !sequence_of(&b.network, 4, &s)) return;
    for (size_t count = 1; count <= most; count *= 10) {
        size_t n = count * s.parameters;
        double *sets = malloc(n * sizeof(double)), *submitted = malloc(n * sizeof(double)),
               *losses = malloc(count * sizeof(double)), *largest = malloc(count * sizeof(double));
        unsigned *worst = malloc(count * sizeof *worst);
        if (sets == NULL || submitted == NULL || losses == NULL || largest == NULL || worst == NULL)
            must(CODE_OUT_OF_MEMORY, "malloc");
        fill(n, sets, 1);
        fill(n, submitted, 1);
        double begun = now();
        size_t done = 0;
        for (int warm = 1; warm >= 0; warm--) {
            begun = now();
            done = 0;
            do {
                must(device->passes_of_many(&s, count, sets, b.x, b.target, losses, NULL, submitted, largest, worst),
                     "passes_of_many");
                done += count;
            } while (!warm && now() - begun < SECONDS_EACH);
        }
        printf("%10zu %8s %14.0f\n", count, dtype_names[device->dtype], (double)done / (now() - begun));
        free(sets);
        free(submitted);
        free(losses);
        free(largest);
        free(worst);
    }
    arena_free(&b.arena);
}

int main(int argc, char **argv)
{
    bool standin = argc > 1 && strcmp(argv[1], "--standin") == 0;
    gradcheckd_cuda_backend_function *backend = gradcheckd_cuda_backend;
    gradcheckd_cuda_describe_function *describe = gradcheckd_cuda_describe;
    const char *path = getenv("GRADCHECKD_CUDA");
    void *object = standin ? NULL : dlopen(path != NULL ? path : "build/gradcheckd-cuda.so", RTLD_NOW | RTLD_LOCAL);
    if (!standin && object == NULL) {
        printf("SKIPPED: %s\n", dlerror());
        return EXIT_SUCCESS;
    }
    if (object != NULL) {
        *(void **)&backend = dlsym(object, "gradcheckd_cuda_backend");
        *(void **)&describe = dlsym(object, "gradcheckd_cuda_describe");
        if (backend == NULL || describe == NULL) must(CODE_DEVICE, "dlsym");
    }
    char why[256] = "";
    struct gradcheckd_cuda_device card;
    for (int dtype = 0; dtype < 2; dtype++) {
        const struct backend *device = backend((enum dtype)dtype, why, sizeof why);
        if (device == NULL) {
            printf("SKIPPED: no device to measure: %s\n", why);
            return EXIT_SUCCESS;
        }
        must(describe(&card), "describe");
        if (dtype == 0) printf("%s\n", card.name);
        bench_sizes(device, &card, standin ? 1e3 : 1e9);
        bench_many(device, standin ? 1000 : 1000000);
    }
    return EXIT_SUCCESS;
}
