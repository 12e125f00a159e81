/* A whole daemon in this process, over HTTP, for which one allocation after the other fails: number n alone, then
 * number n and all behind it. Whichever it is, there is an answer: the one there would have been, or a 503; and nothing
 * stays taken. The linker puts the functions below in the place of those that take memory (the Makefile says which). */
#include "tests/main.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "server/api/routes.h"
#include "server/body/document.h"
#include "server/http/connections.h"
#include "server/http/http.h"
#include "server/http/request.h"
#include "server/limits.h"
#include "tests/server/packed.h"

/* ---- allocations that fail ---- */

static atomic_size_t tried; /* allocations since it was set to 0 */
static atomic_size_t first_refused, last_refused;
static _Thread_local bool asks; /* the thread of the test, whose own never fail */

/* Whether the next one is to fail; the library's, which are behind all others, fail one by one. */
static bool refused(bool library)
{
    if (asks) return false;
    size_t number = atomic_fetch_add(&tried, 1) + 1, first = atomic_load(&first_refused);
    return number >= first && number <= (library ? first : atomic_load(&last_refused));
}

#define WRAP(library, type, function, parameters, arguments)                                                           \
    type __real_##function parameters;                                                                                 \
    type __wrap_##function parameters;                                                                                 \
    type __wrap_##function parameters                                                                                  \
    {                                                                                                                  \
        return refused(library) ? 0 : __real_##function arguments;                                                     \
    }

WRAP(false, void *, malloc, (size_t size), (size))
WRAP(false, void *, calloc, (size_t count, size_t size), (count, size))
WRAP(false, void *, realloc, (void *old, size_t size), (old, size))
WRAP(false, void *, arena_alloc, (struct arena * arena, size_t bytes), (arena, bytes))
WRAP(false, void *, arena_array, (struct arena * arena, size_t count, size_t size), (arena, count, size))
WRAP(false, void *, arena_zeroed, (struct arena * arena, size_t count, size_t size), (arena, count, size))
WRAP(false, double *, arena_doubles, (struct arena * arena, size_t count), (arena, count))
WRAP(false, char *, arena_text, (struct arena * arena, const char *text, size_t length), (arena, text, length))
WRAP(true, struct MHD_Response *, MHD_create_response_from_buffer,
     (size_t size, void *data, enum MHD_ResponseMemoryMode mode), (size, data, mode))
WRAP(true, struct MHD_Response *, MHD_create_response_from_callback,
     (uint64_t size, size_t block, MHD_ContentReaderCallback reader, void *context, MHD_ContentReaderFreeCallback done),
     (size, block, reader, context, done))
WRAP(true, enum MHD_Result, MHD_add_response_header,
     (struct MHD_Response * response, const char *name, const char *value), (response, name, value))

/* ---- the daemon and its client ---- */

enum { MESSAGE_MAX = 1 << 17, PATIENCE = 60 /* seconds, for slow machines */ };

static const struct options options = {
    .host = "127.0.0.1", .threads = 2, .max_body = LIMIT_BODY, .max_work = LIMIT_WORK};
static struct sockaddr_in address;

