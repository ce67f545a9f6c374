/* What the tests of the program rackkv share: a folder, a server of canned answers, a way to run the program. */
#ifndef RK_TEST_RACKKV_BED_H
#define RK_TEST_RACKKV_BED_H

#include "fake_server.h"

#include <stddef.h>

#define PROGRAM TOP_BUILDDIR "/rackkv"
#define SEQ     "RackKV-Seq: 7\r\n" /* by which a RackKV server is known */
#define PROBLEM "Content-Type: application/problem+json\r\n"

struct bed_result {
    int code;
    char *out;
    size_t out_size;
    char *err;
};

extern struct bed {
    char *dir;
    struct fake_server *server; /* RACKKV_URL */
    struct bed_result result;   /* of the last run */
} bed;

/* The fixture of each test. */
void bed_set_up(void);
void bed_tear_down(void);

/* A path in the folder; valid until the next call. */
char *bed_path(const char *name);
char *bed_read_whole(const char *path, size_t *size_out);
void bed_write_whole(const char *path, const void *bytes, size_t size);

/* In a child: becomes the program with these files as its streams. */
void bed_become(char *const *argv, const char *in, const char *out, const char *err);

/* Runs a program with these bytes as its input, to its end; files are its streams, so no pipe can fill. */
void bed_run_program(const char *program, const void *input, size_t input_size, const char *const *arguments);
void bed_run_with_input(const void *input, size_t size, const char *const *arguments);

#define RUN(...) bed_run_with_input("", 0, (const char *const[]){ __VA_ARGS__, NULL })

void bed_check_result(int code, const char *out, const char *err);

/* The body of a recorded request, and its first line. */
const char *bed_body(size_t n, size_t *size_out);
void bed_check_request_line(size_t n, const char *expected);

/* A recorded request has this line in its head, and only once. */
void bed_check_field(size_t n, const char *line);

/* A port at which nobody listens: bound, so that nobody else gets it. */
int bed_reserve_port(char *url, size_t size);

#endif
