#include "server/options.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/paths.h"
#include "server/limits.h"

enum { THREADS_MAX = 1024, THREADS_USUAL = 64 };

#define BYTES_MAX ((size_t)1 << 40)

/* Each reads one value into the options; false where it makes no sense. */
typedef bool option_reader(struct options *options, const char *value);

/* ---- Values ---- */

/* Digits only, at most `max`. */
static bool read_size(const char *text, size_t length, size_t max, size_t *value)
{
    size_t sum = 0;
    if (length == 0) return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        size_t digit = (size_t)(text[i] - '0');
        if (sum > (max - digit) / 10) return false;
        sum = 10 * sum + digit;
    }
    *value = sum;
    return true;
}

static bool read_listen(struct options *options, const char *value)
{
    const char *colon = strrchr(value, ':');
    size_t port = 0;
    if (colon == NULL || !read_size(colon + 1, strlen(colon + 1), 65535, &port)) return false;
    size_t length = (size_t)(colon - value);
    bool brackets = length >= 2 && value[0] == '[' && colon[-1] == ']';
    if (brackets) {
        value++;
        length -= 2;
    }
    char host[sizeof options->host];
    unsigned char address[16];
    if (length >= sizeof host) return false;
    memcpy(host, value, length);
    host[length] = '\0';
    if (!brackets && strcmp(host, "localhost") == 0) strcpy(host, "127.0.0.1");
    if (inet_pton(brackets ? AF_INET6 : AF_INET, host, address) != 1) return false;
    memcpy(options->host, host, sizeof host);
    options->port = (unsigned)port;
    return true;
}

const char *const device_names[] = {"auto", "cpu", "cuda", NULL};

static bool read_device(struct options *options, const char *value)
{
    size_t choice = 0;
    while (device_names[choice] != NULL && strcmp(device_names[choice], value) != 0)
        choice++;
    if (device_names[choice] == NULL) return false;
    options->device = (struct device_choice){.which = choice, .usually = true};
    return true;
}

static bool read_threads(struct options *options, const char *value)
{
    size_t threads;
    if (!read_size(value, strlen(value), THREADS_MAX, &threads) || threads == 0) return false;
    options->threads = (unsigned)threads;
    return true;
}

static bool read_static(struct options *options, const char *value)
{
    struct stat status;
    size_t length = strlen(value);
    if (length >= sizeof options->static_directory) return false;
    if (stat(value, &status) != 0 || !S_ISDIR(status.st_mode)) return false;
    memcpy(options->static_directory, value, length + 1);
    return true;
}

/* Bytes, of which KiB, MiB or GiB may follow. */
static bool read_bytes(const char *value, size_t *bytes)
{
    static const struct {
        const char *suffix;
        unsigned shift;
    } units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    size_t digits = strspn(value, "0123456789"), number;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(value + digits, units[i].suffix) != 0) continue;
        if (!read_size(value, digits, BYTES_MAX >> units[i].shift, &number) || number == 0) return false;
        *bytes = number << units[i].shift;
        return true;
    }
    return false;
}

static bool read_max_body(struct options *options, const char *value)
{
    return read_bytes(value, &options->max_body);
}

static bool read_max_memory(struct options *options, const char *value)
{
    return read_bytes(value, &options->max_memory) && options->max_memory >= LIMIT_MEMORY_LEAST;
}

static bool read_max_work(struct options *options, const char *value)
{
    char *end;
    /* strtod also reads spaces, "inf", "nan" and hexadecimal numbers: not here. */
    if (!isdigit((unsigned char)value[0]) || value[strspn(value, "0123456789.eE+-")] != '\0') return false;
    double work = strtod(value, &end);
    if (*end != '\0' || !isfinite(work) || work <= 0) return false;
    options->max_work = work;
    return true;
}

static bool add_value(struct option_list *list, const char *value)
{
    if (value[0] == '\0' || list->count == OPTION_VALUES_MAX) return false;
    list->values[list->count++] = value;
    return true;
}

static bool read_tokens(struct options *options, const char *value)
{
    size_t length = strlen(value);
    if (length == 0 || length >= sizeof options->tokens) return false;
    memcpy(options->tokens, value, length + 1);
    return true;
}

static bool read_switch(const char *value, bool *on)
{
    *on = strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0;
    return *on || strcmp(value, "0") == 0 || strcasecmp(value, "false") == 0 || value[0] == '\0';
}

static bool read_open(struct options *options, const char *value)
{
    return read_switch(value, &options->open);
}

static bool read_no_reveal(struct options *options, const char *value)
{
    return read_switch(value, &options->no_reveal);
}

static bool read_log(struct options *options, const char *value)
{
    options->log = value;
    return value[0] != '\0';
}

