/* The program rackkv as a person or a script meets it, against a server of canned answers. */
#include "base/base_time.h"
#include "fake_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM     TOP_BUILDDIR "/rackkv"
#define DEADLINE_NS (20 * RK_NS_PER_S)

struct result {
    int code;
    char *out;
    size_t out_size;
    char *err;
};

static char *dir;
static struct fake_server *server;
static struct result result;

static char *path_of(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void set_up(void)
{
    dir = test_dir_create();
    server = fake_server_start(NULL);
    setenv("RACKKV_URL", fake_server_url(server), 1);
    setenv("HOME", dir, 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* not for us */
    setenv("TERM", "xterm", 1);
    unsetenv("RACKKV_HISTORY");
    unsetenv("EDITRC");
}

static void forget_result(void)
{
    free(result.out);
    free(result.err);
    result = (struct result){ .code = -1 };
}

static void tear_down(void)
{
    forget_result();
    fake_server_stop(&server);
    test_dir_remove(&dir);
}

static char *read_whole(const char *path, size_t *size_out)
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

static void write_whole(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "we");

    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static void become(char *const *argv, const char *in, const char *out, const char *err)
{
    if (dup2(open(in, O_RDONLY), 0) < 0 || dup2(open(out, O_CREAT | O_TRUNC | O_WRONLY, 0600), 1) < 0
        || dup2(open(err, O_CREAT | O_TRUNC | O_WRONLY, 0600), 2) < 0)
        _exit(126);
    execv(argv[0], argv);
    _exit(127);
}

/* Runs a program with these bytes as its input, to its end; files are its streams, so no pipe can fill. */
static void run_program(const char *program, const void *input, size_t input_size, const char *const *arguments)
{
    char in[512], out[512], err[512], *argv[16] = { (char *)(uintptr_t)program };
    int status;
    pid_t pid;

    forget_result();
    for (size_t i = 0; arguments[i] != NULL; i++)
        argv[i + 1] = (char *)(uintptr_t)arguments[i];
    strcpy(in, path_of("stdin"));
    strcpy(out, path_of("stdout"));
    strcpy(err, path_of("stderr"));
    write_whole(in, input, input_size);
    pid = fork();
    if (pid == 0)
        become(argv, in, out, err);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    result.code = WEXITSTATUS(status);
    result.out = read_whole(out, &result.out_size);
    result.err = read_whole(err, NULL);
}

static void run_with_input(const void *input, size_t size, const char *const *arguments)
{
    run_program(PROGRAM, input, size, arguments);
}

#define RUN(...) run_with_input("", 0, (const char *const[]){ __VA_ARGS__, NULL })

static void check_result(int code, const char *out, const char *err)
{
    ck_assert_msg(result.code == code, "exit code %d: %s", result.code, result.err);
    ck_assert_str_eq(result.out, out);
    ck_assert_str_eq(result.err, err);
}

/* The body of a recorded request, and its first line. */
static const char *body_of(size_t n, size_t *size_out)
{
    size_t size;
    const char *request = fake_server_request(server, n, &size);
    const char *body = strstr(request, "\r\n\r\n") + 4;

    *size_out = size - (size_t)(body - request);
    return body;
}

static void check_request_line(size_t n, const char *expected)
{
    const char *request = fake_server_request(server, n, NULL);
    char line[512];

    (void)snprintf(line, sizeof line, "%.*s", (int)strcspn(request, "\r"), request);
    ck_assert_str_eq(line, expected);
}

START_TEST(put_sends_the_value_as_it_is)
{
    size_t size;

    fake_server_answer_text(server, "201 Created", "ETag: \"7\"\r\nRackKV-Seq: 7\r\n", "");
    RUN("put", "a/b c", "some value");
    check_result(0, "", "");
    check_request_line(0, "PUT /v1/kv/a%2Fb%20c HTTP/1.1");
    ck_assert_mem_eq(body_of(0, &size), "some value", 10);
    ck_assert_uint_eq(size, 10);
    ck_assert_ptr_null(strcasestr(fake_server_request(server, 0, NULL), "Content-Type:"));
    ck_assert_ptr_nonnull(strcasestr(fake_server_request(server, 0, NULL), "\r\nContent-Length: 10\r\n"));
}
END_TEST

START_TEST(odd_values_are_values)
{
    static const char *const values[] = { "", "-x", "--json", " ", "caf\xc3\xa9", "\xff" };
    size_t size;

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        fake_server_answer_text(server, "204 No Content", "", "");
        RUN("put", "k", values[i]);
        check_result(0, "", "");
        ck_assert_str_eq(body_of(i, &size), values[i]);
        ck_assert_uint_eq(size, strlen(values[i]));
    }
}
END_TEST

/* 3 MB of every byte value: more than one read, and past the size from which libcurl asks before it sends. */
START_TEST(values_are_binary_from_input_and_file)
{
    size_t size = 3000017, sent_size;
    unsigned char *value = malloc(size);
    char operand[600] = "@";

    for (size_t i = 0; i < size; i++)
        value[i] = (unsigned char)(i * 31 + i / 256);
    fake_server_answer_text(server, "204 No Content", "", "");
    run_with_input(value, size, (const char *const[]){ "put", "k", "-", NULL });
    check_result(0, "", "");
    ck_assert_mem_eq(body_of(0, &sent_size), value, size);
    ck_assert_uint_eq(sent_size, size);

    strcat(operand, path_of("value"));
    write_whole(operand + 1, value, size);
    fake_server_answer_text(server, "204 No Content", "", "");
    RUN("put", "k", operand);
    check_result(0, "", "");
    ck_assert_mem_eq(body_of(1, &sent_size), value, size);
    ck_assert_uint_eq(sent_size, size);
    free(value);
}
END_TEST

START_TEST(put_of_a_missing_file)
{
    char operand[600], expected[700];

    RUN("put", "k", "@/nonexistent/file");
    check_result(1, "", "rackkv: /nonexistent/file: No such file or directory\n");
    RUN("put", "k", "@/");
    check_result(1, "", "rackkv: /: is a folder, not a file\n");
    ck_assert_int_eq(mkfifo(path_of("fifo"), 0600), 0);
    (void)snprintf(operand, sizeof operand, "@%s", path_of("fifo"));
    (void)snprintf(expected, sizeof expected, "rackkv: %s: is a FIFO, not a file\n", operand + 1);
    RUN("put", "k", operand); /* waits for nobody */
    check_result(1, "", expected);
    ck_assert_uint_eq(fake_server_n_requests(server), 0);
}
END_TEST

START_TEST(get_writes_the_bytes_and_nothing_else)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 256\r\n\r\n";
    char answer[sizeof head + 256];

    memcpy(answer, head, sizeof head - 1);
    for (size_t i = 0; i < 256; i++)
        answer[sizeof head - 1 + i] = (char)i;
    fake_server_answer(server, answer, sizeof head - 1 + 256);
    RUN("get", "..");
    ck_assert_int_eq(result.code, 0);
    ck_assert_uint_eq(result.out_size, 256);
    ck_assert_mem_eq(result.out, answer + sizeof head - 1, 256);
    check_request_line(0, "GET /v1/kv/.. HTTP/1.1");

    fake_server_answer_text(server, "200 OK", "", "");
    RUN("get", ".");
    check_result(0, "", "");
    check_request_line(1, "GET /v1/kv/. HTTP/1.1");
}
END_TEST

