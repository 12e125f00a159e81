/* What goes wrong in an optimizer's update: each mistake is a slip in the plan of a step, which is then made. They
 * stand, each beside its slip, in the files beside this one: step_mistakes.c, moment_mistakes.c, decay_mistakes.c,
 * momentum_mistakes.c. A new one is an entry there, a line in that file's list, and one in the table of
 * core/ops/mistakes.h. */
#ifndef CORE_TRAIN_UPDATE_MISTAKES_H
#define CORE_TRAIN_UPDATE_MISTAKES_H

#include "core/train/update_slips.h"

/* Room for all of them: a test says where that is no longer enough. */
enum { UPDATE_SLIPS_MAX = 64 };

/* All of them into the list, the likelier first; how many there are. Where there were more than UPDATE_SLIPS_MAX, the
 * least likely would be left out. */
size_t update_slips(const struct update_slip *list[UPDATE_SLIPS_MAX]);

#endif
