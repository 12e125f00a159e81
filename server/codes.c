#include "server/codes.h"

#include <stddef.h>

static const struct code_entry entries[CODE_END] = {
    [CODE_SHAPE_MISMATCH] = {400, "shape_mismatch", true,
                             "A tensor is not of the shape that its place needs; `detail` says both shapes."},
    [CODE_NOT_FINITE] = {400, "not_finite", true,
                         "A NaN or an infinity among parameters or data, or a loss that comes out as one. (In "
                         "gradients they are graded.)"},
    [CODE_OUT_OF_RANGE] =
        {400, "out_of_range", true,
         "A value that is of the right type and not one of those allowed, in the body or in the query."},
    [CODE_PROGRAM_ERROR] = {400, "program_error", true, "A fault in a program, with its `line` and `column`."},
    [CODE_OUT_OF_MEMORY] = {503, "out_of_memory", false,
                            "There is no memory for the request right now: send it again later."},
    [CODE_CANCELLED] = {503, "cancelled", false,
                        "The daemon ends, or the client does not wait any more: send it again."},
    [CODE_DEVICE] = {503, "device", false,
                     "The device failed, or there is no room on it: send it again, or ask for `cpu`."},
    [CODE_MALFORMED_JSON] = {400, "malformed_json", true,
                             "The body is no JSON, with the `line` and `column` of what is wrong."},
    [CODE_MISSING_MEMBER] = {400, "missing_member", true, "A member that is needed is not there."},
    [CODE_UNKNOWN_MEMBER] =
        {400, "unknown_member", true,
         "A member that nothing reads, often a slip of the pen: it is refused, since its meaning would be lost."},
    [CODE_WRONG_TYPE] = {400, "wrong_type", true,
                         "A value of another type than its place takes: a string for a number, say."},
    [CODE_UNKNOWN_LAYER] = {400, "unknown_layer", true, "There is no layer of that `type`."},
    [CODE_UNKNOWN_LOSS] = {400, "unknown_loss", true, "There is no loss of that name."},
    [CODE_TOO_MUCH_WORK] = {422, "too_much_work", true,
                            "It would take more arithmetic than `--max-work`, more memory than one request may have, "
                            "or has taken 60 seconds."},
    [CODE_MALFORMED_FILE] = {400, "malformed_file", true, "A file is damaged, cut off, or not what it says of itself."},
    [CODE_UNSUPPORTED_FILE] = {400, "unsupported_file", true,
                               "A file of a format, or of numbers, that are not read here: a pickle, for one. `detail` "
                               "says what to write instead."},
    [CODE_BAD_REQUEST] = {400, "bad_request", false,
                          "Not HTTP as it should be: its framing, its encoding or its query."},
    [CODE_QUERY_OUT_OF_RANGE] = {400, "out_of_range", false, NULL},
    [CODE_UNAUTHORIZED] = {401, "unauthorized", false,
                           "A token is needed, `Authorization: Bearer TOKEN`, and this is none that is known."},
    [CODE_FORBIDDEN] = {403, "forbidden", false, "The token is known, and this is not for its role."},
    [CODE_REVEAL_REFUSED] = {403, "reveal_refused", true,
                             "The reference is not for this client: `reveal`, `trace` or `numeric` asked for it."},
    [CODE_FOREIGN_ORIGIN] = {403, "foreign_origin", false, "A page of another site asks, and no `--cors` lets it."},
    [CODE_NOT_FOUND] = {404, "not_found", false, "There is nothing under that path."},
    [CODE_METHOD_NOT_ALLOWED] = {405, "method_not_allowed", false,
                                 "The path does not take that method; `Allow` says which it takes."},
    [CODE_NOT_IMPLEMENTED] = {501, "not_implemented", false, "A method that is none."},
    [CODE_LENGTH_REQUIRED] = {411, "length_required", false,
                              "A body without `Content-Length` that is not sent in chunks either."},
    [CODE_BODY_TOO_LARGE] =
        {413, "body_too_large", false,
         "The body, as sent or as it comes out of its `Content-Encoding`, is larger than `--max-body`."},
    [CODE_TARGET_TOO_LONG] = {414, "target_too_long", false, "The path with its query is too long."},
    [CODE_UNSUPPORTED_MEDIA_TYPE] = {415, "unsupported_media_type", false,
                                     "A `Content-Type` or a `Content-Encoding` that is not read here; `detail` and the "
                                     "answer's `Accept-Encoding` say which are."},
    [CODE_EXPECTATION_FAILED] = {417, "expectation_failed", false, "An `Expect` other than `100-continue`."},
    [CODE_MISDIRECTED] = {421, "misdirected_request", false,
                          "`Host` is none of the names that the daemon is reached by: `--host` says more of them."},
    [CODE_OVERLOADED] = {503, "overloaded", false,
                         "Too many requests wait already: send it again after `Retry-After` seconds. Never a grade."},
    [CODE_INTERNAL] = {500, "internal", false, "A fault of the daemon's own."},
};

static const struct {
    int status;
    const char *title;
} titles[] = {
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
};

const struct code_entry *codes_entry(int code)
{
    bool known = code > CODE_OK && code < CODE_END && entries[code].name != NULL;
    return &entries[known ? code : CODE_INTERNAL];
}

const char *codes_title(int status)
{
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (titles[i].status == status) return titles[i].title;
    return "";
}
