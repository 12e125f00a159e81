/* Numbers <-> text through libstdc++'s from_chars and to_chars: fast, exact, and deaf to the locale. */
#ifndef SERVER_TEXT_NUMBER_H
#define SERVER_TEXT_NUMBER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { NUMBER_TEXT_MAX = 32 };

/* Reads one number by JSON's grammar (no '+', no leading zeros, digits on both sides of the point) from
 * [text, end) into *value, correctly rounded; too large becomes an infinity, too small 0 or a subnormal, as
 * in Python. Returns the first byte after it, NULL where no number by that grammar stands there. */
const char *number_read(const char *text, const char *end, double *value);

/* Writes the shortest text that reads back as the same finite float64, as JSON and Python's repr would
 * ("0.1", "1e-07", "3.0" becomes "3"; "-0.0" keeps its sign: "-0.0"). Returns its length, at most
 * NUMBER_TEXT_MAX. */
size_t number_write(double value, char *text);

#ifdef __cplusplus
}
#endif

#endif
