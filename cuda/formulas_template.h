/* The formulas of core/backend/formulas.h by their numbers, in one arithmetic (REAL, NAME(x)): for every kernel.
 * Included by backend.cu alone.
 *
 * All threads of a launch ask for the same one, so that the choice costs a few instructions and nobody waits; and up to
 * 16 million elements a thread has one element only, and chooses once. */

DEVICE REAL NAME(map_one)(enum map f, REAL a, REAL x)
{
    switch (f) {
#define MAP_CASE(name)                                                                                                 \
    case MAP_##name:                                                                                                   \
        return NAME(name)(a, x);
        FORMULAS_OF_MAPS(MAP_CASE)
#undef MAP_CASE
    case MAP_COUNT:
        break;
    }
    return x;
}

DEVICE REAL NAME(map_slope_one)(enum map f, REAL a, REAL x, REAL y)
{
    switch (f) {
#define MAP_CASE(name)                                                                                                 \
    case MAP_##name:                                                                                                   \
        return NAME(name##_slope)(a, x, y);
        FORMULAS_OF_MAPS(MAP_CASE)
#undef MAP_CASE
    case MAP_COUNT:
        break;
    }
    return 0;
}

DEVICE REAL NAME(loss_one)(enum elementwise_loss l, REAL a, REAL p, REAL t)
{
    switch (l) {
#define LOSS_CASE(name)                                                                                                \
    case LOSS_##name:                                                                                                  \
        return NAME(name)(a, p, t);
        FORMULAS_OF_LOSSES(LOSS_CASE)
#undef LOSS_CASE
    case LOSS_COUNT:
        break;
    }
    return 0;
}

DEVICE REAL NAME(loss_slope_one)(enum elementwise_loss l, REAL a, REAL p, REAL t)
{
    switch (l) {
#define LOSS_CASE(name)                                                                                                \
    case LOSS_##name:                                                                                                  \
        return NAME(name##_slope)(a, p, t);
        FORMULAS_OF_LOSSES(LOSS_CASE)
#undef LOSS_CASE
    case LOSS_COUNT:
        break;
    }
    return 0;
}

DEVICE REAL NAME(binary_one)(enum binary f, REAL a, REAL b)
{
    switch (f) {
#define BINARY_CASE(name)                                                                                              \
    case BINARY_##name:                                                                                                \
        return NAME(name)(a, b);
        FORMULAS_OF_BINARIES(BINARY_CASE)
#undef BINARY_CASE
    case BINARY_COUNT:
        break;
    }
    return 0;
}

/* What goes to a, or (second) to b. */
DEVICE REAL NAME(binary_gradient_one)(enum binary f, bool second, REAL a, REAL b, REAL y, REAL dy)
{
    switch (f) {
#define BINARY_CASE(name)                                                                                              \
    case BINARY_##name:                                                                                                \
        return second ? NAME(name##_second)(a, b, y, dy) : NAME(name##_first)(a, b, y, dy);
        FORMULAS_OF_ARITHMETIC(BINARY_CASE)
#undef BINARY_CASE
    default:
        break;
    }
    return 0;
}
