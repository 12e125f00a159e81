/* What a request is called, in its answer and in the log. */
#ifndef SERVER_HTTP_REQUEST_ID_H
#define SERVER_HTTP_REQUEST_ID_H

enum { REQUEST_ID_MAX = 64 };

/* The client's own X-Request-Id where it is one: 1 to REQUEST_ID_MAX letters, digits, '.', '_' or '-'; else (or NULL) a
 * new one. */
void request_id_choose(const char *asked, char id[REQUEST_ID_MAX + 1]);

#endif
