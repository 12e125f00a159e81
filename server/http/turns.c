#include "server/http/turns.h"

/* Where a client's last request ends; else the place that ends first, which is his from now on. */
static double *end_of(struct turns *turns, uint64_t client)
{
    size_t place = 0;
    for (size_t i = 0; i < TURNS_CLIENTS; i++) {
        if (turns->last[i].client == client) return &turns->last[i].end;
        if (turns->last[i].end < turns->last[place].end) place = i;
    }
    turns->last[place].client = client;
    turns->last[place].end = turns->now;
    return &turns->last[place].end;
}

double turns_begin(struct turns *turns, uint64_t client, double work, bool waits)
{
    double *end = end_of(turns, client), begin = *end > turns->now ? *end : turns->now;
    if (!waits && begin > turns->now + TURNS_DEBT_MAX) begin = turns->now + TURNS_DEBT_MAX;
    *end = begin + work;
    return begin;
}

void turns_charge(struct turns *turns, uint64_t client, double more)
{
    double *end = end_of(turns, client);
    *end = (more > 0 && *end < turns->now ? turns->now : *end) + more;
}

void turns_take(struct turns *turns, double begin)
{
    if (begin > turns->now) turns->now = begin;
}

uint64_t turns_client(const void *bytes, size_t length)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001B3);
    return hash;
}
