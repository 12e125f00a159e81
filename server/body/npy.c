#include "server/body/npy.h"

#include <string.h>

#include "server/body/elements.h"
#include "server/body/pickle.h"
#include "server/limits.h"

static const char magic[] = "\x93NUMPY";
enum { MAGIC = sizeof magic - 1, VERSION_SIZE = 2, VERSION_MOST = 3, HEADER_MAX = 10000 };

bool npy_is(const char *bytes, size_t length)
{
    return length >= MAGIC && memcmp(bytes, magic, MAGIC) == 0;
}

/* ---- the header: a Python dict with the keys descr, fortran_order and shape, in any order ---- */

struct header {
    struct reading *r;
    const char *at, *end;
    const char *descr;
    size_t descr_length;
    struct layout layout;
    bool has_descr, has_shape, has_order;
};

static int header_fault(struct header *h)
{
    return reading_fault(h->r, "its header is damaged");
}

static void skip_space(struct header *h)
{
    while (h->at < h->end && memchr(" \t\n\r", *h->at, 4) != NULL)
        h->at++;
}

/* Whether that character comes next; then it is passed over. */
static bool take(struct header *h, char c)
{
    skip_space(h);
    if (h->at == h->end || *h->at != c) return false;
    h->at++;
    return true;
}

static bool take_word(struct header *h, const char *word)
{
    size_t length = strlen(word);
    skip_space(h);
    if ((size_t)(h->end - h->at) < length || memcmp(h->at, word, length) != 0) return false;
    h->at += length;
    return true;
}

/* A string in quotes, without escapes: no key and no type has any. */
static bool take_string(struct header *h, const char **text, size_t *length)
{
    skip_space(h);
    if (h->at == h->end || (*h->at != '\'' && *h->at != '"')) return false;
    char quote = *h->at++;
    const char *close = memchr(h->at, quote, (size_t)(h->end - h->at));
    if (close == NULL || memchr(h->at, '\\', (size_t)(close - h->at)) != NULL) return false;
    *text = h->at;
    *length = (size_t)(close - h->at);
    h->at = close + 1;
    return true;
}

/* One axis; Python 2 has written an L behind long ones. */
static bool take_size(struct header *h, size_t *size)
{
    skip_space(h);
    const char *from = h->at;
    *size = 0;
    for (; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++)
        if (__builtin_mul_overflow(*size, 10, size) || __builtin_add_overflow(*size, (size_t)(*h->at - '0'), size))
            return false;
    bool any = h->at > from;
    if (any && h->at < h->end && *h->at == 'L') h->at++;
    return any;
}

/* "(3, 4)", "(3,)", "()" */
static int read_shape(struct header *h)
{
    struct shape *shape = &h->layout.shape;
    if (h->has_shape || !take(h, '(')) return header_fault(h);
    h->has_shape = true;
    while (!take(h, ')')) {
        if (shape->rank == TENSOR_RANK_MAX) return reading_fault(h->r, "it has more than %d axes", TENSOR_RANK_MAX);
        if (!take_size(h, &shape->dim[shape->rank])) return header_fault(h);
        shape->rank++;
        if (take(h, ',')) continue;
        if (shape->rank == 1 || !take(h, ')')) return header_fault(h); /* (3) is a number */
        break;
    }
    return CODE_OK;
}

static int read_order(struct header *h)
{
    if (h->has_order) return header_fault(h);
    h->has_order = true;
    h->layout.fortran = take_word(h, "True");
    return h->layout.fortran || take_word(h, "False") ? CODE_OK : header_fault(h);
}

static int read_descr(struct header *h)
{
    if (h->has_descr) return header_fault(h);
    h->has_descr = true;
    skip_space(h);
    if (h->at < h->end && *h->at == '[')
        return reading_unsupported(h->r, "it has fields (a structured array): plain arrays of numbers are read");
    return take_string(h, &h->descr, &h->descr_length) ? CODE_OK : header_fault(h);
}

static bool is_key(const char *key, size_t length, const char *name)
{
    return length == strlen(name) && memcmp(key, name, length) == 0;
}

