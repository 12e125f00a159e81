/* Runs a fuzz target without a fuzzer: over the files of a directory, over so many damaged copies of each, and over so
 * many inputs that are drawn, both from a fixed seed.
 *
 *     replay DIRECTORY [COUNT [COPIES]] */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/dice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { FILE_MAX = 1 << 16, PATH_ROOM = 4096, DRAWN_MAX = 160 };

/* What is running, should it end in an abort. */
static char running[PATH_ROOM];

static void on_abort(int number)
{
    static const char before[] = "aborted in ";
    if (write(STDERR_FILENO, before, sizeof before - 1) < 0 || write(STDERR_FILENO, running, strlen(running)) < 0 ||
        write(STDERR_FILENO, "\n", 1) < 0)
        _exit(EXIT_FAILURE);
    signal(number, SIG_DFL);
}

/* A piece of memory of its own, so that a sanitizer sees what is read beyond its end. */
static bool run_piece(const uint8_t *bytes, size_t length)
{
    uint8_t *piece = malloc(length > 0 ? length : 1);
    if (piece == NULL) return false;
    memcpy(piece, bytes, length);
    LLVMFuzzerTestOneInput(piece, length);
    free(piece);
    return true;
}

/* A few bytes are replaced, or taken out. Which does not depend on the order of the files. */
static bool run_damaged(const uint8_t *bytes, size_t length, long number)
{
    static uint8_t copy[FILE_MAX];
    struct dice dice = {.state = (1 + (uint64_t)number + length) * 0x9E3779B97F4A7C15u};
    memcpy(copy, bytes, length);
    for (size_t damages = 1 + dice_number(&dice, 3); damages > 0 && length > 1; damages--) {
        size_t at = dice_number(&dice, length - 1);
        if (dice_number(&dice, 2) == 0)
            copy[at] = (uint8_t)dice_number(&dice, 256);
        else
            memmove(copy + at, copy + at + 1, --length - at);
    }
    return run_piece(copy, length);
}

static bool run_file(const char *path, long copies)
{
    static uint8_t bytes[FILE_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    size_t length = fread(bytes, 1, sizeof bytes, file);
    bool complete = ferror(file) == 0 && fgetc(file) == EOF;
    fclose(file);
    bool good = complete && run_piece(bytes, length);
    for (long i = 0; good && i < copies; i++)
        good = run_damaged(bytes, length, i);
    if (!good) fprintf(stderr, "%s cannot be read\n", path);
    return good;
}

/* The number of files that were run; -1 where one could not be. */
static long run_directory(const char *directory, long copies)
{
    DIR *entries = opendir(directory);
    long count = 0;
    if (entries == NULL) {
        perror(directory);
        return -1;
    }
    for (struct dirent *entry; count >= 0 && (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        snprintf(running, sizeof running, "%s/%s", directory, entry->d_name);
        count = run_file(running, copies) ? count + 1 : -1;
    }
    closedir(entries);
    return count;
}

static void run_drawn(long count)
{
    uint8_t bytes[DRAWN_MAX];
    for (long i = 0; i < count; i++) {
        struct dice dice = {.state = 1 + (uint64_t)i * 0x9E3779B97F4A7C15u};
        snprintf(running, sizeof running, "the input drawn as number %ld", i);
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)dice_number(&dice, 256);
        LLVMFuzzerTestOneInput(bytes, sizeof bytes);
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: replay DIRECTORY [COUNT [COPIES]]\n");
        return 2;
    }
    signal(SIGABRT, on_abort);
    long drawn = argc > 2 ? strtol(argv[2], NULL, 10) : 0, copies = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    long files = run_directory(argv[1], copies);
    if (files > 0) run_drawn(drawn);
    printf("%ld of %s, %ld damaged copies of each, %ld drawn\n", files, argv[1], copies, drawn);
    return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