START_TEST(absent_is_exit_code_1)
{
    for (int i = 0; i < 3; i++)
        fake_server_answer_text(server, "404 Not Found", "Content-Type: application/problem+json\r\n",
                                i < 2 ? "{\"code\":\"not_found\",\"detail\":\"no such key\"}" : "");
    RUN("get", "k");
    check_result(1, "", "rackkv: not found\n");
    RUN("delete", "k");
    check_result(1, "", "rackkv: not found\n");
    check_request_line(1, "DELETE /v1/kv/k HTTP/1.1");
    RUN("exists", "k");
    check_result(1, "", "");
    check_request_line(2, "HEAD /v1/kv/k HTTP/1.1");
}
END_TEST

START_TEST(present_is_exit_code_0)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n";

    fake_server_answer(server, head, sizeof head - 1); /* to HEAD: the length of what GET would give */
    RUN("exists", "k");
    check_result(0, "", "");
    fake_server_answer_text(server, "204 No Content", "", "");
    RUN("delete", "k");
    check_result(0, "", "");
}
END_TEST

START_TEST(refusals_are_in_the_words_of_the_server)
{
    fake_server_answer_text(server, "413 Content Too Large", "Content-Type: application/problem+json\r\n",
                            "{\"code\":\"value_too_large\",\"detail\":\"at most 10 bytes (limits.max_value)\"}");
    RUN("put", "k", "v");
    check_result(1, "", "rackkv: the server answered 413 value_too_large: at most 10 bytes (limits.max_value)\n");
    fake_server_answer_text(server, "503 Service Unavailable", "Content-Type: text/plain\r\n", "later\nmore");
    RUN("get", "k");
    check_result(1, "", "rackkv: the server answered 503: later\n");
    fake_server_answer_text(server, "507 Insufficient Storage", "", "<html>");
    RUN("delete", "k");
    check_result(1, "", "rackkv: the server answered 507\n");
    fake_server_answer_text(server, "301 Moved", "Location: http://127.0.0.1:1/\r\n", "");
    RUN("get", "k");
    check_result(1, "", "rackkv: the server answered 301\n");
}
END_TEST

