#include "tests/fuzz/token_lines.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/tokens.h"
#include "tests/fuzz/head.h"
#include "tests/fuzz/holds.h"

/* Lines are at most so long here: what is longer than the reader's buffer is another matter. */
enum { LINE_ROOM = 1000, FILE_ROOM = 4096 };

#define CHECK_DIGEST "0889113e04d3203f0c401c17c0fd8b352b740dc607433779d3edcaa13320b001"
#define STAFF_DIGEST "1057a9604e04b274da5a4de0c8f4b4868d9b230989f8c8c6a28221143cc5a755"

static const struct {
    const char *token, *digest;
    enum role role; /* in the usual file */
} known[] = {{TOKEN_CHECK, CHECK_DIGEST, ROLE_CHECK}, {TOKEN_STAFF, STAFF_DIGEST, ROLE_STAFF}};

enum { KNOWN = sizeof known / sizeof *known };

/* A file in memory, which tokens_load opens by its name. */
static bool load(const char *bytes, size_t length, char fault[TOKENS_FAULT_MAX])
{
    static int file = -1;
    char path[64];
    if (file < 0) file = memfd_create("tokens", 0);
    require(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, bytes, length, 0) == (ssize_t)length, "no file");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return tokens_load(path, fault);
}

void token_lines_reset(void)
{
    static const char usual[] = "# who may\ncheck " CHECK_DIGEST " the class\nstaff " STAFF_DIGEST "\n";
    char fault[TOKENS_FAULT_MAX];
    require(load(usual, strlen(usual), fault), "the usual file is refused");
}

/* Whether one line can be used, and what it says of the known tokens; *tokens counts those that it has. */
static bool read_line(char *line, enum role roles[KNOWN], size_t *tokens)
{
    char *rest = NULL, *word = strtok_r(line, " \t\r", &rest), *digest = strtok_r(NULL, " \t\r", &rest);
    if (word == NULL || word[0] == '#') return true;
    enum role role = strcmp(word, "staff") == 0 ? ROLE_STAFF : strcmp(word, "check") == 0 ? ROLE_CHECK : ROLE_NONE;
    if (role == ROLE_NONE || digest == NULL || strlen(digest) != 64) return false;
    if (strspn(digest, "0123456789abcdefABCDEF") != 64) return false;
    ++*tokens;
    for (size_t i = 0; i < KNOWN; i++)
        if (strcasecmp(digest, known[i].digest) == 0 && role > roles[i]) roles[i] = role;
    return true;
}

/* The number of the first line that cannot be used; 0 where there is none. */
static size_t read_lines(char *text, enum role roles[KNOWN], size_t *tokens)
{
    size_t number = 1;
    for (char *next; text != NULL; text = next, number++) {
        next = strchr(text, '\n');
        if (next != NULL) *next++ = '\0';
        if (!read_line(text, roles, tokens)) return number;
    }
    return 0;
}

void token_lines_check(const char *bytes, size_t length)
{
    char text[FILE_ROOM], fault[TOKENS_FAULT_MAX] = "", where[32];
    enum role roles[KNOWN] = {ROLE_NONE, ROLE_NONE};
    size_t tokens = 0, run = 0;
    if (length >= sizeof text) return;
    for (size_t i = 0; i < length; i++) {
        text[i] = bytes[i] != '\0' ? bytes[i] : ' ';
        run = text[i] == '\n' ? 0 : run + 1;
        if (run == LINE_ROOM) return;
    }
    text[length] = '\0';
    bool good = load(text, length, fault);
    size_t wrong = read_lines(text, roles, &tokens);
    require(good == (wrong == 0 && tokens > 0), "another view of a file of tokens");
    snprintf(where, sizeof where, "line %zu ", wrong);
    if (!good) require(wrong > 0 ? strncmp(fault, where, strlen(where)) == 0 : fault[0] != '\0', "another line");
    for (size_t i = 0; i < KNOWN; i++)
        require(tokens_role(known[i].token, strlen(known[i].token)) == (good ? roles[i] : known[i].role),
                "another role than the file's");
    require(tokens_role("", 0) == ROLE_NONE, "a role of nobody");
    if (good) token_lines_reset();
}
