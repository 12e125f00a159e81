#include "server/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/memory.h"
#include "server/api/check.h"
#include "server/api/train.h"
#include "server/blas_setup.h"
#include "server/body/document.h"
#include "server/http/problem.h"
#include "server/http/route.h"
#include "server/options.h"
#include "server/report/formats.h"
#include "server/task/device.h"

enum { STATUS_PASSED = 0, STATUS_FAILED = 1, STATUS_WRONG = 2 };

enum { FILES_MAX = 4, FLAGS_MAX = FORMAT_OPTIONS + 3 };

struct command {
    bool trains;
    const char *name; /* check or train */
    const char *file; /* with the request; "-": standard input */
    struct {
        const char *member, *path; /* a file that stands for a member of the request */
    } files[FILES_MAX];
    size_t file_count;
    struct exchange_word query[FLAGS_MAX + 1]; /* what HTTP has behind '?' */
    size_t query_count;
    const char *device;
};

/* ---- the command line ---- */

bool command_is(int argc, char **argv)
{
    return argc > 1 && (strcmp(argv[1], "check") == 0 || strcmp(argv[1], "train") == 0);
}

static int say(const char *format, const char *what)
{
    fprintf(stderr, "gradcheckd: ");
    fprintf(stderr, format, what);
    fputc('\n', stderr);
    return STATUS_WRONG;
}

static int help(const struct command *command)
{
    printf(
        "usage: gradcheckd %s FILE [FLAG VALUE]...\n\nFILE has the request as JSON, as POST /v1/%s takes it; - is "
        "standard input.\n\n  --parameters FILE, --data FILE\n                          ... these members of it: npz, "
        "npy, safetensors or JSON\n",
        command->name, command->name);
    if (!command->trains) {
        printf("  --gradients FILE        ... what was handed in\n  --format ");
        for (const struct format *f = formats; f->name != NULL; f++)
            printf("%s%s", f > formats ? "|" : "", f->name);
        printf("\n");
        for (size_t i = 0; i < FORMAT_OPTIONS; i++)
            printf("  --%s VALUE\n", format_options[i].name);
        printf("  --strict                for the sake of scripts that say so: the exit status tells anyhow\n");
    }
    printf("  --device NAME           where to compute\n\nExit status: 0 %s, 2 the request is wrong.\n",
           command->trains ? "done" : "passed, 1 not passed");
    return fflush(stdout) == 0 ? STATUS_PASSED : STATUS_WRONG;
}

static bool take_file(struct command *command, const char *member, const char *path)
{
    if (command->file_count == FILES_MAX) return false;
    command->files[command->file_count].member = member;
    command->files[command->file_count++].path = path;
    return true;
}

static bool take_query(struct command *command, const char *name, const char *value)
{
    if (command->query_count == FLAGS_MAX) return false;
    command->query[command->query_count++] = (struct exchange_word){name, value};
    return true;
}

/* A flag that has a value; false where there is none of that name. */
static bool take_flag(struct command *command, const char *flag, const char *value)
{
    static const char *const members[] = {"parameters", "data", NULL};
    if (strcmp(flag, "device") == 0) {
        command->device = value;
        return true;
    }
    for (size_t i = 0; members[i] != NULL; i++)
        if (strcmp(flag, members[i]) == 0) return take_file(command, members[i], value);
    if (command->trains) return false;
    if (strcmp(flag, "gradients") == 0) return take_file(command, "gradients", value);
    if (strcmp(flag, "format") == 0) return take_query(command, "format", value);
    for (size_t i = 0; i < FORMAT_OPTIONS; i++)
        if (strcmp(flag, format_options[i].name) == 0) return take_query(command, format_options[i].name, value);
    return false;
}

static int read_arguments(int argc, char **argv, struct command *command)
{
    for (int i = 2; i < argc; i++) {
        const char *argument = argv[i];
        if (argument[0] != '-' || strcmp(argument, "-") == 0) {
            if (command->file != NULL) return say("one file has the request, not %s, too", argument);
            command->file = argument;
        } else if (strcmp(argument, "--strict") == 0 && !command->trains) {
            continue;
        } else if (strncmp(argument, "--", 2) != 0 || i + 1 == argc) {
            return say(i + 1 == argc ? "%s needs a value" : "unknown argument '%s'", argument);
        } else if (!take_flag(command, argument + 2, argv[++i])) {
            return say("unknown argument '%s', or it is given too often", argument);
        }
    }
    if (command->file == NULL)
        return say("%s needs the file that has the request (- for standard input)", command->name);
    return STATUS_PASSED;
}

/* ---- the request ---- */