/* Answers what it can, then the connection ends. */
START_TEST(an_answer_that_ends_early_is_a_failure)
{
    static const char cut[] = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\nhalf";

    fake_server_answer(server, cut, sizeof cut - 1);
    RUN("get", "k");
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "ended early"));
    fake_server_answer(server, "", 0);
    RUN("put", "k", "v");
    ck_assert_int_eq(result.code, 4);
    ck_assert_ptr_nonnull(strstr(result.err, "gave no answer"));
    ck_assert_ptr_nonnull(strstr(result.err, "the write may have happened"));
}
END_TEST

/* A port at which nobody listens: bound, so that nobody else gets it. */
static int reserve_port(char *url, size_t size)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t address_size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &address_size), 0);
    (void)snprintf(url, size, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

START_TEST(unreachable_is_exit_code_4_with_a_hint)
{
    char url[128], expected[256];
    int fd = reserve_port(url, sizeof url);

    (void)snprintf(
        expected, sizeof expected,
        "rackkv: %s can't be reached: Connection refused; is the server running? start it with: rackkv open\n", url);
    RUN("--url", url, "get", "k");
    check_result(4, "", expected);
    setenv("RACKKV_URL", url, 1);
    RUN("put", "k", "v");
    check_result(4, "", expected);
    RUN("exists", "k");
    check_result(4, "", expected);
    RUN("delete", "--url", "unix:/nonexistent/socket", "k");
    check_result(4, "",
                 "rackkv: unix:/nonexistent/socket can't be reached: No such file or directory; is the server "
                 "running? start it with: rackkv open\n");
    close(fd);
}
END_TEST

START_TEST(unix_sockets_are_reached)
{
    struct fake_server *local = fake_server_start(path_of("socket"));

    fake_server_answer_text(local, "200 OK", "", "value");
    RUN("--url", fake_server_url(local), "get", "k");
    check_result(0, "value", "");
    fake_server_stop(&local);
}
END_TEST

START_TEST(json_is_stable)
{
    fake_server_answer_text(server, "201 Created", "ETag: \"7\"\r\nRackKV-Seq: 7\r\n", "");
    RUN("--json", "put", "k", "v");
    check_result(0, "{\"key\":\"k\",\"seq\":7,\"etag\":\"\\\"7\\\"\",\"created\":true}\n", "");
    fake_server_answer_text(server, "200 OK", "Content-Type: text/plain\r\nETag: \"7\"\r\n", "v\"\n");
    RUN("get", "--json", "k");
    check_result(0, "{\"key\":\"k\",\"etag\":\"\\\"7\\\"\",\"content_type\":\"text/plain\",\"value\":\"v\\\"\\n\"}\n",
                 "");
    fake_server_answer_text(server, "200 OK", "", "\xff");
    RUN("get", "--json", "\xfe");
    check_result(0, "{\"key64\":\"/g==\",\"value64\":\"/w==\"}\n", "");
    fake_server_answer_text(server, "404 Not Found", "RackKV-Seq: 9\r\n", "");
    RUN("delete", "--json", "k");
    check_result(1, "{\"key\":\"k\",\"seq\":9,\"deleted\":false}\n", "");
    fake_server_answer_text(server, "200 OK", "", "");
    RUN("exists", "--json", "k");
    check_result(0, "{\"key\":\"k\",\"exists\":true}\n", "");
    fake_server_answer_text(server, "404 Not Found", "", "");
    RUN("get", "--json", "k");
    check_result(1, "{\"error\":\"not_found\",\"detail\":\"not found\"}\n", "");
    RUN("version", "--json");
    check_result(0, "{\"version\":\"" PACKAGE_VERSION "\"}\n", "");
}
END_TEST

START_TEST(wrong_usage_is_exit_code_2)
{
    static const char *const wrong[][5] = {
        { "nope" },       { "get" },
        { "get", "" },    { "get", "a", "b" },
        { "put", "a" },   { "put", "", "v" },
        { "--nope" },     { "get", "--nope", "k" },
        { "shell", "x" }, { "--url", "ftp://a", "get", "k" },
        { "open", "x" },  { "open", "-x" },
        { "open", "-o" }, { "help", "nope" },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        run_with_input("", 0, wrong[i]);
        ck_assert_msg(result.code == 2, "%s: exit code %d", wrong[i][0], result.code);
        ck_assert_uint_eq(result.out_size, 0);
        ck_assert_msg(strlen(result.err) > 10, "%s", wrong[i][0]);
    }
    run_with_input("", 0, (const char *const[]){ NULL }); /* no command, and no terminal */
    ck_assert_int_eq(result.code, 2);
    ck_assert_uint_eq(fake_server_n_requests(server), 0);
}
END_TEST

START_TEST(every_command_has_help)
{
    static const char *const names[] = { "open", "put", "get", "delete", "exists", "shell", "help", "version" };
    char *overview;

    RUN("--help");
    ck_assert_int_eq(result.code, 0);
    overview = strdup(result.out);
    RUN("help");
    check_result(0, overview, "");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char usage[64];

        (void)snprintf(usage, sizeof usage, "\n  %s ", names[i]);
        ck_assert_msg(strstr(overview, usage) != NULL, "%s", names[i]);
        (void)snprintf(usage, sizeof usage, "Usage: rackkv %s", names[i]);
        RUN(names[i], "--help");
        ck_assert_int_eq(result.code, 0);
        ck_assert_msg(strstr(result.out, usage) != NULL, "%s", result.out);
    }
    free(overview);
    overview = strdup(result.out);
    RUN("help", "version");
    check_result(0, overview, "");
    free(overview);
}
END_TEST

