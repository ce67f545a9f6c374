/* What a server does with a terminal that goes away, and with a port that others want at the same moment. strace makes
 * the moment longer in which they could. */
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_AT_ONCE 3

static char *dir;
static char log_path[256];

static void setup(void)
{
    dir = test_dir_create();
    snprintf(log_path, sizeof log_path, "%s/log", dir);
}

static void teardown(void)
{
    test_dir_remove(&dir);
}

/* ---- terminals ---- */

enum how { ALONE, IN_A_SHELL, WITH_NOHUP };

struct terminal {
    int fd; /* the side of the person */
    pid_t pid;
};

/* In the child, which leads the session of a new terminal. */
static void execute(enum how how)
{
    const char *program = getenv("RACKKVD") != NULL ? getenv("RACKKVD") : "./rackkvd";
    char command[2048];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGHUP, how == WITH_NOHUP ? SIG_IGN : SIG_DFL); /* whatever started the tests ignores */
    /* A shell that has something left to do starts the server as a child; otherwise it becomes the server. */
    snprintf(command, sizeof command,
             "%s %s -o server.data_dir=%s/data -o http.listen=unix:%s/sock -o server.workers=1 "
             "-o server.log_file=%s -o server.pid_file=%s/pid%s",
             how == IN_A_SHELL ? "" : "exec", program, dir, dir, log_path, dir, how == IN_A_SHELL ? "; exit 3" : "");
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static bool log_has(const char *text)
{
    static char content[1 << 16];
    FILE *file = fopen(log_path, "re");
    size_t size;

    if (file == NULL)
        return false;
    size = fread(content, 1, sizeof content - 1, file);
    content[size] = '\0';
    fclose(file);
    return strstr(content, text) != NULL;
}

static void wait_log(const char *text)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (!log_has(text)) {
        ck_assert_msg(system_now_ms() < deadline, "no \"%s\" in the log", text);
        usleep(5000);
    }
}

static struct terminal start(enum how how)
{
    struct terminal terminal;

    terminal.pid = forkpty(&terminal.fd, NULL, NULL, NULL);
    ck_assert_int_ge(terminal.pid, 0);
    if (terminal.pid == 0)
        execute(how);
    ck_assert_int_eq(fcntl(terminal.fd, F_SETFD, FD_CLOEXEC), 0);
    wait_log("serving on");
    return terminal;
}

/* The exit code, or minus the signal. */
static int wait_end(pid_t pid)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    int status;
    pid_t ended;

    while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && system_now_ms() < deadline)
        usleep(5000);
    if (ended == 0) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        ck_abort_msg("it did not end");
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void check_nothing_left(void)
{
    static const char *const names[] = { "sock", "pid", "data/control.sock" };
    char path[300];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        ck_assert_msg(access(path, F_OK) != 0, "%s was left", path);
    }
}

START_TEST(a_server_stops_with_its_terminal)
{
    struct terminal terminal = start(ALONE);

    close(terminal.fd);
    ck_assert_int_eq(wait_end(terminal.pid), 0);
    ck_assert(log_has("the terminal that this was started from is gone"));
    ck_assert(log_has("stopped"));
    check_nothing_left();
}
END_TEST

/* The shell gets the signal, and its end is what the server hears of. */
START_TEST(a_server_stops_with_the_terminal_of_its_shell)
{
    struct terminal terminal = start(IN_A_SHELL);

    close(terminal.fd);
    ck_assert_int_eq(wait_end(terminal.pid), -SIGHUP);
    wait_log("stopped");
    check_nothing_left();
}
END_TEST

START_TEST(with_nohup_it_goes_on)
{
    struct terminal terminal = start(WITH_NOHUP);

    close(terminal.fd);
    kill(terminal.pid, SIGHUP);
    kill(terminal.pid, SIGUSR1);
    wait_log("SIGUSR1"); /* signals are taken in the order of their numbers: the other one came before */
    ck_assert(!log_has("SIGHUP"));
    kill(terminal.pid, SIGTERM);
    ck_assert_int_eq(wait_end(terminal.pid), 0);
}
END_TEST