/* All of a file behind what is there. */
static bool read_file(struct text *text, const char *path, size_t most)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char piece[1 << 16];
    size_t length;
    if (file == NULL) {
        fprintf(stderr, "gradcheckd: %s: %s\n", path, strerror(errno));
        return false;
    }
    while ((length = fread(piece, 1, sizeof piece, file)) > 0 && text->length <= most)
        text_bytes(text, piece, length);
    bool good = !ferror(file);
    if (!good) fprintf(stderr, "gradcheckd: %s: %s\n", path, strerror(errno));
    if (file != stdin) fclose(file);
    if (good && text->failed) say("%s does not fit into memory", path);
    if (good && text->length > most) say("%s is larger than GRADCHECKD_MAX_BODY allows", path);
    return good && !text->failed && text->length <= most;
}

/* Between parts stands what no file has by chance. */
static bool make_boundary(char boundary[40])
{
    unsigned char drawn[16];
    if (getrandom(drawn, sizeof drawn, 0) != (ssize_t)sizeof drawn) return false;
    for (size_t i = 0; i < sizeof drawn; i++)
        snprintf(boundary + 2 * i, 3, "%02x", drawn[i]);
    return true;
}

/* The body that a client would send: JSON, or parts. */
static bool make_body(const struct command *command, size_t most, struct text *body, char type[100])
{
    char boundary[40];
    snprintf(type, 100, "application/json");
    if (command->file_count == 0) return read_file(body, command->file, most);
    if (!make_boundary(boundary)) return false;
    snprintf(type, 100, "multipart/form-data; boundary=%s", boundary);
    for (size_t i = 0; i <= command->file_count; i++) {
        const char *member = i == 0 ? "request" : command->files[i - 1].member;
        text_format(body, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n", boundary, member);
        if (!read_file(body, i == 0 ? command->file : command->files[i - 1].path, most)) return false;
        text_add(body, "\r\n");
    }
    text_format(body, "--%s--\r\n", boundary);
    return !body->failed;
}

/* Measures and runs it, as the threads of the server would. */
static void answer(struct exchange *exchange, route_measure *measure, exchange_step *run)
{
    struct error error = {0};
    struct load load = {0};
    exchange->on_worker = true;
    int code = measure(exchange, &load, &error);
    if (code == CODE_OK) code = run(exchange, &error);
    if (code != CODE_OK) problem_answer(exchange, &error);
}

static int write_answer(const struct exchange *exchange)
{
    const struct text *text = &exchange->answer;
    bool told = exchange->problem == NULL;
    FILE *to = told ? stdout : stderr;
    if (text->failed) return say("%s", "out of memory");
    if (text->length > 0) fwrite(text->data, 1, text->length, to);
    if (fflush(to) != 0) return say("cannot write to standard output: %s", strerror(errno));
    return !told ? STATUS_WRONG : exchange->status == 200 ? STATUS_PASSED : STATUS_FAILED;
}

static int run(struct command *command, const struct options *options)
{
    static struct exchange exchange; /* too large for a stack */
    struct arena files;
    struct text body;
    char type[100];
    const struct exchange_word sent[] = {{"Content-Type", type}, {NULL, NULL}};
    exchange = (struct exchange){.options = options, .method = "POST", .path = "", .role = ROLE_STAFF, .sent = sent};
    if (!command->trains) take_query(command, "strict", "1");
    exchange.query = command->query;
    arena_init(&exchange.arena, options_request_memory(options));
    arena_init(&files, options_request_memory(options));
    text_init(&body, &files);
    int status = STATUS_WRONG;
    if (make_body(command, options->max_body, &body, type)) {
        exchange.media_type = command->file_count == 0 ? "application/json" : "multipart/form-data";
        exchange.body = body.data;
        exchange.body_length = body.length;
        answer(&exchange, command->trains ? api_train_measure : api_check_measure,
               command->trains ? api_train_run : api_check_run);
        status = write_answer(&exchange);
    }
    arena_free(&exchange.arena);
    arena_free(&files);
    return status;
}

int command_run(int argc, char **argv)
{
    static struct options options;
    struct command command = {.trains = strcmp(argv[1], "train") == 0, .name = argv[1]};
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return help(&command);
    if (read_arguments(argc, argv, &command) != STATUS_PASSED) return STATUS_WRONG;
    char device_flag[] = "--device";
    char *flags[] = {argv[0], device_flag, (char *)command.device, NULL};
    if (options_read(command.device != NULL ? 3 : 1, flags, &options) != OPTIONS_RUN) return STATUS_WRONG;
    memory_start(options.max_memory);
    if (!blas_reserve(1)) return say("%s", "there is no room for the buffers of matrix products");
    document_setup();
    device_start();
    return run(&command, &options);
}
