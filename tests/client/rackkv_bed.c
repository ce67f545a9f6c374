#include "rackkv_bed.h"

#include "test_dir.h"
#include "test_main.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct bed bed;

char *bed_path(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", bed.dir, name);
    return path;
}

void bed_set_up(void)
{
    bed.dir = test_dir_create();
    bed.server = fake_server_start(NULL);
    setenv("RACKKV_URL", fake_server_url(bed.server), 1);
    setenv("HOME", bed.dir, 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* not for us */
    setenv("TERM", "xterm", 1);
    unsetenv("RACKKV_HISTORY");
    unsetenv("EDITRC");
}

static void forget_result(void)
{
    free(bed.result.out);
    free(bed.result.err);
    bed.result = (struct bed_result){ .code = -1 };
}

void bed_tear_down(void)
{
    forget_result();
    fake_server_stop(&bed.server);
    test_dir_remove(&bed.dir);
}

char *bed_read_whole(const char *path, size_t *size_out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    char *bytes;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    bytes = calloc(1, (size_t)status.st_size + 1);
    ck_assert_int_eq(read(fd, bytes, (size_t)status.st_size), status.st_size);
    close(fd);
    if (size_out != NULL)
        *size_out = (size_t)status.st_size;
    return bytes;
}

void bed_write_whole(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "we");

    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

void bed_become(char *const *argv, const char *in, const char *out, const char *err)
{
    if (dup2(open(in, O_RDONLY), 0) < 0 || dup2(open(out, O_CREAT | O_TRUNC | O_WRONLY, 0600), 1) < 0
        || dup2(open(err, O_CREAT | O_TRUNC | O_WRONLY, 0600), 2) < 0)
        _exit(126);
    execv(argv[0], argv);
    _exit(127);
}

void bed_run_program(const char *program, const void *input, size_t input_size, const char *const *arguments)
{
    char in[512], out[512], err[512], *argv[16] = { (char *)(uintptr_t)program };
    int status;
    pid_t pid;

    forget_result();
    for (size_t i = 0; arguments[i] != NULL; i++)
        argv[i + 1] = (char *)(uintptr_t)arguments[i];
    strcpy(in, bed_path("stdin"));
    strcpy(out, bed_path("stdout"));
    strcpy(err, bed_path("stderr"));
    bed_write_whole(in, input, input_size);
    pid = fork();
    if (pid == 0)
        bed_become(argv, in, out, err);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    bed.result.code = WEXITSTATUS(status);
    bed.result.out = bed_read_whole(out, &bed.result.out_size);
    bed.result.err = bed_read_whole(err, NULL);
}

void bed_run_with_input(const void *input, size_t size, const char *const *arguments)
{
    bed_run_program(PROGRAM, input, size, arguments);
}

void bed_check_result(int code, const char *out, const char *err)
{
    ck_assert_msg(bed.result.code == code, "exit code %d: %s", bed.result.code, bed.result.err);
    ck_assert_str_eq(bed.result.out, out);
    ck_assert_str_eq(bed.result.err, err);
}

const char *bed_body(size_t n, size_t *size_out)
{
    size_t size;
    const char *request = fake_server_request(bed.server, n, &size);
    const char *body = strstr(request, "\r\n\r\n") + 4;

    *size_out = size - (size_t)(body - request);
    return body;
}

void bed_check_request_line(size_t n, const char *expected)
{
    const char *request = fake_server_request(bed.server, n, NULL);
    char line[512];

    (void)snprintf(line, sizeof line, "%.*s", (int)strcspn(request, "\r"), request);
    ck_assert_str_eq(line, expected);
}

void bed_check_field(size_t n, const char *line)
{
    const char *request = fake_server_request(bed.server, n, NULL);
    char expected[256];
    const char *found;

    (void)snprintf(expected, sizeof expected, "\r\n%s\r\n", line);
    found = strstr(request, expected);
    ck_assert_msg(found != NULL, "no %s in %s", line, request);
    ck_assert_ptr_null(strstr(found + 2, expected));
}

int bed_reserve_port(char *url, size_t size)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t address_size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &address_size), 0);
    (void)snprintf(url, size, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}
