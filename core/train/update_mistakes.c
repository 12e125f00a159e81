#include "core/train/update_mistakes.h"

#include "core/train/update_slips.h"

size_t update_slips(const struct update_slip *list[UPDATE_SLIPS_MAX])
{
    const struct update_slip *const lists[] = {step_slips, moment_slips, decay_slips, momentum_slips};
    size_t count = 0;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct update_slip *slip = lists[i]; slip->mistake != NULL; slip++) {
            if (count == UPDATE_SLIPS_MAX && list[count - 1]->mistake->rank <= slip->mistake->rank) continue;
            size_t at = count < UPDATE_SLIPS_MAX ? count++ : count - 1;
            for (; at > 0 && list[at - 1]->mistake->rank > slip->mistake->rank; at--)
                list[at] = list[at - 1];
            list[at] = slip;
        }
    return count;
}