/* Whether each of the names, with commas between, passes. */
static bool each(const char *names, bool (*passes)(const char *name, size_t length))
{
    for (;;) {
        size_t length = strcspn(names, ",");
        if (!passes(names, length)) return false;
        if (names[length] == '\0') return true;
        names += length + 1;
    }
}

/* A name without a port, which is not looked at. */
static bool is_host(const char *name, size_t length)
{
    return length > 0 && strcspn(name, name[0] == '[' ? "/ " : "/: ") >= length;
}

static bool read_host(struct options *options, const char *value)
{
    return each(value, is_host) && add_value(&options->hosts, value);
}

/* An origin as browsers send it, without a path; or all of them. */
static bool is_origin(const char *name, size_t length)
{
    if (length == 1 && name[0] == '*') return true;
    const char *behind = strstr(name, "://");
    if (behind == NULL || behind == name || behind + 3 >= name + length) return false;
    return strcspn(behind + 3, "/?# ") >= length - (size_t)(behind + 3 - name);
}

static bool read_cors(struct options *options, const char *value)
{
    return each(value, is_origin) && add_value(&options->cors, value);
}

/* ---- The table ---- */

static const struct option {
    struct option_flag of;
    option_reader *read;
} table[] = {
    {{"--listen", "GRADCHECKD_LISTEN", "ADDR:PORT", "where to listen; port 0 takes a free one (127.0.0.1:8080)"},
     read_listen},
    {{"--device", "GRADCHECKD_DEVICE", "auto|cpu|cuda", "the default device of a check (auto)"}, read_device},
    {{"--threads", "GRADCHECKD_THREADS", "N",
      "threads that serve connections, at least 2, and as many workers (the cores)"},
     read_threads},
    {{"--static", "GRADCHECKD_STATIC", "DIR", "where the front end lies (beside the program)"}, read_static},
    {{"--max-body", "GRADCHECKD_MAX_BODY", "BYTES", "larger bodies are refused; KiB, MiB, GiB may follow (64MiB)"},
     read_max_body},
    {{"--max-memory", "GRADCHECKD_MAX_MEMORY", "BYTES",
      "what all requests may take together, 64MiB at least (half of the machine's)"},
     read_max_memory},
    {{"--max-work", "GRADCHECKD_MAX_WORK", "FLOPS", "requests that need more arithmetic are refused (1e12)"},
     read_max_work},
    {{"--tokens", "GRADCHECKD_TOKENS", "FILE", "who may ask: lines of a role, check or staff, and a token's SHA-256"},
     read_tokens},
    {{"--open", "GRADCHECKD_OPEN", NULL, "without --tokens: serve others than this machine, too"}, read_open},
    {{"--no-reveal", "GRADCHECKD_NO_REVEAL", NULL, "nobody gets to see the reference gradients"}, read_no_reveal},
    {{"--log", "GRADCHECKD_LOG", "FILE", "a line of JSON for each request; - for standard output"}, read_log},
    {{"--host", "GRADCHECKD_HOST", "NAME", "a name that it is reached by, besides its address and localhost"},
     read_host},
    {{"--cors", "GRADCHECKD_CORS", "ORIGIN", "another site whose pages may use it, as https://example.org; * for all"},
     read_cors},
};

enum { OPTION_COUNT = sizeof table / sizeof table[0] };

const struct option_flag *options_flag(size_t i)
{
    return i < OPTION_COUNT ? &table[i].of : NULL;
}

/* ---- Addresses ---- */

int options_read_address(const char *host, unsigned char address[16])
{
    if (inet_pton(AF_INET, host, address) == 1) return AF_INET;
    return inet_pton(AF_INET6, host, address) == 1 ? AF_INET6 : 0;
}

bool options_is_loopback(const char *host)
{
    static const unsigned char one[16] = {[15] = 1};
    unsigned char address[16];
    int family = options_read_address(host, address);
    if (family == AF_INET) return address[0] == 127;
    if (family == AF_INET6) return memcmp(address, one, sizeof one) == 0;
    return strcasecmp(host, "localhost") == 0 || strcasecmp(host, "localhost.") == 0;
}

/* ---- Defaults ---- */

static void find_static_directory(struct options *options)
{
    static const char *const places[2] = {"static", "../share/gradcheckd/static"};
    char place[sizeof options->static_directory];
    if (paths_find(places, true, place, sizeof place)) read_static(options, place);
}

/* Bytes of memory that the process may have: the machine's, or what a container's limit leaves of it. */
static size_t machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t bytes = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : LIMIT_MEMORY;
    FILE *file = fopen("/sys/fs/cgroup/memory.max", "re");
    unsigned long long most;
    if (file == NULL) return bytes;
    if (fscanf(file, "%llu", &most) == 1 && most > 0 && most < bytes) bytes = (size_t)most;
    fclose(file);
    return bytes;
}

