/* Preloaded into a server, refuses calls of the system that work on files under the directory REFUSALS_PLACE, or start
   threads, or are those of connections, as the file says that REFUSALS_CONTROL names; see refusals.py. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* In the order of KINDS and NETWORK in refusals.py. */
enum { OPEN, CREATE, READ, WRITE, SYNC, TRUNCATE, RENAME, UNLINK, MAKE, LIST, MAP, LOCK, LOOK, CLOSE, THREAD,
       SOCKET, ACCEPT, CONNECT, RECEIVE, SEND, SHUT, ASK, SET };

struct control {
    volatile uint32_t nth;      /* the call to refuse, counted from 1 among those of the chosen kinds; 0 for none */
    volatile uint32_t for_ever; /* whether all later ones are refused, too */
    volatile uint32_t seen, refused;
    volatile int32_t errors[24]; /* what each kind of call is refused with; 0 for a kind that is not chosen */
};

static struct control *control;
static const char *place = "";
static char is_watched[1 << 16]; /* by descriptor: whether it is of a file under the place */
static char is_socket[1 << 16];  /* by descriptor: whether it is a connection, or is to become one */

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("REFUSALS_CONTROL"), *given = getenv("REFUSALS_PLACE");
    int handle = path && given ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *shared = handle < 0 ? MAP_FAILED : mmap(0, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    if (shared == MAP_FAILED) return;
    place = given;
    control = shared;
}

static int under(const char *path) { return control && path && !strncmp(path, place, strlen(place)); }

static int held(int handle) { return is_watched[(uint16_t)handle]; }

static int watch(int handle, int is_ours) {
    is_watched[(uint16_t)handle] = is_ours && handle >= 0;
    return handle;
}

static int talks(int handle) { return is_socket[(uint16_t)handle]; }

static int note_socket(int handle) {
    if (handle >= 0) is_socket[(uint16_t)handle] = 1;
    return handle;
}

static int refuse(int kind) {
    uint32_t nth = control ? control->nth : 0;
    if (!nth || !control->errors[kind]) return 0;
    uint32_t seen = __atomic_add_fetch(&control->seen, 1, __ATOMIC_SEQ_CST);
    if (seen < nth || (seen > nth && !control->for_ever)) return 0;
    __atomic_add_fetch(&control->refused, 1, __ATOMIC_SEQ_CST);
    errno = control->errors[kind];
    return 1;
}

#define REAL(name)             \
    static typeof(name) *real; \
    if (!real) real = dlsym(RTLD_NEXT, #name)

#define CALL(type, name, parameters, arguments, counts, kind, failed) \
    type name parameters {                                            \
        REAL(name);                                                   \
        return (counts) && refuse(kind) ? (failed) : real arguments;  \
    }

#define OPENING(name, parameters, arguments)                                     \
    int name parameters {                                                        \
        REAL(name);                                                              \
        va_list rest;                                                            \
        va_start(rest, flags);                                                   \
        mode_t mode = va_arg(rest, mode_t); /* anything, where none is given */  \
        va_end(rest);                                                            \
        int is_ours = under(path), kind = flags & O_CREAT ? CREATE : OPEN;       \
        return is_ours && refuse(kind) ? -1 : watch(real arguments, is_ours);    \
    }

OPENING(open, (const char *path, int flags, ...), (path, flags, mode))
OPENING(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENING(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode))
OPENING(openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode))

#define LOCKING(name)                                                                          \
    int name(int handle, int command, ...) {                                                   \
        REAL(name);                                                                            \
        va_list rest;                                                                          \
        va_start(rest, command);                                                               \
        void *argument = va_arg(rest, void *);                                                 \
        va_end(rest);                                                                          \
        int counts = held(handle) && (command == F_SETLK || command == F_SETLKW);              \
        return counts && refuse(LOCK) ? -1 : real(handle, command, argument);                  \
    }

LOCKING(fcntl)
LOCKING(fcntl64)

int close(int handle) {
    REAL(close);
    int is_refused = held(handle) && refuse(CLOSE), error = errno;
    watch(handle, 0);
    is_socket[(uint16_t)handle] = 0;
    int result = real(handle); /* closed it is, also where that fails */
    if (!is_refused) return result;
    errno = error;
    return -1;
}

