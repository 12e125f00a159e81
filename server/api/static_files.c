#include "server/api/static_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/limits.h"
#include "server/http/problem.h"

enum { PATH_MAX_HERE = 1024, DEPTH_MAX = 16 };

struct file {
    char *path; /* as in a URL: "/js/app.js" */
    char *data;
    size_t length;
    const char *type;
    char etag[40];
};

static struct file *files; /* sorted by path */
static size_t file_count;
static size_t bytes_held;

static const char *type_of(const char *path)
{
    static const struct {
        const char *suffix, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".webp", "image/webp"},
        {".ico", "image/vnd.microsoft.icon"},
        {".woff2", "font/woff2"},
        {".wasm", "application/wasm"},
        {".txt", "text/plain; charset=utf-8"},
        {".py", "text/x-python"},
        {".md", "text/markdown; charset=utf-8"},
        {".webmanifest", "application/manifest+json"},
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(dot, types[i].suffix) == 0) return types[i].type;
    }
    return "application/octet-stream";
}

/* FNV-1a, 64 bits: the tag has to change with the content, not to withstand an attacker, since the files are
 * our own. */
static uint64_t hash_of(const char *data, size_t length)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)data[i]) * UINT64_C(1099511628211);
    return hash;
}

/* Reads the whole of an open file; the caller frees. NULL on failure. */
static char *read_all(int descriptor, size_t length)
{
    char *data = malloc(length + 1);
    size_t have = 0;
    while (data != NULL && have < length) {
        ssize_t got = read(descriptor, data + have, length - have);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            free(data);
            return NULL;
        }
        have += (size_t)got;
    }
    return data;
}

static bool complain(const char *what)
{
    fprintf(stderr, "gradcheckd: static directory: %s\n", what);
    return false;
}

static bool add_file(int descriptor, size_t length, const char *path)
{
    if (file_count == LIMIT_STATIC_FILES) return complain("too many files");
    if (length > LIMIT_STATIC_BYTES - bytes_held) return complain("too many bytes");
    struct file *grown = realloc(files, (file_count + 1) * sizeof *files);
    if (grown == NULL) return complain("out of memory");
    files = grown;
    struct file file = {.path = strdup(path), .data = read_all(descriptor, length), .length = length};
    if (file.path == NULL || file.data == NULL) {
        free(file.path);
        free(file.data);
        return complain("a file cannot be read");
    }
    file.type = type_of(file.path);
    snprintf(file.etag, sizeof file.etag, "\"%016" PRIx64 "-%zx\"", hash_of(file.data, length), length);
    files[file_count++] = file;
    bytes_held += length;
    return true;
}

static bool load_directory(int descriptor, const char *path, unsigned depth);

/* One name of a directory: a file, a directory, or something that we leave alone. */
static bool load_entry(int directory, const char *name, const char *parent, unsigned depth)
{
    char path[PATH_MAX_HERE];
    if (name[0] == '.') return true;
    if (snprintf(path, sizeof path, "%s/%s", parent, name) >= (int)sizeof path) return complain("a path is too long");
    /* Without O_NONBLOCK a FIFO would be waited for; a symbolic link fails with ELOOP. */
    int descriptor = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) return errno == ELOOP || errno == ENXIO || complain("a file cannot be opened");
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        close(descriptor);
        return complain("a file cannot be read");
    }
    if (S_ISDIR(status.st_mode)) return load_directory(descriptor, path, depth + 1);
    bool good = !S_ISREG(status.st_mode) || add_file(descriptor, (size_t)status.st_size, path);
    close(descriptor);
    return good;
}

