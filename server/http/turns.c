#include "server/http/turns.h"

double turns_begin(struct turns *turns, uint64_t client, double work)
{
    size_t place = 0;
    double begin = turns->now;
    for (size_t i = 0; i < TURNS_CLIENTS; i++) {
        if (turns->last[i].client == client && turns->last[i].end > begin) {
            begin = turns->last[i].end;
            place = i;
            break;
        }
        if (turns->last[i].end < turns->last[place].end) place = i;
    }
    turns->last[place].client = client;
    turns->last[place].end = begin + work;
    return begin;
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
