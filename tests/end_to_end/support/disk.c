/* A disk in trouble, for the program that this library is preloaded into.
 *
 * Below the folders that BAD_DISK names (absolute, with a colon between two),
 * whatever would write gets the answer of a kernel whose disk is full or, when
 * BAD_DISK_IS says "read-only", of one that is mounted so. No mount is needed,
 * and no privilege: it works in a chroot, in a container and for any user.
 * disk.rs compiles it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_on_it(const char *path) {
    const char *folder = getenv("BAD_DISK");
    while (folder != NULL && *folder != '\0') {
        size_t length = strcspn(folder, ":");
        if (strncmp(path, folder, length) == 0 &&
            (path[length] == '/' || path[length] == '\0'))
            return 1;
        folder += length + (folder[length] == ':');
    }
    return 0;
}

static int is_read_only(void) {
    const char *trouble = getenv("BAD_DISK_IS");
    return trouble != NULL && strcmp(trouble, "read-only") == 0;
}

static int refuses_change(const char *path) {
    if (!is_read_only() || !is_on_it(path))
        return 0;
    errno = EROFS;
    return 1;
}

static int refuses_open(const char *path, int flags) {
    int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
    if (!writes && (!(flags & O_CREAT) || access(path, F_OK) == 0))
        return 0;
    return refuses_change(path);
}

/* The open files that are on it; not looked up in /proc, which a bare chroot
 * lacks. */
static char open_on_it[4096];

static int noted(int file, const char *path) {
    if (file >= 0 && file < (int)sizeof open_on_it)
        open_on_it[file] = is_on_it(path);
    return file;
}

static int refuses_data(int file) {
    if (file < 0 || file >= (int)sizeof open_on_it || !open_on_it[file])
        return 0;
    errno = is_read_only() ? EROFS : ENOSPC;
    return 1;
}

#define OPEN(name)                                                             \
    int name(const char *path, int flags, ...) {                               \
        va_list rest;                                                          \
        va_start(rest, flags);                                                 \
        mode_t mode = va_arg(rest, mode_t);                                    \
        va_end(rest);                                                          \
        return refuses_open(path, flags)                                       \
                   ? -1                                                        \
                   : noted(REAL(name)(path, flags, mode), path);               \
    }

#define OPENAT(name)                                                           \
    int name(int folder, const char *path, int flags, ...) {                   \
        va_list rest;                                                          \
        va_start(rest, flags);                                                 \
        mode_t mode = va_arg(rest, mode_t);                                    \
        va_end(rest);                                                          \
        return refuses_open(path, flags)                                       \
                   ? -1                                                        \
                   : noted(REAL(name)(folder, path, flags, mode), path);       \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int close(int file) {
    noted(file, "");
    return REAL(close)(file);
}

int mkdir(const char *path, mode_t mode) {
    return refuses_change(path) ? -1 : REAL(mkdir)(path, mode);
}

int unlink(const char *path) {
    return refuses_change(path) ? -1 : REAL(unlink)(path);
}

int rename(const char *from, const char *to) {
    return refuses_change(to) ? -1 : REAL(rename)(from, to);
}

ssize_t write(int file, const void *bytes, size_t count) {
    return refuses_data(file) ? -1 : REAL(write)(file, bytes, count);
}

ssize_t writev(int file, const struct iovec *pieces, int count) {
    return refuses_data(file) ? -1 : REAL(writev)(file, pieces, count);
}