/* The variant for large files is the same call on systems of 64 bits. */
#define BOTH(type, name, ...) CALL(type, name, __VA_ARGS__) CALL(type, name##64, __VA_ARGS__)

CALL(ssize_t, read, (int h, void *to, size_t n), (h, to, n), held(h) || talks(h), talks(h) ? RECEIVE : READ, -1)
BOTH(ssize_t, pread, (int h, void *to, size_t n, off_t at), (h, to, n, at), held(h), READ, -1)
CALL(ssize_t, write, (int h, const void *from, size_t n), (h, from, n), held(h) || talks(h), talks(h) ? SEND : WRITE, -1)
BOTH(ssize_t, pwrite, (int h, const void *from, size_t n, off_t at), (h, from, n, at), held(h), WRITE, -1)
CALL(int, fsync, (int h), (h), held(h), SYNC, -1)
CALL(int, fdatasync, (int h), (h), held(h), SYNC, -1)
BOTH(int, ftruncate, (int h, off_t size), (h, size), held(h), TRUNCATE, -1)
CALL(int, rename, (const char *from, const char *to), (from, to), under(from), RENAME, -1)
CALL(int, unlink, (const char *path), (path), under(path), UNLINK, -1)
CALL(int, unlinkat, (int at, const char *path, int flags), (at, path, flags), under(path) || held(at), UNLINK, -1)
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode), under(path), MAKE, -1)
CALL(DIR *, opendir, (const char *path), (path), under(path), LIST, NULL)
BOTH(void *, mmap, (void *a, size_t n, int p, int f, int h, off_t o), (a, n, p, f, h, o), held(h), MAP, MAP_FAILED)
BOTH(int, stat, (const char *path, void *to), (path, to), under(path), LOOK, -1)
BOTH(int, lstat, (const char *path, void *to), (path, to), under(path), LOOK, -1)
BOTH(int, fstat, (int h, void *to), (h, to), held(h), LOOK, -1)
CALL(int, access, (const char *path, int mode), (path, mode), under(path), LOOK, -1)
CALL(int, pthread_create, (pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *x), (t, a, f, x), 1, THREAD,
     errno)

#define MAKING(name, parameters, arguments, kind)                \
    int name parameters {                                        \
        REAL(name);                                              \
        return refuse(kind) ? -1 : note_socket(real arguments);  \
    }

MAKING(socket, (int family, int type, int protocol), (family, type, protocol), SOCKET)
MAKING(accept, (int h, struct sockaddr *a, socklen_t *n), (h, a, n), ACCEPT)
MAKING(accept4, (int h, struct sockaddr *a, socklen_t *n, int flags), (h, a, n, flags), ACCEPT)
CALL(int, connect, (int h, const struct sockaddr *a, socklen_t n), (h, a, n), 1, CONNECT, -1)
CALL(ssize_t, recv, (int h, void *to, size_t n, int flags), (h, to, n, flags), talks(h), RECEIVE, -1)
CALL(ssize_t, send, (int h, const void *from, size_t n, int flags), (h, from, n, flags), talks(h), SEND, -1)
CALL(ssize_t, sendmsg, (int h, const struct msghdr *m, int flags), (h, m, flags), talks(h), SEND, -1)
CALL(ssize_t, writev, (int h, const struct iovec *v, int n), (h, v, n), talks(h), SEND, -1)
CALL(int, shutdown, (int h, int how), (h, how), talks(h), SHUT, -1)
CALL(int, getsockname, (int h, struct sockaddr *a, socklen_t *n), (h, a, n), talks(h), ASK, -1)
CALL(int, getpeername, (int h, struct sockaddr *a, socklen_t *n), (h, a, n), talks(h), ASK, -1)
CALL(int, getsockopt, (int h, int l, int o, void *v, socklen_t *n), (h, l, o, v, n), talks(h), ASK, -1)
CALL(int, setsockopt, (int h, int l, int o, const void *v, socklen_t n), (h, l, o, v, n), talks(h), SET, -1)