/* Takes the descriptor over. */
static bool load_directory(int descriptor, const char *path, unsigned depth)
{
    DIR *stream = depth <= DEPTH_MAX ? fdopendir(descriptor) : NULL;
    if (stream == NULL) {
        close(descriptor);
        return complain(depth <= DEPTH_MAX ? "a directory cannot be read" : "too many levels");
    }
    bool good = true;
    struct dirent *entry;
    while (good && (entry = readdir(stream)) != NULL)
        good = load_entry(dirfd(stream), entry->d_name, path, depth);
    closedir(stream);
    return good;
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

bool static_files_load(const char *directory)
{
    int descriptor = open(directory, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (descriptor < 0) return errno == ENOENT || errno == ENOTDIR || complain("it cannot be read");
    if (!load_directory(descriptor, "", 0)) {
        static_files_free();
        return false;
    }
    if (file_count > 0) qsort(files, file_count, sizeof *files, compare_files);
    return true;
}

void static_files_free(void)
{
    for (size_t i = 0; i < file_count; i++) {
        free(files[i].path);
        free(files[i].data);
    }
    free(files);
    files = NULL;
    file_count = bytes_held = 0;
}

static const struct file *find_exactly(const char *path)
{
    struct file key = {.path = (char *)path};
    return file_count > 0 ? bsearch(&key, files, file_count, sizeof *files, compare_files) : NULL;
}

static const struct file *find_with(const char *path, const char *suffix)
{
    char whole[PATH_MAX_HERE];
    if (snprintf(whole, sizeof whole, "%s%s", path, suffix) >= (int)sizeof whole) return NULL;
    return find_exactly(whole);
}

/* The file of a path: a page's ".html" may be left out, and that of a directory is the index.html in it. */
static const struct file *find(const char *path)
{
    const struct file *file = find_exactly(path);
    const char *slash = strrchr(path, '/');
    if (file != NULL || slash == NULL) return file;
    return find_with(path, slash[1] == '\0' ? "index.html" : ".html");
}

/* Whether it is a directory with a page, but for the slash at the end, which links in that page count on. A target may
 * be a query alone, with no path at all, which is no directory. */
static bool lacks_slash(const char *path)
{
    return path[0] == '/' && find_with(path, "/index.html") != NULL;
}

bool static_files_has(const char *path)
{
    return find(path) != NULL || lacks_slash(path);
}

/* If-None-Match is a list of tags, W/"..." or "...", or a star. */
static bool tag_listed(const char *list, const char *etag)
{
    size_t length = strlen(etag);
    while (*list != '\0') {
        list += strspn(list, " \t,");
        if (*list == '*') return true;
        if (strncmp(list, "W/", 2) == 0) list += 2;
        if (strncmp(list, etag, length) == 0) return true;
        list += strcspn(list, ",");
    }
    return false;
}

/* To the same path with a slash, which its last part alone says. */
static int send_to_directory(struct exchange *exchange, struct error *error)
{
    struct text location;
    text_init(&location, &exchange->arena);
    text_add(&location, ".");
    text_add(&location, strrchr(exchange->path, '/'));
    text_bytes(&location, "/", sizeof "/");
    text_init(&exchange->answer, &exchange->arena);
    if (location.failed) return error_out_of_memory(error);
    exchange_answer_header(exchange, "Location", location.data);
    exchange->status = 308;
    return CODE_OK;
}

/* The Python client is saved under the name that it is imported by. */
static const char client_path[] = "/client.py", client_saved_as[] = "inline; filename=\"gradcheckd.py\"";

int api_static_files(struct exchange *exchange, struct error *error)
{
    const struct file *file = find(exchange->path);
    if (file == NULL && lacks_slash(exchange->path)) return send_to_directory(exchange, error);
    if (file == NULL) return error_set(error, CODE_NOT_FOUND, "There is nothing here.");
    const char *known = exchange_header(exchange, "If-None-Match");
    exchange_answer_header(exchange, "ETag", file->etag);
    exchange_answer_header(exchange, "Cache-Control", "no-cache");
    if (strcmp(file->path, client_path) == 0) exchange_answer_header(exchange, "Content-Disposition", client_saved_as);
    exchange_answer_header(exchange, "Content-Security-Policy",
                           "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
                           "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    exchange_answer_header(exchange, "Referrer-Policy", "no-referrer");
    exchange_answer_header(exchange, "Cross-Origin-Opener-Policy", "same-origin");
    exchange_answer_header(exchange, "Cross-Origin-Resource-Policy", "same-origin");
    exchange_answer_header(exchange, "Permissions-Policy", "camera=(), geolocation=(), microphone=()");
    text_init(&exchange->answer, &exchange->arena);
    if (known != NULL && tag_listed(known, file->etag)) {
        exchange->status = 304;
        return CODE_OK;
    }
    exchange->status = 200;
    exchange->content_type = file->type;
    exchange->answer.data = file->data;
    exchange->answer.length = file->length;
    return CODE_OK;
}