START_TEST(output_that_does_not_arrive_is_a_failure)
{
    int status;
    pid_t pid;

    if (access("/dev/full", W_OK) != 0)
        return;
    fake_server_answer_text(server, "200 OK", "", "value");
    pid = fork();
    if (pid == 0) {
        char *argv[] = { (char *)(uintptr_t)PROGRAM, (char *)(uintptr_t) "get", (char *)(uintptr_t) "k", NULL };

        become(argv, "/dev/null", "/dev/full", "/dev/null");
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 1);
}
END_TEST

/* A copy of rackkv, and a rackkvd that prints its arguments. */
static void make_server_script(const char *path, const char *word)
{
    char script[128];

    (void)snprintf(script, sizeof script, "#!/bin/sh\nprintf '%s'\nprintf ' [%%s]' \"$@\"\nexit 7\n", word);
    write_whole(path, script, strlen(script));
    ck_assert_int_eq(chmod(path, 0700), 0);
}

START_TEST(open_finds_the_server_and_hands_its_options_over)
{
    char program[512], daemon_path[512];
    size_t size;
    char *bytes = read_whole(PROGRAM, &size);
    static const char *const arguments[] = { "open",     "-c", "f.yaml", "-o", "ring.size=1MiB", "--option=a.b=c d",
                                             "--daemon", NULL };
    static const char expected[] = " [-c] [f.yaml] [-o] [ring.size=1MiB] [-o] [a.b=c d] [--daemon]";

    ck_assert_int_eq(mkdir(path_of("bin"), 0700), 0);
    ck_assert_int_eq(mkdir(path_of("sbin"), 0700), 0);
    ck_assert_int_eq(mkdir(path_of("path"), 0700), 0);
    strcpy(program, path_of("bin/rackkv"));
    write_whole(program, bytes, size);
    ck_assert_int_eq(chmod(program, 0700), 0);
    free(bytes);

    run_program(program, "", 0, (const char *const[]){ "open", NULL });
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "rackkvd was not found beside this program"));

    make_server_script(path_of("path/rackkvd"), "path");
    strcpy(daemon_path, path_of("path"));
    strcat(daemon_path, ":/usr/bin:/bin");
    setenv("PATH", daemon_path, 1);
    run_program(program, "", 0, arguments);
    ck_assert_int_eq(strncmp(result.out, "path", 4), 0);

    make_server_script(path_of("sbin/rackkvd"), "sbin");
    run_program(program, "", 0, arguments);
    ck_assert_int_eq(strncmp(result.out, "sbin", 4), 0);

    make_server_script(path_of("bin/rackkvd"), "bin");
    run_program(program, "", 0, arguments);
    ck_assert_int_eq(strncmp(result.out, "bin", 3), 0);
    ck_assert_str_eq(result.out + 3, expected);
    ck_assert_int_eq(result.code, 7);

    ck_assert_int_eq(chmod(path_of("bin/rackkvd"), 0600), 0);
    write_whole(path_of("bin/rackkvd"), "", 0);
    run_program(program, "", 0, arguments);
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "can't be started: Permission denied"));
}
END_TEST

