#include "core/base/priority.h"

#include <sys/resource.h>
#include <unistd.h>

/* Nicer by so much, it has a third of the share of one that is not. */
enum { PRIORITY_BEHIND = 5 };

void priority_give_way(void)
{
    setpriority(PRIO_PROCESS, (id_t)gettid(), PRIORITY_BEHIND); /* anybody may; where not, it is as it was */
}
