/* What passes take on the CUDA backend and on the CPU's, in one run: forward and backward of networks of 10^2 to 10^8
 * parameters, transfers apart; and lab-sized networks 1 to 10^6 at once, from host memory to host memory. `make
 * bench-cuda` runs it, and tests/cuda/bench_torch.py reads what it prints; `--small` does a little of it. What it does
 * where there is no device is in tests/cuda/object.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/ops/ops.h"
#include "core/base/parallel.h"
#include "core/pass/problem.h"
#include "core/pass/fused.h"
#include "core/base/error.h"
#include "server/blas_setup.h"
#include "tests/cuda/object.h"

enum { LAYERS_MAX = 8 };
static double seconds_each = 1;
#define CPU_PARAMETERS_MAX 5e6 /* from here on the CPU does one pass, after one to warm up: they take seconds */

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
    struct feed feed;
    struct layer layers[LAYERS_MAX];
    struct definition definition;
    struct network network;
    double *x, *target, *parameters;
    struct problem problem;
};

/* width -> width -> width, ReLU between, mean squared error; or the lab's 2-3-1 */
static void bench_new(struct bench *b, size_t in, size_t hidden, size_t out, const char *activation, size_t batch)
{
    struct error error = {0};
    *b = (struct bench){.feed = {.name = "x", .sample = {1, {in}}}};
    arena_init(&b->arena, (size_t)16 << 30);
    b->layers[0] = (struct layer){.op = ops_find("linear", false), .attributes = {(double)hidden, 0, 1}};
    b->layers[1] = (struct layer){.op = ops_find(activation, false)};
    b->layers[2] = (struct layer){.op = ops_find("linear", false), .attributes = {(double)out, 0, 1}};
    b->definition = (struct definition){.feeds = &b->feed,
                                        .feed_count = 1,
                                        .layers = b->layers,
                                        .layer_count = 3,
                                        .loss = {.op = ops_find("mse", true), .attributes = {[LOSS_SCALE] = 1}}};
    must(network_build(&b->arena, &b->definition, batch, &b->network, &error), "network_build");
    b->x = arena_doubles(&b->arena, batch * in);
    b->target = arena_doubles(&b->arena, batch * out);
    b->parameters = arena_doubles(&b->arena, b->network.parameter_elements);
    if (b->x == NULL || b->target == NULL || b->parameters == NULL) must(CODE_OUT_OF_MEMORY, "arena");
    fill(batch * in, b->x, 1);
    fill(batch * out, b->target, 1);
    fill(b->network.parameter_elements, b->parameters, 1.0 / (double)(in + hidden));
    b->problem = (struct problem){.network = &b->network};
    b->problem.given = arena_zeroed(&b->arena, b->network.graph.value_count, sizeof *b->problem.given);
    if (b->problem.given == NULL) must(CODE_OUT_OF_MEMORY, "arena");
    b->problem.given[b->network.feeds[0]->index] = b->x;
    b->problem.given[b->network.target->index] = b->target;
    double *w = b->parameters;
    for (size_t p = 0; p < b->network.parameter_count; w += b->network.graded[p++].value->size)
        b->problem.given[b->network.graded[p].value->index] = w;
}

/* Seconds of one forward and backward pass, whose data is where it is needed; and of sending that there. Passes are
 * done for seconds_each after three to warm up or, where they are to be few, one after one: the first meets memory that
 * was never touched, and takes up to twice as long. */
