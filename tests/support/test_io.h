/* A table of file operations that fails where a test says: each call is counted, and the n-th one of the chosen kinds
 * fails. Not for several threads that fail at once. */
#ifndef RK_TEST_IO_H
#define RK_TEST_IO_H

#include <stdbool.h>
#include <stddef.h>

enum test_io_call {
    TEST_IO_OPEN = 1,
    TEST_IO_PREAD = 2,
    TEST_IO_PWRITEV = 4,
    TEST_IO_FDATASYNC = 8,
    TEST_IO_FSYNC = 16,
    TEST_IO_FTRUNCATE = 32,
    TEST_IO_FALLOCATE = 64,
    TEST_IO_FSTAT = 128,
    TEST_IO_RENAME = 256,
    TEST_IO_UNLINK = 512,
    TEST_IO_MKDIR = 1024,
    TEST_IO_GETDENTS = 2048,
    TEST_IO_FLOCK = 4096,
};
#define TEST_IO_CHANGES \
    (TEST_IO_PWRITEV | TEST_IO_FDATASYNC | TEST_IO_FSYNC | TEST_IO_FTRUNCATE | TEST_IO_FALLOCATE | TEST_IO_RENAME)
#define TEST_IO_ALL 8191

struct test_io_fault {
    unsigned calls; /* enum test_io_call, or'ed */
    unsigned nth;   /* 1: the next one; 0: none */
    bool forever;   /* and all after it */
    int errnum;
    size_t short_bytes; /* a pwritev that fails writes so much before; the failure comes with the call that goes on */
};

/* Puts the table in use, with all counts at 0. */
void test_io_install(const struct test_io_fault *fault);

/* The kernel's table again. */
void test_io_remove(void);

/* How many calls of the fault's kinds there were. */
unsigned test_io_n_calls(void);

#endif