static void run_shell(const char *input)
{
    run_with_input(input, strlen(input), (const char *const[]){ "shell", NULL });
}

START_TEST(the_shell_runs_a_pipe_over_one_connection)
{
    size_t size;

    fake_server_answer_text(server, "201 Created", "", "");
    fake_server_answer_text(server, "200 OK", "", "a\x01z");
    fake_server_answer_text(server, "204 No Content", "", "");
    fake_server_answer_text(server, "200 OK", "", "OK");
    run_shell("PUT \"my key\\x00\" \"\\xff\\x00 v\"\n\nget \"my key\\x00\"\nDelete k\nOPEN\nEXIT\nGET never\n");
    ck_assert_int_eq(result.code, 0);
    ck_assert_int_eq(strncmp(result.out, "OK\na\x01z\nOK\nOK: connected to http://127.0.0.1:", 35), 0);
    ck_assert_str_eq(result.err, "");
    check_request_line(0, "PUT /v1/kv/my%20key%00 HTTP/1.1");
    ck_assert_mem_eq(body_of(0, &size), "\xff\0 v", 4);
    ck_assert_uint_eq(size, 4);
    check_request_line(1, "GET /v1/kv/my%20key%00 HTTP/1.1");
    check_request_line(2, "DELETE /v1/kv/k HTTP/1.1");
    check_request_line(3, "GET /open HTTP/1.1");
    ck_assert_uint_eq(fake_server_n_requests(server), 4);
    ck_assert_uint_eq(fake_server_n_connections(server), 1);
}
END_TEST