size_t options_request_memory(const struct options *options)
{
    return options->max_memory > 0 && options->max_memory < LIMIT_MEMORY ? options->max_memory : LIMIT_MEMORY;
}

static void set_defaults(struct options *options)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    *options = (struct options){
        .port = 8080, .device = {.which = DEVICE_AUTO}, .max_body = LIMIT_BODY, .max_work = LIMIT_WORK};
    strcpy(options->host, "127.0.0.1");
    options->max_memory = machine_memory() / 2;
    options->threads = cores < 1 ? 1 : cores > THREADS_USUAL ? THREADS_USUAL : (unsigned)cores;
    find_static_directory(options);
}

/* ---- Environment and command line ---- */

static enum options_verdict complain(const char *what, const char *name, const char *value)
{
    fprintf(stderr, "gradcheckd: %s%s%s%s%s\n", what, name, *value ? " '" : "", value, *value ? "'" : "");
    return OPTIONS_EXIT_2;
}

/* A value that an option does not take, and what it would. */
static enum options_verdict refuse(const struct option *option, const char *where, const char *value)
{
    fprintf(stderr, "gradcheckd: not a value for %s: '%s'; wanted is %s: %s\n", where, value,
            option->of.argument != NULL ? option->of.argument : "0 or 1", option->of.help);
    return OPTIONS_EXIT_2;
}

static enum options_verdict read_environment(struct options *options)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const char *value = getenv(table[i].of.variable);
        if (value != NULL && !table[i].read(options, value)) return refuse(&table[i], table[i].of.variable, value);
    }
    return OPTIONS_RUN;
}

/* One flag with its value, "--flag value" or "--flag=value"; *index moves to the last word used. */
static enum options_verdict read_flag(int argc, char **argv, int *index, struct options *options)
{
    const char *word = argv[*index];
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strlen(table[i].of.flag) != length || strncmp(table[i].of.flag, word, length) != 0) continue;
        const char *value = word[length] == '=' ? word + length + 1 : NULL;
        if (value == NULL && table[i].of.argument == NULL) value = "1";
        if (value == NULL && *index + 1 < argc) value = argv[++*index];
        if (value == NULL) return complain("no value for ", table[i].of.flag, "");
        if (!table[i].read(options, value)) return refuse(&table[i], table[i].of.flag, value);
        return OPTIONS_RUN;
    }
    return complain("unknown argument", "", word);
}

/* A body that the memory has no room for, beside what is made of it, would be refused at its end, each time anew. */
static void fit_body(struct options *options)
{
    enum { OF_MEMORY = 4 };
    if (options->max_memory > 0 && options->max_body > options->max_memory / OF_MEMORY)
        options->max_body = options->max_memory / OF_MEMORY;
}

/* Whether it is said who may ask, where not only this machine can. */
static enum options_verdict check_access(const struct options *options)
{
    if (options->open || options->tokens[0] != '\0') return OPTIONS_RUN;
    if (options_is_loopback(options->host) && options->hosts.count == 0) return OPTIONS_RUN;
    fprintf(stderr,
            "gradcheckd: whoever reaches %s could use it: say who may with --tokens FILE, or --open to let anybody\n",
            options->hosts.count > 0 ? options->hosts.values[0] : options->host);
    return OPTIONS_EXIT_2;
}

static enum options_verdict print_help(void)
{
    puts("gradcheckd: checks hand-written gradients, over HTTP.\n\nusage: gradcheckd [FLAG VALUE]...\n       "
         "gradcheckd check|train FILE [FLAG VALUE]...  one request, without a server\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char left[64];
        const char *argument = table[i].of.argument != NULL ? table[i].of.argument : "";
        snprintf(left, sizeof left, "%s %s", table[i].of.flag, argument);
        printf("  %-23s %s\n", left, table[i].of.help);
    }
    puts("  -h, --help, --version\n\nEach flag has an environment variable, too: GRADCHECKD_LISTEN, "
         "GRADCHECKD_MAX_BODY, ...");
    return OPTIONS_EXIT_0;
}

enum options_verdict options_read(int argc, char **argv, struct options *options)
{
    set_defaults(options);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return print_help();
        if (strcmp(argv[i], "--version") == 0) {
            puts("gradcheckd " GRADCHECKD_VERSION);
            return OPTIONS_EXIT_0;
        }
    }
    enum options_verdict verdict = read_environment(options);
    for (int i = 1; i < argc && verdict == OPTIONS_RUN; i++)
        verdict = read_flag(argc, argv, &i, options);
    fit_body(options);
    return verdict == OPTIONS_RUN ? check_access(options) : verdict;
}
