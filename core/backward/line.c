#include "core/backward/line.h"

const char *const mark_names[] = {"right", "wrong", "inherited", "fault", "unused"};
