#include "core/base/priority.h"

#include <sys/resource.h>
#include <unistd.h>

/* Nicer by so much, it has a tenth of the share of one that is not. */
enum { PRIORITY_BEHIND = 10 };

void priority_give_way(void)
{
    const id_t self = (id_t)gettid();
    setpriority(PRIO_PROCESS, self, getpriority(PRIO_PROCESS, self) + PRIORITY_BEHIND);
}
