/* Pickles, which are programs: none is ever read. */
#ifndef SERVER_BODY_PICKLE_H
#define SERVER_BODY_PICKLE_H

#include "server/body/reading.h"

/* Whether it begins as a pickle does, from protocol 2 on: what pickle.dump and, before version 1.6, torch.save write.
 */
bool pickle_is(const char *bytes, size_t length);

/* CODE_UNSUPPORTED_FILE: that it is a pickle, why ("it holds Python objects"), and what to write instead. */
int pickle_refuse(struct reading *r, const char *why);

#endif