static void time_pass(struct bench *b, const struct backend *backend, bool few, double *pass_seconds,
                      double *transfer_seconds)
{
    struct pass pass;
    struct error error = {0};
    double element;
    const struct graph *graph = &b->network.graph;
    must(pass_new(&b->arena, graph, backend, &pass, &error), "pass_new");
    double begun = now();
    for (size_t v = 0; v < graph->value_count; v++)
        if (graph->values[v]->made_by == NULL)
            must(pass_set(&pass, graph->values[v], problem_given(&b->problem, graph->values[v]), &error), "pass_set");
    must(backend->download(1, pass.parameters, &element), "download"); /* waits for the device */
    *transfer_seconds = now() - begun;
    size_t passes = 0;
    for (int warm = 1; warm >= 0; warm--) {
        begun = now();
        passes = 0;
        do {
            must(pass_forward(&pass, &error), "pass_forward");
            must(pass_backward(&pass, &error), "pass_backward");
            must(backend->download(1, pass.parameter_gradients, &element), "download"); /* likewise */
            passes++;
        } while (few ? passes < 1 : warm ? passes < 3 : now() - begun < seconds_each);
    }
    *pass_seconds = (now() - begun) / (double)passes;
    pass_free(&pass);
}

static void bench_sizes(const struct backend *device, const struct gradcheckd_cuda_device *card, unsigned cores,
                        double most)
{
    printf("forward and backward, linear-relu-linear-mse, batch 256; the CPU with %u core%s, as for one request, one "
           "pass from 10^7 on\n"
           "%10s %8s %12s %12s %12s %10s %8s\n",
           cores, cores == 1 ? "" : "s", "parameters", "type", "device ms", "transfer ms", "cpu ms", "Gflop/s",
           "of peak");
    const size_t widths[] = {7, 22, 70, 223, 707, 2236, 7071};
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
        struct bench b;
        double on_device, transfer, on_cpu, unused;
        if (2.0 * (double)widths[k] * (double)widths[k] > most) continue;
        bench_new(&b, widths[k], widths[k], widths[k], "relu", 256);
        double parameters = (double)b.network.parameter_elements;
        time_pass(&b, device, false, &on_device, &transfer);
        time_pass(&b, backend_cpu(device->dtype), parameters > CPU_PARAMETERS_MAX, &on_cpu, &unused);
        /* z and dW of both layers, dx of the second */
        double flops = 2.0 * 256 * (double)widths[k] * (double)widths[k] * 5;
        double peak = device->dtype == DTYPE_FLOAT64 ? card->flops_f64 : card->flops_f32;
        printf("%10zu %8s %12.4f %12.3f %12.4f %10.1f %8.3f\n", b.network.parameter_elements,
               dtype_names[device->dtype], 1e3 * on_device, 1e3 * transfer, 1e3 * on_cpu, flops / on_device / 1e9,
               peak > 0 ? flops / on_device / peak : 0);
        fflush(stdout);
        arena_free(&b.arena);
    }
}

static void bench_many(const struct backend *device, size_t most)
{
    printf(
        "many networks 2-3-1 at once, batch 4, forward, backward and comparison, transfers included\n%10s %8s %14s\n",
        "networks", "type", "passes/s");
    struct bench b;
    struct fused s;
    bench_new(&b, 2, 3, 1, "tanh", 4);
    if (device->passes_of_many == NULL || !fused_of(&b.network, &s)) return;
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
            } while (!warm && now() - begun < seconds_each);
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

/* The cores that the CPU backend has for one request's large products: two, where there are as many. */
static unsigned start_cores(void)
{
    return sysconf(_SC_NPROCESSORS_ONLN) > 1 && parallel_start(1) ? 2 : 1;
}

int main(int argc, char **argv)
{
    bool small = argc > 1 && strcmp(argv[1], "--small") == 0;
    struct cuda_object object;
    struct gradcheckd_cuda_device card;
    blas_setup(argv);
    if (small) seconds_each = 0.01;
    cuda_object_open(&object);
    unsigned cores = start_cores();
    must(object.describe(&card), "describe");
    printf("%s\n", card.name);
    for (int dtype = 0; dtype < 2; dtype++) {
        bench_sizes(object.backends[dtype], &card, cores, small ? 1e4 : 1e9);
        bench_many(object.backends[dtype], small ? 1000 : 1000000);
    }
    if (cores > 1) parallel_stop();
    return EXIT_SUCCESS;
}