static void start(void)
{
    struct rlimit files;
    char text[LISTENER_ADDRESS_MAX];
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    asks = true;
    signal(SIGPIPE, SIG_IGN);
    document_setup();
    ck_assert(http_start(&options, &routes, text));
    unsigned port = (unsigned)strtoul(strrchr(text, ':') + 1, NULL, 10);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

/* Nothing of the requests before is kept: the next one takes all that it needs. */
static void begin_anew(void)
{
    for (int i = 0; i < 1000 * PATIENCE; i++) {
        request_free_spare();
        if (connections_count() == 0 && memory_taken() == 0) return;
        poll(NULL, 0, 1);
    }
    ck_abort_msg("%zu connections and %zu bytes are left", connections_count(), memory_taken());
}

/* Sends the request, and reads until the daemon closes; the length of the answer. */
static size_t ask(const struct packed *request, char answer[MESSAGE_MAX])
{
    const struct timeval patience = {.tv_sec = PATIENCE};
    size_t length = 0;
    int client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(client, 0);
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ck_assert_int_eq(connect(client, (const struct sockaddr *)&address, sizeof address), 0);
    (void)!send(client, request->data, request->length, MSG_NOSIGNAL); /* it may be closed already */
    for (;;) {
        ssize_t got = recv(client, answer + length, MESSAGE_MAX - 1 - length, 0);
        ck_assert_msg(got >= 0 || errno == ECONNRESET, "no end of the answer: %s", strerror(errno));
        if (got <= 0) break;
        length += (size_t)got;
        ck_assert_uint_lt(length, MESSAGE_MAX - 1);
    }
    close(client);
    answer[length] = '\0';
    return length;
}

/* ---- what is asked ---- */

#define NETWORK                                                                                                        \
    "\"network\":{\"input\":2,\"layers\":[{\"type\":\"linear\",\"out_features\":3},{\"type\":\"relu\"},"               \
    "{\"type\":\"linear\",\"out_features\":2},{\"type\":\"relu\"},{\"type\":\"linear\",\"out_features\":1},"           \
    "{\"type\":\"sigmoid\"}],\"loss\":\"mse\"}"
#define DATA "\"data\":{\"x\":[[0,0],[0,1],[1,0],[1,1]],\"y\":[[0],[1],[1],[0]]}"
#define INIT(seed) "\"parameters\":{\"init\":{\"scheme\":\"he_normal\",\"seed\":" #seed ",\"generator\":\"numpy\"}}"

/* The lab's network and z >= 0 in the derivative of its ReLU, as in tests/demo/relu-at-zero.json. */
#define GRADIENTS                                                                                                      \
    "\"gradients\":{\"W1\":[[0.04463343203104151,0.0,-0.032007551907750065],"                                          \
    "[0.0459779027021379,0.0,0.008302734319818894]],"                                                                  \
    "\"b1\":[0.046758903658430294,-0.05877063300579679,0.0077426624743209774],"                                        \
    "\"W2\":[[-0.02515309289539267,0.1988942962773574],[0.0,0.0],[-0.008626479674362114,0.06821258965323736]],"        \
    "\"b2\":[-0.012756886478209656,0.10087315978697801],\"W3\":[[-0.1205513129207582],[-0.05158143678976604]],"        \
    "\"b3\":[-0.05272262653034386]}"
#define CHECK "{" NETWORK "," INIT(42) "," DATA "," GRADIENTS "}"
#define BARE "{" NETWORK "," INIT(42) "," DATA ",\"diagnose\":false}"
#define TRAINING                                                                                                       \
    "{" NETWORK "," INIT(123) "," DATA ",\"epochs\":40,\"optimizer\":{\"type\":\"adam\"},\"batch_size\":3,"            \
                              "\"boundary\":{\"resolution\":3}}"

#define TRACED                                                                                                         \
    "{\"program\":\"h = np.tanh(x @ W)\\na = h[:, :1]\\nloss = np.mean((h * a - 1)**2)\","                             \
    "\"parameters\":{\"W\":[[1,2],[3,4]]},\"data\":{\"x\":[[0.5,0.1],[0.2,0.3]]},\"gradients\":{\"W\":1},\"trace\":"   \
    "true}"
#define PROGRAM                                                                                                        \
    "\"program\":\"h = np.maximum(0, x @ w)\\nloss = np.sum((h - y)**2)\","                                            \
    "\"parameters\":{\"w\":[[1.0,-1.0],[0.5,-2.0]]},\"data\":{\"x\":[[1,2],[3,4]],\"y\":[[0,1],[1,0]]}"
#define TRAINED_PROGRAM "{" PROGRAM ",\"epochs\":25,\"optimizer\":{\"type\":\"sgd\",\"lr\":0.0}}"
#define NUMERIC "{" PROGRAM ",\"gradients\":{\"dx\":1},\"numeric\":true}"
#define STEP                                                                                                           \
    "{\"optimizer\":{\"type\":\"adam\",\"lr\":0.1},\"parameters\":{\"w\":[5,4],\"b\":1},\"gradients\":{\"dw\":[10,8]," \
    "\"b\":2},"                                                                                                        \
    "\"updated\":{\"parameters\":{\"w\":[5.316227756016838,4.316227752061],\"b\":0,\"q\":1},\"state\":{\"m\":{\"w\":[" \
    "1,0.8]}}}}"
#define LANDSCAPE                                                                                                      \
    "{" PROGRAM ",\"directions\":{\"type\":\"pca\"},\"training\":{\"epochs\":9,\"optimizer\":{\"type\":\"adam\"}},"    \
    "\"resolution\":3}"
#define SVD "{\"parameters\":{\"W\":[[1,2],[3,4],[5,6]],\"b\":[1]},\"vectors\":true}"

#define CLASS                                                                                                          \
    "{\"common\":{" NETWORK "," INIT(42) "," DATA "}}\n{\"id\":1," GRADIENTS "}\n{\"id\":2,\"gradients\":\n"           \
                                         "{\"id\":3," GRADIENTS ",\"tolerance\":\"auto\"}\n"

struct wanted {
    const char *target, *accept, *body;
    int spaces; /* before the body, which make it a large one */
    const char *shows;
    enum { PLAIN, IN_LINES, IN_PARTS, ZIPPED } way; /* how the body is sent: with files of gradients, as a gzip, ... */
};

static const struct wanted requests[] = {
    {"/v1/check", "*/*", CHECK, 0, "\"relu_gradient_at_zero\"", PLAIN},
    {"/v1/check?format=text", "*/*", CHECK, 0, "relu_gradient_at_zero", PLAIN},
    {"/v1/check", "*/*", CHECK, (int)LIMIT_LIGHT_BODY, "\"relu_gradient_at_zero\"", PLAIN},
    {"/v1/check", "*/*", TRACED, 0, "dW = x.T @ (dh * (1 - h**2))", PLAIN},
    {"/v1/train", "application/json", TRAINING, 0, "\"final\"", PLAIN},
    {"/v1/train", "text/event-stream", TRAINING, 0, "\nevent: done", PLAIN},
    {"/v1/train", "application/json", TRAINED_PROGRAM, 0, "\"dead_relu\"", PLAIN},
    {"/v1/check", "*/*", NUMERIC, 0, "\"numeric\"", PLAIN},
    {"/v1/optimizer_step", "*/*", STEP, 0, "\"unexpected\"", PLAIN},
    {"/v1/landscape", "*/*", LANDSCAPE, 0, "\"explained\"", PLAIN},
    {"/v1/svd", "*/*", SVD, 0, "\"Vh\"", PLAIN},
    {"/v1/check", "*/*", CLASS, 0, "\"id\":3", IN_LINES},
    {"/v1/check", "*/*", BARE, 0, "\"mismatch\"", IN_PARTS},
    {"/v1/check", "*/*", CHECK, 0, "\"relu_gradient_at_zero\"", ZIPPED},
};

/* The body in a part, and gradients in archives beside it, one stored and one deflated. */
static void add_parts(struct packed *body, const char *text)
{
    static const double numbers[] = {0.5, 0.25, 0.125};
    struct packed three = {0}, two = {0}, archive = {0};
    packed_npy(&three, "<f8", "(3,)", numbers, sizeof numbers);
    packed_npy(&two, ">i2", "(1, 2)", "\0\1\0\2", 4);
    const struct packed_entry entries[] = {{"b1.npy", &three, false}, {"b2.npy", &two, true}};
    packed_zip(&archive, entries, 2);
    packed_part(body, "part", "request", text, strlen(text));
    packed_part(body, "part", "gradients", archive.data, archive.length);
    packed_part(body, "part", "gradients.b3", "[1]", 3);
    packed_part(body, "part", "gradients.W3", two.data, two.length);
    packed_part_end(body, "part");
    free(three.data);
    free(two.data);
    free(archive.data);
}

/* Of HTTP 1.0, whose answers end with the connection. */
static void write_request(const struct wanted *wanted, struct packed *request)
{
    static const char *const heads[] = {
        [PLAIN] = "application/json",
        [IN_LINES] = "application/x-ndjson",
        [IN_PARTS] = "multipart/form-data; boundary=part",
        [ZIPPED] = "application/json\r\nContent-Encoding: gzip",
    };
    struct packed body = {0};
    char head[512];
    for (int i = 0; i < wanted->spaces; i++)
        packed_add(&body, " ", 1);
    if (wanted->way == PLAIN || wanted->way == IN_LINES) packed_add(&body, wanted->body, strlen(wanted->body));
    if (wanted->way == IN_PARTS) add_parts(&body, wanted->body);
    if (wanted->way == ZIPPED) packed_gzip(&body, wanted->body, strlen(wanted->body));
    int length = snprintf(head, sizeof head,
                          "POST %s HTTP/1.0\r\nHost: localhost\r\nContent-Type: %s\r\nAccept: %s\r\n"
                          "Content-Length: %zu\r\n\r\n",
                          wanted->target, heads[wanted->way], wanted->accept, body.length);
    packed_add(request, head, (size_t)length);
    packed_add(request, body.data, body.length);
    free(body.data);
}

/* What must be the same each time: of a stream its last event, since others come as time goes on. */
static const char *essence(const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n"), *done = strstr(answer, "\nevent: done");
    ck_assert_msg(body != NULL, "no answer but \"%s\"", answer);
    return done != NULL ? done : body;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Whether it is a problem that says that memory is short: as the whole answer or, after the head of a stream, as its
 * last event. */
static bool is_problem(const char *answer)
{
    bool streamed =
        strstr(answer, "\nevent: error\ndata: {") != NULL || strstr(answer, "\r\n\r\nevent: error\n") != NULL;
    if (strncmp(answer, streamed ? "HTTP/1.1 200 " : "HTTP/1.1 503 ", 13) != 0) return false;
    return strstr(answer, "\"status\":503,\"code\":\"out_of_memory\"") != NULL &&
           ends_with(answer, streamed ? "}\n\n" : "}\n");
}

/* Whether each line is the one that is expected, or a problem that says that memory is short; of lines that could not
 * be judged any more the first says so for all. */
static bool are_lines(const char *answer, const char *expected)
{
    const char *at = strstr(answer, "\r\n\r\n");
    if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0 || at == NULL) return false;
    for (at += 4, expected += 4; *at != '\0' && *expected != '\0';) {
        size_t length = strcspn(at, "\n"), wanted = strcspn(expected, "\n");
        bool same = length == wanted && memcmp(at, expected, length) == 0;
        const char *told = strstr(at, "\"status\":503");
        if (!same && (told == NULL || told >= at + length)) return false;
        at += length + (at[length] != '\0');
        expected += wanted + (expected[wanted] != '\0');
    }
    return true;
}

/* One request, for which those allocations fail, and whether a problem came of it; false where it took fewer. */
static bool refuse(const struct wanted *wanted, const struct packed *request, const char *expected, size_t from,
                   size_t to, bool *problem)
{
    static char answer[MESSAGE_MAX];
    begin_anew();
    atomic_store(&first_refused, from);
    atomic_store(&last_refused, to);
    atomic_store(&tried, 0);
    size_t length = ask(request, answer);
    begin_anew(); /* before anything is allowed again: the end of a request needs no memory */
    bool enough = atomic_load(&tried) < from;
    atomic_store(&first_refused, 0);
    atomic_store(&last_refused, 0);
    *problem = true;
    /* Where there is none for the connection itself, it is closed. */
    if (length == 0 && from == 1) return true;
    bool same = strncmp(answer, "HTTP/1.1 200 ", 13) == 0 && strcmp(essence(answer), expected) == 0;
    bool told = is_problem(answer) || (wanted->way == IN_LINES && are_lines(answer, expected));
    ck_assert_msg(same || told, "allocation %zu%s: %s", from, to > from ? " and all behind it" : "", answer);
    ck_assert(same || !enough);
    *problem = !same;
    return !enough;
}

static void refuse_each(const struct wanted *wanted)
{
    static char answer[MESSAGE_MAX];
    struct packed request = {0};
    write_request(wanted, &request);
    begin_anew();
    ask(&request, answer);
    ck_assert_msg(strncmp(answer, "HTTP/1.1 200 ", 13) == 0 && strstr(answer, wanted->shows) != NULL, "%s", answer);
    const char *expected = essence(answer);
    size_t problems = 0;
    bool one = false, all = false, more = true;
    for (size_t n = 1; more; n++) {
        /* Threads do not always take memory in the same order: what does not fit together is looked at again. */
        for (int again = 0; again < 10; again++) {
            more =
                refuse(wanted, &request, expected, n, n, &one) && refuse(wanted, &request, expected, n, SIZE_MAX, &all);
            if (!more || all || !one) break;
        }
        ck_assert_msg(!more || all || !one, "allocation %zu is needed, but not with all behind it", n);
        problems += one;
    }
    free(request.data);
    ck_assert_uint_gt(problems, 20);
}

/* In one test, as a daemon starts only once in a process. */
START_TEST(each_refused)
{
    start();
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        refuse_each(&requests[i]);
    begin_anew();
    ck_assert(http_drain());
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("allocations");
    TCase *tests = tcase_create("allocations");
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, each_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
