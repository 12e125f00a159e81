/* Flags and environment of the daemon. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* What to compute on. `usually`: nobody asked this request's client, whom the CPU serves as well where the device has
 * failed. */
enum { DEVICE_AUTO };
struct device_choice {
    size_t which; /* DEVICE_AUTO, or of device_names */
    bool usually;
};

extern const char *const device_names[]; /* what can be asked for: auto, then the table of devices; ends with NULL */

/* Of a flag that may be given several times; each value may be several with commas between. The strings are those of
 * the command line and the environment. */
enum { OPTION_VALUES_MAX = 16 };
struct option_list {
    const char *values[OPTION_VALUES_MAX];
    size_t count;
};

struct options {
    char host[64]; /* a numeric IPv4 or IPv6 address, without brackets */
    unsigned port; /* 0 takes a free one */
    struct device_choice device;
    unsigned threads; /* that serve connections; as many workers */
    char static_directory[4096];
    size_t max_body;          /* bytes */
    size_t max_memory;        /* bytes that all requests in flight may take; 0: as many as there are */
    double max_work;          /* floating-point operations of one request */
    char tokens[4096];        /* the file; "" where anybody may ask */
    const char *log;          /* the file, or - for standard output; NULL where there is none */
    bool open;                /* ... from anywhere */
    bool no_reveal;           /* nobody gets to see the reference */
    struct option_list hosts; /* names that it is reached by */
    struct option_list cors;  /* origins whose pages may use it */
};

/* What --help says of a flag. */
struct option_flag {
    const char *flag, *variable, *argument, *help; /* argument: NULL of a switch */
};

/* The i-th flag, as --help lists them; NULL behind the last. */
const struct option_flag *options_flag(size_t i);

enum options_verdict { OPTIONS_RUN, OPTIONS_EXIT_0, OPTIONS_EXIT_2 };

/* Defaults, then the environment, then the command line. --help and --version print to standard output
 * (OPTIONS_EXIT_0); a usage error prints one line on standard error (OPTIONS_EXIT_2). */
enum options_verdict options_read(int argc, char **argv, struct options *options);

/* What one request may take: LIMIT_MEMORY, or all where that is less. */
size_t options_request_memory(const struct options *options);

/* A numeric address; its family, AF_INET or AF_INET6, or 0 where it is none. */
int options_read_address(const char *host, unsigned char address[16]);

/* Whether a host is a name or a numeric address of loopback: `localhost`, 127.0.0.0/8, ::1. */
bool options_is_loopback(const char *host);

#endif
