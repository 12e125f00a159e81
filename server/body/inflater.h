/* zlib's inflate with the arena's memory, for what is in memory already. */
#ifndef SERVER_BODY_INFLATER_H
#define SERVER_BODY_INFLATER_H

#include "server/body/reading.h"

enum packing { PACKED_RAW, PACKED_ZLIB, PACKED_GZIP };

enum inflated {
    INFLATED_WHOLE,   /* to the end of the stream */
    INFLATED_FULL,    /* there is no more room, and more to come, or only the stream's end */
    INFLATED_SHORT,   /* the bytes end before the stream does */
    INFLATED_BROKEN,  /* no such stream, or its checksum does not fit */
    INFLATED_STOPPED, /* r->error says why: cancelled, or no memory */
};

/* A stream: `from` and `to` are moved behind what was read and written. */
struct inflating {
    const char *from, *from_end;
    char *to, *to_end;
};

/* Begins with a stream. CODE_OUT_OF_MEMORY. One at a time. */
int inflater_begin(struct reading *r, enum packing packing);

/* Goes on with it as far as the room goes: of what has ended FULL, or SHORT, it can be called again. */
enum inflated inflater_go_on(struct reading *r, struct inflating *inflating);

#endif
