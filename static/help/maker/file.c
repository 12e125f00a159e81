#include "static/help/maker/file.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *file_read(const char *path)
{
    enum { STEP = 1 << 16 };
    char *text = NULL;
    size_t length = 0, got = 0;
    FILE *file = fopen(path, "re");
    do {
        char *grown = file != NULL ? realloc(text, length + STEP + 1) : NULL;
        if (grown == NULL) break;
        text = grown;
        got = fread(text + length, 1, STEP, file);
        length += got;
        text[length] = '\0';
    } while (got > 0);
    bool whole = file != NULL && text != NULL && ferror(file) == 0 && feof(file) != 0;
    if (file != NULL) fclose(file);
    if (whole) return text;
    fprintf(stderr, "%s: cannot be read\n", path);
    free(text);
    return NULL;
}
