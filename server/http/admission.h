/* The first look at a request, when its headers are there: which route, and does the route want it. */
#ifndef SERVER_HTTP_ADMISSION_H
#define SERVER_HTTP_ADMISSION_H

struct request;
struct routes;

enum admission {
    ADMISSION_GRANTED,    /* exchange.route is to work on it when the body is complete */
    ADMISSION_ANSWERED,   /* the answer is there; nothing stands in the way of a next request on the connection
                           */
    ADMISSION_REFUSED_NOW /* the answer is there; it has to go out before the body is read, and to end the
                             connection */
};

/* Sets method, path and route of the exchange, and, where it is not granted, the answer. */
enum admission admission_decide(struct request *request, const struct routes *routes, const char *url,
                                const char *method, const char *version);

/* The method's name, if it is one that HTTP has, else "other". */
const char *admission_method(const char *method);

#endif
