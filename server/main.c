/* gradcheckd: reads its options, serves, and on SIGTERM or SIGINT finishes what is in flight. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/parallel.h"
#include "server/blas_setup.h"
#include "server/command.h"
#include "server/task/device.h"
#include "server/body/document.h"
#include "server/http/http.h"
#include "server/log.h"
#include "server/options.h"
#include "server/tokens.h"
#include "server/api/routes.h"
#include "server/api/static_files.h"

/* By --threads: those of connections (two at least), workers and helpers. */
enum { THREADS_THAT_MULTIPLY = 3 };

/* The exit status where the options cannot be followed. */
enum { STATUS_USAGE = 2 };

static int signalled = -1; /* an eventfd: readable once a signal has come */
static volatile sig_atomic_t ending;

static void wake(void)
{
    const uint64_t one = 1;
    if (write(signalled, &one, sizeof one) < 0) return; /* full of signals already */
}

/* Whoever asks twice does not want to wait for what is in flight. */
static void on_end(int signal_number)
{
    (void)signal_number;
    if (ending) _exit(EXIT_FAILURE);
    ending = 1;
    wake();
}

/* A terminal that is closed, or an operator whose files have changed. */
static void on_hangup(int signal_number)
{
    (void)signal_number;
    wake();
}

/* A handler, rather than blocked signals and sigwait: OpenBLAS has threads that were started before main and
 * block nothing, so that a second signal would still end the process. */
static bool catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_end, .sa_flags = SA_RESTART};
    struct sigaction hangup = {.sa_handler = on_hangup, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    signalled = eventfd(0, EFD_CLOEXEC);
    return signalled >= 0 && sigaction(SIGTERM, &action, NULL) == 0 && sigaction(SIGINT, &action, NULL) == 0 &&
           sigaction(SIGHUP, &hangup, NULL) == 0 && sigaction(SIGPIPE, &ignore, NULL) == 0 &&
           sigaction(SIGXFSZ, &ignore, NULL) == 0;
}

static bool load_tokens(const struct options *options)
{
    char fault[TOKENS_FAULT_MAX];
    if (options->tokens[0] == '\0' || tokens_load(options->tokens, fault)) return true;
    fprintf(stderr, "gradcheckd: --tokens %s: %s\n", options->tokens, fault);
    return false;
}

static bool open_log(const struct options *options)
{
    if (options->log == NULL || log_open(options->log)) return true;
    fprintf(stderr, "gradcheckd: --log %s: %s\n", options->log, strerror(errno));
    return false;
}

/* What an operator has changed; where it cannot be read, what there is goes on. */
static void read_anew(const struct options *options)
{
    load_tokens(options);
    if (!log_reopen()) fprintf(stderr, "gradcheckd: --log %s: %s\n", options->log, strerror(errno));
}

/* Polls before it reads: ThreadSanitizer holds back the signals of a thread that reads. */
static bool wait_for_signal(void)
{
    struct pollfd one = {.fd = signalled, .events = POLLIN};
    uint64_t signals;
    while (poll(&one, 1, -1) < 0)
        if (errno != EINTR) return false;
    return read(signalled, &signals, sizeof signals) == sizeof signals || errno == EINTR;
}

static void wait_for_end(const struct options *options)
{
    while (!ending && wait_for_signal())
        if (!ending) read_anew(options);
}

/* Many systems allow 1024 open files unless asked for more. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= 4096) return;
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > 4096 ? 4096 : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Writes out what was printed. False, with one line on standard error, where that cannot be done. */
static bool flush_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return true;
    fprintf(stderr, "gradcheckd: cannot write to standard output: %s\n", strerror(errno));
    return false;
}

static int serve(const struct options *options)
{
    char address[LISTENER_ADDRESS_MAX];
    if (!catch_signals()) {
        perror("gradcheckd");
        return EXIT_FAILURE;
    }
    if (!load_tokens(options) || !open_log(options)) return STATUS_USAGE;
    if (options->static_directory[0] == '\0')
        fputs("gradcheckd: there is no front end beside the program, and no --static DIR: / will be 404\n", stderr);
    memory_start(options->max_memory);
    if (!blas_reserve(THREADS_THAT_MULTIPLY * options->threads + 1)) {
        fputs("gradcheckd: there is no room for the buffers of its matrix products: allow more memory (ulimit -v), or "
              "fewer --threads\n",
              stderr);
        _exit(EXIT_FAILURE); /* OpenBLAS's own end would wait for what it cannot have */
    }
    raise_file_limit();
    document_setup();
    device_start();
    const struct device *device = device_asked(options->device);
    if (device != NULL && !device->is_there()) {
        fprintf(stderr, "gradcheckd: --device %s: there is no %s here (%s)\n", device_names[options->device.which],
                device->title, device->why());
        return STATUS_USAGE;
    }
    if (!parallel_start(options->threads > 1 ? options->threads - 1 : 0))
        fputs("gradcheckd: cannot start helping threads; large products take one core each\n", stderr);
    if (!static_files_load(options->static_directory) || !http_start(options, &routes, address)) return EXIT_FAILURE;
    printf("gradcheckd %s listening on %s\n", GRADCHECKD_VERSION, address);
    bool told = flush_output(); /* whoever waits for the line would wait for ever */
    if (told) wait_for_end(options);
    /* Work that does not end in time ends with the process. */
    if (!http_drain()) _exit(told ? EXIT_SUCCESS : EXIT_FAILURE);
    parallel_stop();
    static_files_free();
    tokens_free();
    return told ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static struct options options;
    blas_setup(argv);
    if (command_is(argc, argv)) return command_run(argc, argv);
    switch (options_read(argc, argv, &options)) {
    case OPTIONS_RUN:
        return serve(&options);
    case OPTIONS_EXIT_0:
        return flush_output() ? EXIT_SUCCESS : EXIT_FAILURE;
    default:
        return STATUS_USAGE;
    }
}