START_TEST(the_shell_goes_on_after_a_failure_and_remembers_it)
{
    fake_server_answer_text(server, "404 Not Found", "", "");
    fake_server_answer_text(server, "200 OK", "", "v");
    run_shell("nope\nGET k\nPUT k\nPUT k two words\nGET \"\nGET \"\"\nget k"); /* no line end at the end */
    check_result(1, "v\n",
                 "rackkv: line 1: there is no such command; HELP lists them\n"
                 "rackkv: line 2: not found\n"
                 "rackkv: line 3: usage: PUT KEY VALUE (a word with spaces stands in double quotes)\n"
                 "rackkv: line 4: usage: PUT KEY VALUE (a word with spaces stands in double quotes)\n"
                 "rackkv: line 5: column 5: this quote is not closed\n"
                 "rackkv: line 6: a key has at least one byte\n");
}
END_TEST

START_TEST(the_shell_ends_where_there_is_no_server)
{
    char url[128];
    int fd = reserve_port(url, sizeof url);

    setenv("RACKKV_URL", url, 1);
    run_shell("HELP\nOPEN\nGET a\n");
    ck_assert_int_eq(result.code, 4);
    ck_assert_ptr_nonnull(strstr(result.out, "DELETE KEY"));
    ck_assert_ptr_nonnull(strstr(result.err, "line 2: "));
    ck_assert_ptr_null(strstr(result.err, "line 3: "));
    close(fd);
}
END_TEST

/* A person at a terminal. */
struct terminal {
    int fd;
    pid_t pid;
    char seen[16384]; /* since the last expectation */
    size_t n_seen;
};

static void open_terminal(struct terminal *terminal)
{
    *terminal = (struct terminal){ .fd = -1 };
    terminal->pid = forkpty(&terminal->fd, NULL, NULL, NULL);
    ck_assert_int_ge(terminal->pid, 0);
    if (terminal->pid == 0) {
        execl(PROGRAM, PROGRAM, NULL);
        _exit(127);
    }
}

/* Waits until the words were shown, and forgets what came before. */
static void expect(struct terminal *terminal, const char *words)
{
    uint64_t deadline = rk_time_monotonic_ns() + DEADLINE_NS;
    char *found;

    while ((found = strstr(terminal->seen, words)) == NULL) {
        struct pollfd poll_fd = { .fd = terminal->fd, .events = POLLIN };
        size_t room = sizeof terminal->seen - 1 - terminal->n_seen;
        ssize_t n_read;

        ck_assert_msg(rk_time_monotonic_ns() < deadline && room > 0, "waited for %s, saw %s", words, terminal->seen);
        if (poll(&poll_fd, 1, 100) <= 0)
            continue;
        n_read = read(terminal->fd, terminal->seen + terminal->n_seen, room);
        ck_assert_msg(n_read > 0, "waited for %s, saw %s", words, terminal->seen);
        terminal->n_seen += (size_t)n_read;
        terminal->seen[terminal->n_seen] = '\0';
    }
    found += strlen(words);
    terminal->n_seen -= (size_t)(found - terminal->seen);
    memmove(terminal->seen, found, terminal->n_seen + 1);
}

