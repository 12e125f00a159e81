/* A request in parts, whatever carried them: `request` is its JSON, any other part a file that stands for a member. */
#ifndef SERVER_BODY_PARTS_H
#define SERVER_BODY_PARTS_H

#include "server/body/reading.h"

struct part {
    const char *name; /* "gradients", or "gradients.W1" for a member of it; neither is terminated */
    size_t name_length;
    const char *bytes; /* they live as long as the request */
    size_t length;
};

/* Makes the document of the parts. CODE_MISSING_MEMBER where there is no `request`; what is given twice, in the JSON
 * and as a file or as two files, is CODE_OUT_OF_RANGE. What is wrong with a file is told with the name of its part. */
int parts_read(struct reading *r, const struct part *parts, size_t count);

#endif
