#include "server/codes.h"

#include <stddef.h>

static const struct code_entry entries[CODE_END] = {
    [CODE_SHAPE_MISMATCH] = {400, "shape_mismatch", true},
    [CODE_NOT_FINITE] = {400, "not_finite", true},
    [CODE_OUT_OF_RANGE] = {400, "out_of_range", true},
    [CODE_PROGRAM_ERROR] = {400, "program_error", true},
    [CODE_OUT_OF_MEMORY] = {503, "out_of_memory", false},
    [CODE_CANCELLED] = {503, "cancelled", false},
    [CODE_DEVICE] = {503, "device", false},
    [CODE_MALFORMED_JSON] = {400, "malformed_json", true},
    [CODE_MISSING_MEMBER] = {400, "missing_member", true},
    [CODE_UNKNOWN_MEMBER] = {400, "unknown_member", true},
    [CODE_WRONG_TYPE] = {400, "wrong_type", true},
    [CODE_UNKNOWN_LAYER] = {400, "unknown_layer", true},
    [CODE_UNKNOWN_LOSS] = {400, "unknown_loss", true},
    [CODE_TOO_MUCH_WORK] = {422, "too_much_work", true},
    [CODE_MALFORMED_FILE] = {400, "malformed_file", true},
    [CODE_UNSUPPORTED_FILE] = {400, "unsupported_file", true},
    [CODE_BAD_REQUEST] = {400, "bad_request", false},
    [CODE_QUERY_OUT_OF_RANGE] = {400, "out_of_range", false},
    [CODE_UNAUTHORIZED] = {401, "unauthorized", false},
    [CODE_FORBIDDEN] = {403, "forbidden", false},
    [CODE_REVEAL_REFUSED] = {403, "reveal_refused", true},
    [CODE_FOREIGN_ORIGIN] = {403, "foreign_origin", false},
    [CODE_NOT_FOUND] = {404, "not_found", false},
    [CODE_METHOD_NOT_ALLOWED] = {405, "method_not_allowed", false},
    [CODE_NOT_IMPLEMENTED] = {501, "not_implemented", false},
    [CODE_LENGTH_REQUIRED] = {411, "length_required", false},
    [CODE_BODY_TOO_LARGE] = {413, "body_too_large", false},
    [CODE_TARGET_TOO_LONG] = {414, "target_too_long", false},
    [CODE_UNSUPPORTED_MEDIA_TYPE] = {415, "unsupported_media_type", false},
    [CODE_EXPECTATION_FAILED] = {417, "expectation_failed", false},
    [CODE_MISDIRECTED] = {421, "misdirected_request", false},
    [CODE_OVERLOADED] = {503, "overloaded", false},
    [CODE_INTERNAL] = {500, "internal", false},
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
