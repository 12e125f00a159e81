/* application/x-www-form-urlencoded: for clients that can send nothing else. */
#ifndef SERVER_BODY_FORM_H
#define SERVER_BODY_FORM_H

#include "server/body/parts.h"

/* Reads the fields as parts are (parts.h). JSON that is sent as a form, as curl -d does, is
 * CODE_UNSUPPORTED_MEDIA_TYPE, with what to do about it. */
int form_read(struct reading *r, const char *content_type, const char *bytes, size_t length);

#endif
