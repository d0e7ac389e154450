/* libcuda.so.1 of the emulated GPU: it hands out the driver functions that Python registered, and runs kernels. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NO_DEVICE = 100, NOT_FOUND = 500, MOST_FUNCTIONS = 1024, OUT_OF_BOUNDS = -5 };

/* --- functions by name */

/* Callers keep what they are given until after the interpreter's end. So they are given slots: each jumps to its
   function, and returns 0 once it is over. */
__attribute__((visibility("hidden"))) char emulated_over;
__attribute__((visibility("hidden"))) void *emulated_targets[MOST_FUNCTIONS];
extern char emulated_slots[];
__asm__(".text\n.balign 32\nemulated_slots:\n.set k, 0\n.rept 1024\n"
        "cmpb $0, emulated_over(%rip)\njne emulated_nothing\njmp *emulated_targets+8*k(%rip)\n"
        ".balign 32\n.set k, k + 1\n.endr\n"
        "emulated_nothing:\nxorl %eax, %eax\nret\n");

static const char *names[MOST_FUNCTIONS];
static int count;
static void *(*make_missing)(const char *);

void emulated_register(const char *name, void *function) {
    if (count == MOST_FUNCTIONS) abort();
    names[count] = strdup(name);
    emulated_targets[count++] = function;
}

/* `make` registers a function for a name that has none */
void emulated_register_missing(void *(*make)(const char *)) { make_missing = make; }

void emulated_finish(void) { emulated_over = 1; }

void *emulated_find(const char *name) {
    for (int k = 0; k < count; ++k)
        if (!strcmp(names[k], name)) return emulated_slots + 32 * k;
    return 0;
}

/* --- what is looked up by dlsym */

int cuInit(unsigned flags) {
    int (*function)(unsigned) = emulated_find("cuInit");
    return function ? function(flags) : NO_DEVICE;
}

int cuDriverGetVersion(int *version) {
    *version = 13000;
    return SUCCESS;
}

int cuGetExportTable(const void **table, const void *id) {
    *table = 0;
    return NOT_FOUND;
}

int cuGetProcAddress_v2(const char *name, void **function, int version, unsigned long long flags, int *status) {
    if (!strcmp(name, "cuGetProcAddress") || !strcmp(name, "cuGetProcAddress_v2"))
        *function = (void *)cuGetProcAddress_v2;
    else if (!strcmp(name, "cuInit"))
        *function = (void *)cuInit;
    else if (!strcmp(name, "cuDriverGetVersion"))
        *function = (void *)cuDriverGetVersion;
    else {
        *function = *name ? emulated_find(name) : 0;
        if (!*function && *name && make_missing && !emulated_over) *function = make_missing(name);
    }
    if (status) *status = *function ? 0 : 1;
    return *function ? SUCCESS : NOT_FOUND;
}

int cuGetProcAddress(const char *name, void **function, int version, unsigned long long flags) {
    return cuGetProcAddress_v2(name, function, version, flags, 0);
}

/* CuPy's exceptions ask for these. */
static const char *error_names[1024];

void emulated_register_error(int status, const char *name) { error_names[status] = strdup(name); }

int cuGetErrorName(int status, const char **text) {
    *text = status >= 0 && status < 1024 && error_names[status] ? error_names[status] : "CUDA_ERROR_UNKNOWN";
    return SUCCESS;
}

int cuGetErrorString(int status, const char **text) { return cuGetErrorName(status, text); }

/* --- kernels: an access outside of all memory ends the kernel, not the process */

typedef int kernel(void *parameters, unsigned nx, unsigned ny, unsigned nz, unsigned bx, unsigned by, unsigned bz,
                   void *shared, unsigned long long shared_bytes, void *states);

static pthread_mutex_t handlers = PTHREAD_MUTEX_INITIALIZER;
static int running;
static struct sigaction before[2];
static const int signals[2] = {SIGSEGV, SIGBUS};
static __thread sigjmp_buf *inside;

static void on_fault(int signal, siginfo_t *info, void *context) {
    if (inside) siglongjmp(*inside, 1);
    /* not a kernel's: to whoever was to handle it, when the instruction faults again */
    sigaction(signal, &before[signal == SIGBUS], 0);
}

static void handle_faults(int change) {
    pthread_mutex_lock(&handlers);
    running += change;
    for (int k = 0; k < 2; ++k) {
        struct sigaction ours = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
        if (change == 1 && running == 1) sigaction(signals[k], &ours, &before[k]);
        if (change == -1 && running == 0) sigaction(signals[k], &before[k], 0);
    }
    pthread_mutex_unlock(&handlers);
}

int emulated_run(kernel *run, void *parameters, unsigned nx, unsigned ny, unsigned nz, unsigned bx, unsigned by,
                 unsigned bz, void *shared, unsigned long long shared_bytes, void *states) {
    sigjmp_buf place;
    int code = OUT_OF_BOUNDS;
    handle_faults(1);
    inside = &place;
    if (!sigsetjmp(place, 0)) code = run(parameters, nx, ny, nz, bx, by, bz, shared, shared_bytes, states);
    inside = 0;
    handle_faults(-1);
    return code;
}
