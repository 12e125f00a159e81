#include "core/check/printed.h"

#include <math.h>

/* Whether a number is a whole one but for the rounding of a decimal fraction to float64. */
static bool is_whole(double x)
{
    return fabs(x - rint(x)) <= 0x1p-50 * fabs(x);
}

static int decimals_of(double x)
{
    int d = 0;
    for (double power = 1; d <= PRINTED_MOST && !is_whole(x * power); d++)
        power *= 10;
    return d;
}

static int digits_of(double x)
{
    if (x == 0) return 0;
    int places = (int)floor(log10(fabs(x))), n = 1;
    while (n <= PRINTED_MOST && !is_whole(x * pow(10, n - 1 - places)))
        n++;
    return n;
}

bool printed_add(struct printed *printed, size_t n, const double *values)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) return false;
        int decimals = printed->decimals <= PRINTED_MOST ? decimals_of(values[i]) : 0;
        int digits = printed->digits <= PRINTED_MOST ? digits_of(values[i]) : 0;
        printed->decimals = decimals > printed->decimals ? decimals : printed->decimals;
        printed->digits = digits > printed->digits ? digits : printed->digits;
        printed->numbers += values[i] != 0;
        printed->decimals_of_all += decimals;
        printed->digits_of_all += digits;
        if (printed->decimals > PRINTED_MOST && printed->digits > PRINTED_MOST) return false;
    }
    return true;
}

bool printed_settle(struct printed *printed)
{
    bool decimals = printed->decimals >= PRINTED_LEAST && printed->decimals <= PRINTED_MOST;
    bool digits = printed->digits >= PRINTED_LEAST && printed->digits <= PRINTED_MOST;
    /* Most numbers end in no 0: of both that is told of which fewer are missing. Of 0.1234 and 0.01234 both have four
     * digits, and one has a decimal too few. */
    double no_decimals = printed->decimals * printed->numbers - printed->decimals_of_all;
    double no_digits = printed->digits * printed->numbers - printed->digits_of_all;
    decimals = decimals && (!digits || no_decimals <= no_digits);
    printed->decimals = decimals ? printed->decimals : 0;
    printed->digits = digits && !decimals ? printed->digits : 0;
    return decimals || digits;
}

double printed_half_unit(const struct printed *printed, double number)
{
    if (printed->decimals > 0) return 0.5 * pow(10, -printed->decimals);
    if (printed->digits == 0 || number == 0) return 0;
    return 0.5 * pow(10, floor(log10(fabs(number))) + 1 - printed->digits);
}