static void type(const struct terminal *terminal, const char *text)
{
    ck_assert_int_eq(write(terminal->fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void close_terminal(struct terminal *terminal, int code)
{
    int status;

    ck_assert_int_eq(waitpid(terminal->pid, &status, 0), terminal->pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), code);
    close(terminal->fd);
}

START_TEST(the_shell_at_a_terminal)
{
    struct terminal terminal;
    struct stat status;
    char *history;

    fake_server_answer_text(server, "201 Created", "", "");
    fake_server_answer_text(server, "200 OK", "", "\x1b[31mred\xc3\xa9");
    fake_server_answer_text(server, "404 Not Found", "", "");
    open_terminal(&terminal);
    expect(&terminal, "HELP lists the commands.");
    expect(&terminal, "rackkv> ");
    type(&terminal, "p\tkey value\r"); /* completes to "put " */
    expect(&terminal, "OK");
    expect(&terminal, "rackkv> ");
    type(&terminal, "GET key\r");
    expect(&terminal, "\\x1b[31mred\xc3\xa9");
    expect(&terminal, "rackkv> ");
    type(&terminal, "\x10\r"); /* Control-P: the line before */
    expect(&terminal, "not found");
    expect(&terminal, "rackkv> ");
    type(&terminal, "\t"); /* lists them */
    expect(&terminal, "PUT  GET  DELETE  OPEN  HELP  EXIT");
    type(&terminal, "\x04");
    close_terminal(&terminal, 0);
    check_request_line(0, "PUT /v1/kv/key HTTP/1.1");
    check_request_line(2, "GET /v1/kv/key HTTP/1.1");
    history = read_whole(path_of(".rackkv_history"), NULL);
    ck_assert_ptr_nonnull(strstr(history, "put\\040key\\040value"));
    free(history);
    ck_assert_int_eq(stat(path_of(".rackkv_history"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(the_history_is_there_the_next_time_or_not_at_all)
{
    struct terminal terminal;

    setenv("RACKKV_HISTORY", path_of("history"), 1);
    open_terminal(&terminal);
    expect(&terminal, "rackkv> ");
    type(&terminal, "help\r");
    expect(&terminal, "leave");
    expect(&terminal, "rackkv> ");
    type(&terminal, "EXIT\r");
    close_terminal(&terminal, 0);

    open_terminal(&terminal);
    expect(&terminal, "rackkv> ");
    type(&terminal, "\x10\x10\r"); /* before EXIT came help */
    expect(&terminal, "leave");
    type(&terminal, "exit\r");
    close_terminal(&terminal, 0);

    ck_assert_int_eq(mkfifo(path_of("fifo"), 0600), 0);
    setenv("RACKKV_HISTORY", path_of("fifo"), 1);
    open_terminal(&terminal);
    expect(&terminal, "is a FIFO, not a file; no history is kept");
    expect(&terminal, "rackkv> ");
    type(&terminal, "exit\r");
    close_terminal(&terminal, 0);

    setenv("RACKKV_HISTORY", "", 1);
    open_terminal(&terminal);
    expect(&terminal, "rackkv> ");
    type(&terminal, "exit\r");
    close_terminal(&terminal, 0);
    unsetenv("RACKKV_HISTORY");
    unsetenv("HOME");
    open_terminal(&terminal);
    expect(&terminal, "rackkv> ");
    type(&terminal, "exit\r");
    close_terminal(&terminal, 0);
    ck_assert_int_ne(access(path_of(".rackkv_history"), F_OK), 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("rackkv");
    TCase *tcase = tcase_create("rackkv");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, put_sends_the_value_as_it_is);
    tcase_add_test(tcase, odd_values_are_values);
    tcase_add_test(tcase, values_are_binary_from_input_and_file);
    tcase_add_test(tcase, put_of_a_missing_file);
    tcase_add_test(tcase, get_writes_the_bytes_and_nothing_else);
    tcase_add_test(tcase, absent_is_exit_code_1);
    tcase_add_test(tcase, present_is_exit_code_0);
    tcase_add_test(tcase, refusals_are_in_the_words_of_the_server);
    tcase_add_test(tcase, an_answer_that_ends_early_is_a_failure);
    tcase_add_test(tcase, unreachable_is_exit_code_4_with_a_hint);
    tcase_add_test(tcase, unix_sockets_are_reached);
    tcase_add_test(tcase, json_is_stable);
    tcase_add_test(tcase, wrong_usage_is_exit_code_2);
    tcase_add_test(tcase, every_command_has_help);
    tcase_add_test(tcase, output_that_does_not_arrive_is_a_failure);
    tcase_add_test(tcase, open_finds_the_server_and_hands_its_options_over);
    tcase_add_test(tcase, the_shell_runs_a_pipe_over_one_connection);
    tcase_add_test(tcase, the_shell_goes_on_after_a_failure_and_remembers_it);
    tcase_add_test(tcase, the_shell_ends_where_there_is_no_server);
    tcase_add_test(tcase, the_shell_at_a_terminal);
    tcase_add_test(tcase, the_history_is_there_the_next_time_or_not_at_all);
    suite_add_tcase(suite, tcase);
    return suite;
}
