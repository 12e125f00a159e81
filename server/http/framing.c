#include "server/http/framing.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

/* What the walk over the headers has seen so far. */
struct walk {
    struct framing *framing;
    struct error *error;
    unsigned hosts, lengths, codings, types;
    const char *next; /* where the next line has to begin */
    bool gap;         /* one began elsewhere, or something else than a carriage return and a line feed ended one */
    bool http_1_0;
};

/* RFC 9110, 5.6.2. */
static bool is_token(const char *text, size_t length)
{
    if (length == 0) return false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alphanumeric && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) return false;
    }
    return true;
}

static bool is_field_value(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F) return false;
    }
    return true;
}

static int read_length(struct walk *walk, const char *value, size_t length)
{
    if (walk->lengths++ > 0) return error_set(walk->error, CODE_BAD_REQUEST, "More than one Content-Length.");
    uint64_t sum = 0;
    bool good = length > 0;
    for (size_t i = 0; i < length && good; i++) {
        good = value[i] >= '0' && value[i] <= '9' && !__builtin_mul_overflow(sum, UINT64_C(10), &sum) &&
               !__builtin_add_overflow(sum, (uint64_t)(value[i] - '0'), &sum);
    }
    if (!good) return error_set(walk->error, CODE_BAD_REQUEST, "Content-Length is not a number of bytes.");
    walk->framing->has_length = true;
    walk->framing->length = sum;
    return CODE_OK;
}

static int read_coding(struct walk *walk, const char *value)
{
    if (walk->codings++ > 0) return error_set(walk->error, CODE_BAD_REQUEST, "More than one Transfer-Encoding.");
    if (walk->http_1_0) return error_set(walk->error, CODE_BAD_REQUEST, "HTTP/1.0 has no Transfer-Encoding.");
    if (strcasecmp(value, "chunked") != 0)
        return error_set(walk->error, CODE_BAD_REQUEST, "The only Transfer-Encoding understood here is chunked.");
    walk->framing->chunked = true;
    return CODE_OK;
}

static int read_expectation(struct walk *walk, const char *value)
{
    if (walk->http_1_0 || strcasecmp(value, "100-continue") == 0) return CODE_OK;
    return error_set(walk->error, CODE_EXPECTATION_FAILED, "The only expectation met here is 100-continue.");
}

static bool is_name(const char *name, size_t length, const char *wanted)
{
    return length == strlen(wanted) && strncasecmp(name, wanted, length) == 0;
}

/* The library has put NULs in the place of a carriage return and a line feed. (Behind a line feed alone there is
 * another byte of the head, too.) */
static bool is_line_end(const char *at)
{
    return at[0] == '\0' && at[1] == '\0';
}

static enum MHD_Result visit(void *context, enum MHD_ValueKind kind, const char *name, size_t name_length,
                             const char *value, size_t value_length)
{
    (void)kind;
    struct walk *walk = context;
    if (value == NULL) value = name + name_length, value_length = 0;
    /* The library points into the bytes that came in: between name and value lie the colon and the spaces
     * behind it. */
    walk->gap = walk->gap || name != walk->next || !is_line_end(value + value_length);
    walk->next = value + value_length + strlen("\r\n");
    int code = CODE_OK;
    if (!is_token(name, name_length))
        code = error_set(walk->error, CODE_BAD_REQUEST, "A header's name holds a character that no name may hold.");
    else if (!is_field_value(value, value_length))
        code = error_set(walk->error, CODE_BAD_REQUEST, "A header holds a control character.");
    else if (is_name(name, name_length, "Content-Length"))
        code = read_length(walk, value, value_length);
    else if (is_name(name, name_length, "Transfer-Encoding"))
        code = read_coding(walk, value);
    else if (is_name(name, name_length, "Expect"))
        code = read_expectation(walk, value);
    else if (is_name(name, name_length, "Content-Type") && walk->types++ > 0)
        code = error_set(walk->error, CODE_BAD_REQUEST, "More than one Content-Type.");
    else if (is_name(name, name_length, "Host") && walk->hosts++ > 0)
        code = error_set(walk->error, CODE_BAD_REQUEST, "More than one Host.");
    return code == CODE_OK ? MHD_YES : MHD_NO;
}

/* The size of the head as it came in. */
static size_t received_size(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info != NULL ? info->header_size : 0;
}

int framing_read(struct MHD_Connection *connection, const char *method, size_t target_length, const char *version,
                 struct framing *framing, struct error *error)
{
    *framing = (struct framing){0};
    struct walk walk = {.framing = framing, .error = error, .http_1_0 = strcmp(version, "HTTP/1.0") == 0};
    const char *second = method + strlen(method) + strlen(" ") + target_length + strlen(" ");
    if (!is_token(method, strlen(method)))
        return error_set(error, CODE_BAD_REQUEST, "The method holds a character that none may hold.");
    walk.gap = version != second || !is_line_end(version + strlen(version));
    walk.next = version + strlen(version) + strlen("\r\n");
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, visit, &walk);
    if (error->code != CODE_OK) return error->code;
    /* The library forgives line feeds without carriage returns, folded lines, superfluous spaces and NULs,
     * and does not tell. But then the parts that it tells of do not lie side by side in what came in. (Their lengths
     * alone do not say it: a line feed alone is one byte less, and a NUL one more.) What cannot be seen is a NUL in the
     * place of the carriage return, and that a line of a colon or a NUL alone has ended the head. */
    if (walk.gap || (size_t)(walk.next + strlen("\r\n") - method) != received_size(connection) ||
        !is_line_end(walk.next))
        return error_set(error, CODE_BAD_REQUEST, "The request's head is not well-formed.");
    if (walk.hosts == 0 && !walk.http_1_0)
        return error_set(error, CODE_BAD_REQUEST, "An HTTP/1.1 request needs a Host header.");
    if (walk.codings > 0 && walk.lengths > 0)
        return error_set(error, CODE_BAD_REQUEST, "Content-Length and Transfer-Encoding exclude each other.");
    return CODE_OK;
}

bool framing_target_fits(const char *target)
{
    for (const char *c = target; *c != '\0'; c++) {
        if ((unsigned char)*c <= 0x20 || *c == 0x7F) return false;
        /* An escaped NUL would end the path for us, but not for others. */
        if (c[0] == '%' && c[1] == '0' && c[2] == '0') return false;
    }
    return *target != '\0';
}
