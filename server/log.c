#include "server/log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int file = -1;
static const char *name;

static int open_file(void)
{
    return open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640);
}

bool log_open(const char *path)
{
    name = path;
    file = strcmp(path, "-") == 0 ? STDOUT_FILENO : open_file();
    return file >= 0;
}

/* The file keeps its number: whoever is writing to it notices nothing. */
bool log_reopen(void)
{
    if (file < 0 || file == STDOUT_FILENO) return true;
    int anew = open_file();
    if (anew < 0) return false;
    bool good = dup3(anew, file, O_CLOEXEC) >= 0;
    close(anew);
    return good;
}

bool log_is_on(void)
{
    return file >= 0;
}

void log_request(const struct log_entry *entry)
{
    enum { LINE = 1024, CODE = 64 };
    char line[LINE], code[CODE] = "null";
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    if (entry->code != NULL) snprintf(code, sizeof code, "\"%s\"", entry->code);
    int length = snprintf(line, sizeof line,
                          "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\",\"id\":\"%s\",\"client\":\"%s\","
                          "\"method\":\"%s\",\"route\":\"%s\",\"status\":%d,\"code\":%s,\"received\":%zu,\"sent\":%zu,"
                          "\"ms\":%.3f}\n",
                          utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                          now.tv_nsec / 1000000, entry->id, entry->client, entry->method, entry->route, entry->status,
                          code, entry->received, entry->sent, 1e3 * entry->seconds);
    /* All at once, so that lines of several threads do not mix; and not where nobody reads a pipe: who logs serves. */
    struct pollfd ready = {.fd = file, .events = POLLOUT};
    if (poll(&ready, 1, 0) == 0) return;
    if (length > 0 && length < LINE && write(file, line, (size_t)length) < 0) return;
}