START_TEST(a_hangup_with_a_terminal_that_is_there_stops_nobody)
{
    struct terminal terminal = start(ALONE);

    kill(terminal.pid, SIGHUP);
    wait_log("nothing was reloaded");
    ck_assert_int_eq(waitpid(terminal.pid, NULL, WNOHANG), 0);
    kill(terminal.pid, SIGTERM);
    ck_assert_int_eq(wait_end(terminal.pid), 0);
    close(terminal.fd);
    check_nothing_left();
}
END_TEST

/* ---- one port ---- */

/* A program that is the server, each of whose binds takes long; false where strace cannot be used. */
static bool make_slow_program(char *path, size_t size)
{
    const char *program = getenv("RACKKVD") != NULL ? getenv("RACKKVD") : "./rackkvd";
    FILE *file;

    if (system("strace -D -q -o /dev/null true 2>/dev/null") != 0)
        return false;
    snprintf(path, size, "%s/slow", dir);
    file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fprintf(file,
            "#!/bin/sh\n"
            "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 " /* leaks cannot be looked for in a traced process */
            "exec strace -D -f -q -o /dev/null -e trace=bind -e inject=bind:delay_enter=150000 %s \"$@\"\n",
            program);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, 0700), 0);
    return true;
}

/* A port that was free a moment ago. */
static int free_port(void)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof name;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, len), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    close(fd);
    return ntohs(name.sin_port);
}

/* Some servers at the same moment on these addresses of one port: how many serve. */
static unsigned start_at_once(const char *const hosts[N_AT_ONCE])
{
    struct system_server *servers[N_AT_ONCE];
    char listen[64], data_dir[256];
    const char *arguments[] = { "-o", listen, "-o", "server.workers=2", NULL };
    int port = free_port();
    unsigned n_serving = 0;

    for (int i = 0; i < N_AT_ONCE; i++) {
        snprintf(listen, sizeof listen, "http.listen=%s:%d", hosts[i], port);
        snprintf(data_dir, sizeof data_dir, "%s/data%d", dir, i);
        servers[i] = system_server_launch(data_dir, arguments, NULL);
    }
    for (int i = 0; i < N_AT_ONCE; i++) {
        n_serving += system_server_wait_serving(servers[i]);
        ck_assert(system_server_has_line(servers[i], "serving on")
                  || system_server_has_line(servers[i], "in use by another program"));
    }
    for (int i = 0; i < N_AT_ONCE; i++)
        (void)system_server_stop(&servers[i], SIGTERM);
    return n_serving;
}

static const char *const same[N_AT_ONCE] = { "127.0.0.1", "127.0.0.1", "127.0.0.1" };
static const char *const wild[N_AT_ONCE] = { "127.0.0.1", "0.0.0.0", "0.0.0.0" };

START_TEST(of_many_at_once_one_has_the_port)
{
    for (int round = 0; round < 5; round++) {
        ck_assert_uint_eq(start_at_once(same), 1);
        ck_assert_uint_eq(start_at_once(wild), 1);
    }
}
END_TEST

START_TEST(of_many_that_are_slow_one_has_the_port)
{
    char path[300];

    if (!make_slow_program(path, sizeof path)) {
        fprintf(stderr, "skipped: strace is not installed, or may not trace here\n");
        return;
    }
    setenv("RACKKVD", path, 1);
    ck_assert_uint_eq(start_at_once(same), 1);
    ck_assert_uint_eq(start_at_once(wild), 1);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system names");
    TCase *tcase = tcase_create("names");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_server_stops_with_its_terminal);
    tcase_add_test(tcase, a_server_stops_with_the_terminal_of_its_shell);
    tcase_add_test(tcase, with_nohup_it_goes_on);
    tcase_add_test(tcase, a_hangup_with_a_terminal_that_is_there_stops_nobody);
    tcase_add_test(tcase, of_many_at_once_one_has_the_port);
    tcase_add_test(tcase, of_many_that_are_slow_one_has_the_port);
    suite_add_tcase(suite, tcase);
    return suite;
}
