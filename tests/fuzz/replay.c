/* Runs a fuzz target without a fuzzer: over the files of a directory, and over so many inputs drawn from a fixed seed.
 *
 *     replay DIRECTORY [COUNT] */
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

static bool run_file(const char *path)
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
    /* A piece of its own, so that a sanitizer sees what is read beyond its end. */
    uint8_t *piece = malloc(length > 0 ? length : 1);
    if (!complete || piece == NULL) {
        fprintf(stderr, "%s cannot be read\n", path);
        free(piece);
        return false;
    }
    memcpy(piece, bytes, length);
    LLVMFuzzerTestOneInput(piece, length);
    free(piece);
    return true;
}

/* The number of files that were run; -1 where one could not be. */
static long run_directory(const char *directory)
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
        count = run_file(running) ? count + 1 : -1;
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
        fprintf(stderr, "usage: replay DIRECTORY [COUNT]\n");
        return 2;
    }
    signal(SIGABRT, on_abort);
    long drawn = argc > 2 ? strtol(argv[2], NULL, 10) : 0, files = run_directory(argv[1]);
    if (files > 0) run_drawn(drawn);
    printf("%ld of %s, %ld drawn\n", files, argv[1], drawn);
    return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
