/* Heads that two readers could take for different requests, and pages that are nobody's. */
#include "tests/main.h"

#include <microhttpd.h>
#include <string.h>

#include "server/http/framing.h"
#include "server/http/origin.h"

/* Stands for the library's connection: a head as it takes it apart, where it stands. */
enum { LINES_MAX = 8 };

struct MHD_Connection {
    char bytes[512];
    size_t length, count;
    char *names[LINES_MAX], *values[LINES_MAX];
};

static struct MHD_Connection connection;

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *of, enum MHD_ConnectionInfoType type,
                                                        ...)
{
    static union MHD_ConnectionInfo info;
    info.header_size = of->length;
    return type == MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE ? &info : NULL;
}

int MHD_get_connection_values_n(struct MHD_Connection *of, enum MHD_ValueKind kind, MHD_KeyValueIteratorN iterator,
                                void *context)
{
    for (size_t i = 0; i < of->count; i++)
        if (iterator(context, kind, of->names[i], strlen(of->names[i]), of->values[i], strlen(of->values[i])) == MHD_NO)
            break;
    return (int)of->count;
}

const char *MHD_lookup_connection_value(struct MHD_Connection *of, enum MHD_ValueKind kind, const char *name)
{
    (void)kind;
    for (size_t i = 0; i < of->count; i++)
        if (strcmp(of->names[i], name) == 0) return of->values[i];
    return NULL;
}

/* The library ends a line at a line feed, with or without a carriage return before it. */
static char *cut_line(char **rest)
{
    char *line = *rest, *feed = memchr(line, '\n', (size_t)(connection.bytes + connection.length - line));
    ck_assert_ptr_nonnull(feed);
    *rest = feed + 1;
    if (feed > line && feed[-1] == '\r') feed[-1] = '\0';
    *feed = '\0';
    return line;
}

static int read_head(const char *bytes, size_t length, struct framing *framing)
{
    struct error error = {0};
    memcpy(connection.bytes, bytes, length);
    connection.length = length;
    connection.count = 0;
    char *rest = connection.bytes, *method = cut_line(&rest), *version = strrchr(method, ' ') + 1;
    char *target = strchr(method, ' ');
    version[-1] = *target++ = '\0';
    target += strspn(target, " ");
    for (char *line; *(line = cut_line(&rest)) != '\0'; connection.count++) {
        char *colon = strchr(line, ':');
        *colon++ = '\0';
        connection.names[connection.count] = line;
        connection.values[connection.count] = colon + strspn(colon, " ");
    }
    return framing_read(&connection, method, strlen(target), version, framing, &error);
}

#define READ(text, framing) read_head(text, sizeof(text) - 1, framing)

START_TEST(what_is_well_formed_is_read)
{
    struct framing framing;
    ck_assert_int_eq(READ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &framing), CODE_OK);
    ck_assert_int_eq(READ("GET / HTTP/1.1\r\nHost:a\r\nX:\r\nY:   b \r\n\r\n", &framing), CODE_OK);
    ck_assert_int_eq(READ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 29\r\n\r\n", &framing), CODE_OK);
    ck_assert(framing.has_length && framing.length == 29 && !framing.chunked);
}
END_TEST

START_TEST(faults_do_not_make_up_for_each_other)
{
    struct framing framing;
    ck_assert_int_eq(READ("GET / HTTP/1.1\nHost: a\r\n\r\n", &framing), CODE_BAD_REQUEST);
    ck_assert_int_eq(READ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", &framing), CODE_BAD_REQUEST);
    ck_assert_int_eq(READ("GET  / HTTP/1.1\nHost: a\r\n\r\n", &framing), CODE_BAD_REQUEST);
    ck_assert_int_eq(READ("GET / HTTP/1.1\nHost: a\r\nX: b\0\r\n\r\n", &framing), CODE_BAD_REQUEST);
    ck_assert_int_eq(READ("POST / HTTP/1.1\r\nContent-Length: 2\0009\nX: a\nHost: a\r\n\r\n", &framing),
                     CODE_BAD_REQUEST);
    ck_assert_int_eq(READ("GET / HTTP/1.1\r\nHost: a\n\0X\n", &framing), CODE_BAD_REQUEST);
    ck_assert_int_eq(READ("GET / HTTP/1.1\r\nHost: a\0b\r\nX: a\nY: b\n\n", &framing), CODE_BAD_REQUEST);
}
END_TEST

START_TEST(methods_are_tokens)
{
    struct framing framing;
    ck_assert_int_eq(READ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", &framing), CODE_OK);
    ck_assert_int_eq(READ("G\rT / HTTP/1.1\r\nHost: a\r\n\r\n", &framing), CODE_BAD_REQUEST);
    ck_assert_int_eq(READ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", &framing), CODE_BAD_REQUEST);
}
END_TEST

START_TEST(an_empty_origin_is_nobodys)
{
    static const struct options options = {.host = "127.0.0.1", .cors = {{"*"}, 1}};
    struct exchange exchange = {.options = &options, .connection = &connection};
    struct framing framing;
    struct error error = {0};
    const char *allowed;
    READ("POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://a\r\n\r\n", &framing);
    ck_assert_int_eq(origin_check_page(&exchange, "/", &allowed, &error), CODE_OK);
    ck_assert_str_eq(allowed, "https://a");
    READ("POST / HTTP/1.1\r\nHost: localhost\r\nOrigin:\r\n\r\n", &framing);
    ck_assert_int_eq(origin_check_page(&exchange, "/", &allowed, &error), CODE_FOREIGN_ORIGIN);
    ck_assert_ptr_null(allowed);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("heads");
    TCase *tests = tcase_create("heads");
    tcase_add_test(tests, what_is_well_formed_is_read);
    tcase_add_test(tests, faults_do_not_make_up_for_each_other);
    tcase_add_test(tests, methods_are_tokens);
    tcase_add_test(tests, an_empty_origin_is_nobodys);
    suite_add_tcase(suite, tests);
    return suite;
}
