#include "tests/fuzz/require.h"

#include <stdio.h>
#include <stdlib.h>

void require(bool right, const char *what)
{
    if (right) return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}
