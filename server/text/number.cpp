#include "server/text/number.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <system_error>

namespace
{

/* Texts up to this length are read right by from_chars; in longer ones its exponent may saturate before the
 * digits of the mantissa could make up for it (0.000...1e70000). */
constexpr std::ptrdiff_t TEXT_ORDINARY = 1000;

/* To round a decimal right takes at most 767 of its digits, and whether any of the rest is not 0. */
constexpr int DIGITS_MAX = 800;

constexpr std::int64_t EXPONENT_MAX = std::int64_t(1) << 60;

/* The longest text: -1.2345678901234567e-308. */
constexpr int WRITTEN_MAX = 24;

/* So many digits always fit into 64 bits. */
constexpr std::ptrdiff_t DIGITS_EXACT = 19;

/* 5^0 to 5^27, the last to fit into 64 bits. */
constexpr int FIVES = 28;

struct powers_of_five {
    std::uint64_t value[FIVES] = {1};
    constexpr powers_of_five()
    {
        for (int i = 1; i < FIVES; i++)
            value[i] = 5 * value[i - 1];
    }
};

constexpr powers_of_five five;

__extension__ typedef unsigned __int128 wide;

/* A number as it was written. */
struct decimal {
    const char *end;       /* what is behind it; null where none stands there */
    std::uint64_t digits;  /* without the point */
    std::int64_t exponent; /* of the last digit, saturated */
    bool exact;            /* there were few enough digits to have them all */
};

bool is_digit(char c)
{
    return static_cast<unsigned char>(c - '0') < 10;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* How many digits the eight bytes at `at` begin with, and their value: all at once, the first in the lowest
 * byte. */
int read_eight(const char *at, std::uint64_t *value)
{
    std::uint64_t bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    /* The high half of a digit is 3, and stays 3 when 6 is added to its low half. (A carry only spoils what
     * is behind a byte that is none.) */
    constexpr std::uint64_t high = 0xF0F0F0F0F0F0F0F0, threes = 0x3030303030303030;
    std::uint64_t others = ((bytes & high) ^ threes) | (((bytes + 0x0606060606060606) & high) ^ threes);
    int count = others == 0 ? 8 : __builtin_ctzll(others) / 8;
    if (count == 0) return 0;
    bytes = (bytes - threes) << (64 - 8 * count); /* zeros in front */
    bytes = 10 * bytes + (bytes >> 8);            /* every other byte: a number of two digits */
    constexpr std::uint64_t pairs = 0x000000FF000000FF;
    *value = ((bytes & pairs) * (100 + (std::uint64_t(1000000) << 32)) +
              ((bytes >> 16) & pairs) * (1 + (std::uint64_t(10000) << 32))) >>
             32;
    return count;
}
#endif

/* Passes over the digits at `at` and appends them to *value (modulo 2^64). */
const char *read_digits(const char *at, const char *end, std::uint64_t *value)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    static constexpr std::uint64_t ten[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    while (end - at >= 8) {
        std::uint64_t part = 0;
        int count = read_eight(at, &part);
        *value = ten[count] * *value + part;
        at += count;
        if (count < 8) return at;
    }
#endif
    for (; at < end && is_digit(*at); at++)
        *value = 10 * *value + static_cast<std::uint64_t>(*at - '0');
    return at;
}

/* Reads the exponent at `at`, behind the 'e', saturated. Returns what is behind it, null where none stands
 * there. */
const char *read_exponent(const char *at, const char *end, std::int64_t *exponent)
{
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (at == end || !is_digit(*at)) return nullptr;
    std::int64_t value = 0;
    for (; at < end && is_digit(*at); at++)
        if (value < EXPONENT_MAX / 10) value = 10 * value + (*at - '0');
    *exponent = negative ? -value : value;
    return at;
}

/* Reads a number without its sign. */
decimal read_decimal(const char *first, const char *end)
{
    constexpr decimal none = {nullptr, 0, 0, false};
    decimal number = {first, 0, 0, true};
    const char *at = first;
    while (at < end && is_digit(*at))
        number.digits = 10 * number.digits + static_cast<std::uint64_t>(*at++ - '0');
    std::ptrdiff_t count = at - first;
    if (count == 0 || (*first == '0' && count > 1)) return none;
    if (at < end && *at == '.') {
        const char *point = ++at;
        if (*first == '0') {
            while (at < end && *at == '0')
                at++;
            count = point - at; /* leading zeros are no digits that matter */
        }
        at = read_digits(at, end, &number.digits);
        if (at == point) return none;
        count += at - point;
        number.exponent = point - at;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        std::int64_t exponent = 0;
        at = read_exponent(at + 1, end, &exponent);
        if (at == nullptr) return none;
        number.exponent += exponent;
    }
    number.end = at;
    number.exact = count <= DIGITS_EXACT;
    return number;
}

/* digits / 10^places, 0 <= places < FIVES, correctly rounded: as 10^p is 5^p * 2^p, one integer division
 * gives the first 62 bits or more of the quotient, its remainder says whether there are others, and the
 * conversion rounds once. */
double divide(std::uint64_t digits, int places)
{
    if (digits == 0 || places == 0) return static_cast<double>(digits);
    int shift = __builtin_clzll(digits), divisor_shift = __builtin_clzll(five.value[places]);
    std::uint64_t divisor = five.value[places] << divisor_shift;
    wide dividend = static_cast<wide>(digits << shift) << 62;
    std::uint64_t quotient = static_cast<std::uint64_t>(dividend / divisor);
    if (quotient * divisor != static_cast<std::uint64_t>(dividend)) quotient |= 1;
    int exponent = divisor_shift - shift - places - 62; /* 2^exponent, from its bits: it is far from subnormal */
    std::uint64_t bits = static_cast<std::uint64_t>(1023 + exponent) << 52;
    double scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return static_cast<double>(static_cast<std::int64_t>(quotient)) * scale; /* below 2^63: no branch on its top bit */
}

/* The value of the number in [text, end), which is well-formed and not negative, for whatever from_chars gave
 * up on: rewritten as d1d2d3...e±x with the digits that matter, it is ordinary. */
double read_extraordinary(const char *text, const char *end)
{
    char digits[DIGITS_MAX + 32];
    int count = 0;
    bool behind_point = false, rest = false;
    std::int64_t exponent = 0; /* of the last digit kept */
    const char *at = text;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            behind_point = true;
            continue;
        }
        bool kept = count < DIGITS_MAX && (count > 0 || *at != '0');
        if (kept)
            digits[count++] = *at;
        else if (count > 0)
            rest = rest || *at != '0';
        if (behind_point && (kept || count == 0)) exponent--;
        if (!behind_point && !kept && count > 0) exponent++;
    }
    if (count == 0) return 0;
    if (rest) {
        digits[count++] = '1';
        exponent--;
    }
    std::int64_t written = 0;
    if (at < end) read_exponent(at + 1, end, &written);
    exponent += written;
    if (exponent + count > 400) return std::numeric_limits<double>::infinity();
    if (exponent + count < -400) return 0;
    digits[count] = 'e';
    char *stop = std::to_chars(digits + count + 1, digits + sizeof digits, exponent).ptr;
    double value = 0;
    if (std::from_chars(digits, stop, value).ec == std::errc::result_out_of_range)
        return exponent + count > 0 ? std::numeric_limits<double>::infinity() : 0;
    return value;
}

} // namespace

