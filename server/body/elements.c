#include "server/body/elements.h"

#include <stdint.h>
#include <string.h>

#include "server/limits.h"

/* Elements that are converted between two looks at whether anybody waits. */
enum { PIECE = 1 << 20 };

/* ---- from bytes to float64 ---- */

static inline uint8_t swap8(uint8_t bits)
{
    return bits;
}

static inline uint16_t swap16(uint16_t bits)
{
    return __builtin_bswap16(bits);
}

static inline uint32_t swap32(uint32_t bits)
{
    return __builtin_bswap32(bits);
}

static inline uint64_t swap64(uint64_t bits)
{
    return __builtin_bswap64(bits);
}

static inline double from_float_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Sign, 5 bits of exponent (bias 15) and 10 of fraction: as those of a float32, whose bias is 127, they are the number
 * divided by 2^112, those below the least normal one included. */
static inline double from_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = (uint32_t)(half & 0x7FFF) << 13;
    if ((half & 0x7C00) == 0x7C00) return from_float_bits(sign | rest | 0x7F800000);
    return from_float_bits(sign | rest) * 0x1p112;
}

/* A float32 without its lower half. */
static inline double from_bfloat(uint16_t bits)
{
    return from_float_bits((uint32_t)bits << 16);
}

static inline double from_double_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* One loop for each byte order, so that both are vectors. */
#define CONVERT(name, bits_type, swap_bits, value_of)                                                                  \
    static void name(const char *from, size_t count, bool swapped, double *to)                                         \
    {                                                                                                                  \
        bits_type bits;                                                                                                \
        for (size_t i = 0; i < count && !swapped; i++) {                                                               \
            memcpy(&bits, from + i * sizeof bits, sizeof bits);                                                        \
            to[i] = value_of(bits);                                                                                    \
        }                                                                                                              \
        for (size_t i = 0; i < count && swapped; i++) {                                                                \
            memcpy(&bits, from + i * sizeof bits, sizeof bits);                                                        \
            to[i] = value_of(swap_bits(bits));                                                                         \
        }                                                                                                              \
    }

#define AS_BOOL(bits) ((bits) != 0 ? 1.0 : 0.0)
#define AS_I8(bits) ((double)(int8_t)(bits))
#define AS_I16(bits) ((double)(int16_t)(bits))
#define AS_I32(bits) ((double)(int32_t)(bits))
#define AS_I64(bits) ((double)(int64_t)(bits))
#define AS_UNSIGNED(bits) ((double)(bits))

CONVERT(read_bool, uint8_t, swap8, AS_BOOL)
CONVERT(read_i8, uint8_t, swap8, AS_I8)
CONVERT(read_u8, uint8_t, swap8, AS_UNSIGNED)
CONVERT(read_i16, uint16_t, swap16, AS_I16)
CONVERT(read_u16, uint16_t, swap16, AS_UNSIGNED)
CONVERT(read_i32, uint32_t, swap32, AS_I32)
CONVERT(read_u32, uint32_t, swap32, AS_UNSIGNED)
CONVERT(read_i64, uint64_t, swap64, AS_I64)
CONVERT(read_u64, uint64_t, swap64, AS_UNSIGNED)
CONVERT(read_f16, uint16_t, swap16, from_half)
CONVERT(read_bf16, uint16_t, swap16, from_bfloat)
CONVERT(read_f32, uint32_t, swap32, from_float_bits)
CONVERT(read_f64, uint64_t, swap64, from_double_bits)

static const struct {
    size_t size;
    void (*read)(const char *from, size_t count, bool swapped, double *to);
} types[ELEMENT_COUNT] = {
    [ELEMENT_BOOL] = {1, read_bool}, [ELEMENT_I8] = {1, read_i8},     [ELEMENT_U8] = {1, read_u8},
    [ELEMENT_I16] = {2, read_i16},   [ELEMENT_U16] = {2, read_u16},   [ELEMENT_I32] = {4, read_i32},
    [ELEMENT_U32] = {4, read_u32},   [ELEMENT_I64] = {8, read_i64},   [ELEMENT_U64] = {8, read_u64},
    [ELEMENT_F16] = {2, read_f16},   [ELEMENT_BF16] = {2, read_bf16}, [ELEMENT_F32] = {4, read_f32},
    [ELEMENT_F64] = {8, read_f64},
};

size_t element_size(enum element element)
{
    return types[element].size;
}

/* ---- tensors ---- */

int elements_bytes(struct reading *r, const struct layout *layout, size_t *bytes)
{
    char text[SHAPE_TEXT_MAX];
    struct shape filled =
        layout->shape; /* axes of no length aside: those beside them are to be of sizes that others are */
    size_t size, doubles;
    bool empty = false;
    for (size_t i = 0; i < filled.rank; i++) {
        empty = empty || filled.dim[i] == 0;
        if (filled.dim[i] == 0) filled.dim[i] = 1;
    }
    if (!shape_size(&filled, &size) || __builtin_mul_overflow(size, sizeof(double), &doubles) ||
        (empty && size > DOCUMENT_VALUES_MAX))
        return reading_fault(r, "its shape %s is larger than any memory", shape_text(&layout->shape, text));
    *bytes = empty ? 0 : size * types[layout->element].size;
    return CODE_OK;
}

static bool is_swapped(const struct layout *layout)
{
    return layout->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

/* Whether the bytes are the doubles that are wanted. */
static bool is_ready(const struct layout *layout, const char *bytes)
{
    return layout->element == ELEMENT_F64 && !is_swapped(layout) && (uintptr_t)bytes % _Alignof(double) == 0;
}

/* The numbers in the order in which they lie in the file. */
static int read_flat(struct reading *r, const struct layout *layout, const char *bytes, size_t size, double **data)
{
    if (is_ready(layout, bytes)) {
        *data = (double *)(uintptr_t)bytes; /* nobody writes into what was submitted */
        return CODE_OK;
    }
    *data = arena_doubles(r->arena, size);
    if (*data == NULL) return reading_out_of_memory(r);
    for (size_t done = 0; done < size; done += PIECE) {
        size_t count = size - done < PIECE ? size - done : PIECE;
        if (reading_look(r) != CODE_OK) return r->error->code;
        types[layout->element].read(bytes + done * types[layout->element].size, count, is_swapped(layout),
                                    *data + done);
    }
    return CODE_OK;
}

/* In Fortran's order it is its transpose, all axes in reverse, in C's. */
static int turn_axes(struct reading *r, const double *flat, struct tensor *tensor)
{
    unsigned char axes[TENSOR_RANK_MAX];
    const struct shape *shape = &tensor->shape;
    for (size_t i = 0; i < shape->rank; i++)
        axes[i] = (unsigned char)(shape->rank - 1 - i);
    tensor->data = arena_doubles(r->arena, tensor->size);
    if (tensor->data == NULL) return reading_out_of_memory(r);
    tensor_permute(shape, axes, true, flat, tensor->data);
    return CODE_OK;
}

int elements_read(struct reading *r, const struct layout *layout, const char *bytes, struct tensor *tensor)
{
    double *flat;
    *tensor = (struct tensor){.shape = layout->shape};
    if (!shape_size(&tensor->shape, &tensor->size)) return reading_out_of_memory(r);
    if (read_flat(r, layout, bytes, tensor->size, &flat) != CODE_OK) return r->error->code;
    tensor->data = flat;
    return layout->fortran && layout->shape.rank > 1 ? turn_axes(r, flat, tensor) : CODE_OK;
}
