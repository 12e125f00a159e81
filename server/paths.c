#include "server/paths.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_there(const char *path, bool directory)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode) == directory &&
           access(path, directory ? R_OK | X_OK : R_OK) == 0;
}

bool paths_find(const char *const places[2], bool directory, char *path, size_t size)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash == NULL) return false;
    *slash = '\0';
    for (int i = 0; i < 2; i++) {
        int needed = snprintf(path, size, "%s/%s", program, places[i]);
        if (needed > 0 && (size_t)needed < size && is_there(path, directory)) return true;
    }
    return false;
}