static int read_members(struct header *h)
{
    const char *key;
    size_t length;
    if (!take(h, '{')) return header_fault(h);
    while (!take(h, '}')) {
        if (!take_string(h, &key, &length) || !take(h, ':')) return header_fault(h);
        int code = is_key(key, length, "descr")           ? read_descr(h)
                   : is_key(key, length, "fortran_order") ? read_order(h)
                   : is_key(key, length, "shape")         ? read_shape(h)
                                                          : header_fault(h);
        if (code != CODE_OK) return code;
        if (take(h, ',')) continue;
        if (!take(h, '}')) return header_fault(h);
        break;
    }
    skip_space(h);
    return h->at == h->end && h->has_descr && h->has_shape && h->has_order ? CODE_OK : header_fault(h);
}

/* ---- the type: byte order, kind, size ---- */

static const struct {
    const char *name;
    enum element element;
} types[] = {
    {"b1", ELEMENT_BOOL}, {"i1", ELEMENT_I8},  {"u1", ELEMENT_U8},  {"i2", ELEMENT_I16},
    {"u2", ELEMENT_U16},  {"i4", ELEMENT_I32}, {"u4", ELEMENT_U32}, {"i8", ELEMENT_I64},
    {"u8", ELEMENT_U64},  {"f2", ELEMENT_F16}, {"f4", ELEMENT_F32}, {"f8", ELEMENT_F64},
};

static int read_type(struct header *h)
{
    enum { SHOWN = 32 };
    const char *type = h->descr;
    size_t length = h->descr_length;
    char order = '=';
    if (length > 0 && memchr("<>|=", *type, 4) != NULL) {
        order = *type++;
        length--;
    }
    h->layout.big_endian = order == '>' || (order == '=' && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    if (length > 0 && *type == 'O') return pickle_refuse(h->r, "it holds Python objects");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!is_key(type, length, types[i].name)) continue;
        h->layout.element = types[i].element;
        return CODE_OK;
    }
    return reading_unsupported(
        h->r, "it holds elements of type \"%.*s\": booleans, integers and floats of up to eight bytes are read",
        h->descr_length < SHOWN ? (int)h->descr_length : SHOWN, h->descr);
}

/* ---- arrays ---- */

/* Where the dict is; *data is behind it. */
static int find_header(struct header *h, const char *bytes, size_t length, const char **data)
{
    const char *at = bytes + MAGIC;
    if (!npy_is(bytes, length)) return reading_fault(h->r, "it is no .npy file");
    if (length < MAGIC + VERSION_SIZE) return reading_fault(h->r, "its header is cut off");
    unsigned version = (unsigned char)*at;
    if (version == 0 || version > VERSION_MOST)
        return reading_fault(h->r, "it is of version %u of the format; 1 to %d are read", version, VERSION_MOST);
    at += VERSION_SIZE;
    size_t width = version == 1 ? 2 : 4, size = 0;
    if ((size_t)(bytes + length - at) < width) return reading_fault(h->r, "its header is cut off");
    for (size_t i = 0; i < width; i++)
        size |= (size_t)(unsigned char)at[i] << (8 * i);
    at += width;
    if (size > HEADER_MAX)
        return reading_fault(h->r, "its header is said to have %zu bytes; at most %d are read", size, HEADER_MAX);
    if ((size_t)(bytes + length - at) < size) return reading_fault(h->r, "its header is cut off");
    h->at = at;
    h->end = *data = at + size;
    return CODE_OK;
}

int npy_read(struct reading *r, const char *bytes, size_t length, json_t **value)
{
    struct header h = {.r = r, .at = bytes, .end = bytes, .descr = ""};
    struct tensor tensor;
    const char *data = bytes;
    size_t needed = 0;
    if (find_header(&h, bytes, length, &data) != CODE_OK || read_members(&h) != CODE_OK || read_type(&h) != CODE_OK ||
        elements_bytes(r, &h.layout, &needed) != CODE_OK)
        return r->error->code;
    size_t there = (size_t)(bytes + length - data);
    if (there != needed) return reading_fault(r, "its array takes %zu bytes, but %zu follow the header", needed, there);
    if (elements_read(r, &h.layout, data, &tensor) != CODE_OK) return r->error->code;
    return reading_tensor(r, &tensor, value);
}
