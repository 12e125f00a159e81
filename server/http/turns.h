/* Whose turn it is: fair queueing by client, weighted by work. (Start-time fair queueing: P. Goyal, H. Vin, H. Cheng,
 * 1996.) Each request of a client begins, on a clock that counts work instead of time, where the one before it ends;
 * what begins first is taken first. So who asks for much waits behind himself, and who asks for little hardly waits. */
#ifndef SERVER_HTTP_TURNS_H
#define SERVER_HTTP_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Clients whose last request may end later than now: those that wait, and some that were served. Of more, those that
 * end first are forgotten. */
enum { TURNS_CLIENTS = 512 };

struct turns {
    double now; /* where the request began that was taken last */
    struct {
        uint64_t client;
        double end; /* of its last request; behind now, or the place is free */
    } last[TURNS_CLIENTS];
};

/* What a client with nothing waiting may still be behind for what was done for him: two seconds' work. He has had it,
 * and perhaps nobody else wanted it. */
#define TURNS_DEBT_MAX 2e10

/* Where a request of so much work begins, that a client has just made; whether others of his wait. */
double turns_begin(struct turns *turns, uint64_t client, double work, bool waits);

/* A request of his took so much more than was said, or, where that is negative, so much less: nothing, if it was not
 * done at all. */
void turns_charge(struct turns *turns, uint64_t client, double more);

/* That which begins there was taken. */
void turns_take(struct turns *turns, double begin);

/* A number for a client: of its bytes, whatever they are (FNV-1a). */
uint64_t turns_client(const void *bytes, size_t length);

#endif
