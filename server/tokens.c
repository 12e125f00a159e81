#include "server/tokens.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_MAX = 10000, LINE_MAX_BYTES = 1024 };

struct token {
    enum role role;
    uint8_t digest[SHA256_DIGEST_SIZE];
};

struct list {
    struct token *tokens;
    size_t count, capacity;
};

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct list list; /* under the lock */

/* ---- reading ---- */

static const char *const role_names[] = {[ROLE_CHECK] = "check", [ROLE_STAFF] = "staff"};

static enum role read_role(const char *word, size_t length)
{
    for (enum role role = ROLE_CHECK; role <= ROLE_STAFF; role++)
        if (strlen(role_names[role]) == length && strncmp(role_names[role], word, length) == 0) return role;
    return ROLE_NONE;
}

static bool read_digest(const char *word, size_t length, uint8_t digest[SHA256_DIGEST_SIZE])
{
    if (length != (size_t)2 * SHA256_DIGEST_SIZE) return false;
    for (size_t i = 0; i < length; i++) {
        if (!isxdigit((unsigned char)word[i])) return false;
        int letter = tolower((unsigned char)word[i]);
        unsigned digit = (unsigned)(letter <= '9' ? letter - '0' : letter - 'a' + 10);
        digest[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : digest[i / 2] | digit);
    }
    return true;
}

/* As where a shell's variable was not set. */
static bool digest_is_of_nothing(const uint8_t *digest)
{
    struct sha256_ctx hash;
    uint8_t nothing[SHA256_DIGEST_SIZE];
    sha256_init(&hash);
    sha256_digest(&hash, sizeof nothing, nothing);
    return memcmp(digest, nothing, sizeof nothing) == 0;
}

static const char *read_line(struct list *to, char *line)
{
    static const char spaces[] = " \t\r\n";
    char *word = line + strspn(line, spaces);
    if (*word == '\0' || *word == '#') return NULL;
    size_t length = strcspn(word, spaces);
    struct token token = {.role = read_role(word, length)};
    if (token.role == ROLE_NONE) return "begins with neither check nor staff";
    word += length;
    word += strspn(word, spaces);
    if (!read_digest(word, strcspn(word, spaces), token.digest))
        return "has no SHA-256 of 64 hexadecimal digits behind the role";
    if (digest_is_of_nothing(token.digest)) return "is the SHA-256 of nothing: the token was empty";
    if (to->count == TOKENS_MAX) return "is one token too many";
    if (to->count == to->capacity) {
        to->capacity = 2 * to->capacity + 16;
        struct token *more = realloc(to->tokens, to->capacity * sizeof *more);
        if (more == NULL) return "does not fit into the memory";
        to->tokens = more;
    }
    to->tokens[to->count++] = token;
    return NULL;
}

static bool read_file(FILE *file, struct list *to, char fault[TOKENS_FAULT_MAX])
{
    char line[LINE_MAX_BYTES];
    for (size_t number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        const char *why = strchr(line, '\n') == NULL && !feof(file) ? "is too long" : read_line(to, line);
        if (why == NULL) continue;
        snprintf(fault, TOKENS_FAULT_MAX, "line %zu %s", number, why);
        return false;
    }
    if (ferror(file)) {
        snprintf(fault, TOKENS_FAULT_MAX, "%s", strerror(errno));
        return false;
    }
    if (to->count > 0) return true;
    snprintf(fault, TOKENS_FAULT_MAX, "there is no token in it");
    return false;
}

bool tokens_load(const char *path, char fault[TOKENS_FAULT_MAX])
{
    struct list read = {.count = 0};
    /* Whoever reads them anew serves: a pipe that nobody writes to is not waited for. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    if (file == NULL) {
        snprintf(fault, TOKENS_FAULT_MAX, "%s", strerror(errno));
        return false;
    }
    bool good = read_file(file, &read, fault);
    fclose(file);
    if (good) {
        pthread_rwlock_wrlock(&lock);
        struct list before = list;
        list = read;
        read = before;
        pthread_rwlock_unlock(&lock);
    }
    free(read.tokens);
    return good;
}

/* ---- asking ---- */

enum role tokens_role(const char *token, size_t length)
{
    struct sha256_ctx hash;
    uint8_t digest[SHA256_DIGEST_SIZE];
    unsigned role = ROLE_NONE;
    sha256_init(&hash);
    sha256_update(&hash, length, (const uint8_t *)token);
    sha256_digest(&hash, sizeof digest, digest);
    pthread_rwlock_rdlock(&lock);
    for (size_t i = 0; i < list.count; i++) {
        unsigned same = (unsigned)memeql_sec(digest, list.tokens[i].digest, sizeof digest);
        role |= (unsigned)list.tokens[i].role & (0U - same);
    }
    pthread_rwlock_unlock(&lock);
    return role >= ROLE_STAFF ? ROLE_STAFF : (enum role)role;
}

void tokens_free(void)
{
    free(list.tokens);
    list = (struct list){.count = 0};
}