extern "C" const char *number_read(const char *text, const char *end, double *value)
{
    bool negative = text < end && *text == '-';
    const char *first = text + negative;
    decimal number = read_decimal(first, end);
    if (number.end == nullptr) return nullptr;
    double magnitude = 0;
    if (number.exact && number.exponent <= 0 && number.exponent > -FIVES) {
        magnitude = divide(number.digits, static_cast<int>(-number.exponent));
    } else {
        auto result = std::from_chars(first, number.end, magnitude);
        if (result.ec != std::errc() || number.end - first > TEXT_ORDINARY)
            magnitude = read_extraordinary(first, number.end);
    }
    *value = std::copysign(magnitude, negative ? -1.0 : 1.0);
    return number.end;
}

extern "C" size_t number_write(double value, char *text)
{
    double magnitude = std::fabs(value);
    char *end = text + WRITTEN_MAX, *stop;
    if (magnitude < 0x1p53 && magnitude == std::floor(magnitude)) {
        if (magnitude == 0 && std::signbit(value)) {
            std::memcpy(text, "-0.0", 4);
            return 4;
        }
        stop = std::to_chars(text, end, static_cast<std::int64_t>(value)).ptr;
    } else {
        /* Where Python's repr changes to an exponent. */
        auto format = magnitude < 1e-4 || magnitude >= 1e16 ? std::chars_format::scientific : std::chars_format::fixed;
        stop = std::to_chars(text, end, value, format).ptr;
    }
    return static_cast<size_t>(stop - text);
}
