#include "system_server.h"

#include "system_port.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_BYTES (1u << 18)
#define N_ARGS_MAX   32

struct system_server {
    pid_t pid;
    int port;
    void (*before)(void);
    int output_fd;
    pthread_t reader;
    pthread_mutex_t mutex;
    pthread_cond_t more;
    bool ended; /* no more output */
    size_t used;
    char output[OUTPUT_BYTES];
};

long system_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void *read_output(void *argument)
{
    struct system_server *server = argument;
    char piece[4096];
    ssize_t n;

    while ((n = read(server->output_fd, piece, sizeof piece)) > 0) {
        pthread_mutex_lock(&server->mutex);
        if (server->used + (size_t)n < OUTPUT_BYTES) {
            memcpy(server->output + server->used, piece, (size_t)n);
            server->used += (size_t)n;
            server->output[server->used] = '\0';
        }
        pthread_cond_broadcast(&server->more);
        pthread_mutex_unlock(&server->mutex);
    }
    pthread_mutex_lock(&server->mutex);
    server->ended = true;
    pthread_cond_broadcast(&server->more);
    pthread_mutex_unlock(&server->mutex);
    return NULL;
}

static void execute(const struct system_server *server, const char *data_dir, const char *const *arguments,
                    int output_fd, pid_t parent)
{
    const char *program = getenv("RACKKVD") != NULL ? getenv("RACKKVD") : "./rackkvd";
    char data_option[512], listen_option[64];
    char *argv[N_ARGS_MAX] = { (char *)(uintptr_t)program, "-o", data_option, "-o", listen_option };
    int n = 5;

    snprintf(data_option, sizeof data_option, "server.data_dir=%s", data_dir);
    snprintf(listen_option, sizeof listen_option, "http.listen=127.0.0.1:%d", server->port);
    for (; arguments != NULL && *arguments != NULL && n < N_ARGS_MAX - 1; arguments++)
        argv[n++] = (char *)(uintptr_t)*arguments;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    dup2(output_fd, STDOUT_FILENO);
    dup2(output_fd, STDERR_FILENO);
    if (server->before != NULL)
        server->before();
    execv(program, argv);
    fprintf(stderr, "%s: %s\n", program, strerror(errno));
    _exit(127);
}

struct system_server *system_server_launch(const char *data_dir, const char *const *arguments, void (*before)(void))
{
    struct system_server *server = calloc(1, sizeof *server);
    pid_t parent = getpid();
    int fds[2];

    ck_assert_ptr_nonnull(server);
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    pthread_mutex_init(&server->mutex, NULL);
    pthread_cond_init(&server->more, NULL);
    server->output_fd = fds[0];
    server->before = before;
    server->port = system_port_take();
    server->pid = fork();
    ck_assert_int_ge(server->pid, 0);
    if (server->pid == 0)
        execute(server, data_dir, arguments, fds[1], parent);
    close(fds[1]);
    ck_assert_int_eq(pthread_create(&server->reader, NULL, read_output, server), 0);
    return server;
}

/* Waits, mutex held, until the text is there, the output ended, or the deadline passed: where it is, or NULL. */
static const char *wait_text_locked(struct system_server *server, const char *text)
{
    struct timespec deadline;
    const char *found;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += SYSTEM_DEADLINE_MS / 1000;
    while ((found = strstr(server->output, text)) == NULL && !server->ended)
        if (pthread_cond_timedwait(&server->more, &server->mutex, &deadline) == ETIMEDOUT)
            break;
    return found;
}

void system_server_wait_line(struct system_server *server, const char *text)
{
    const char *found;

    pthread_mutex_lock(&server->mutex);
    found = wait_text_locked(server, text);
    pthread_mutex_unlock(&server->mutex);
    ck_assert_msg(found != NULL, "the server did not print \"%s\"; it printed:\n%s", text, server->output);
}

bool system_server_has_line(struct system_server *server, const char *text)
{
    bool has;

    pthread_mutex_lock(&server->mutex);
    has = strstr(server->output, text) != NULL;
    pthread_mutex_unlock(&server->mutex);
    return has;
}

unsigned system_server_count(struct system_server *server, const char *text)
{
    unsigned n = 0;

    pthread_mutex_lock(&server->mutex);
    for (const char *at = server->output; (at = strstr(at, text)) != NULL; at += strlen(text))
        n++;
    pthread_mutex_unlock(&server->mutex);
    return n;
}

bool system_server_wait_serving(struct system_server *server)
{
    const char *found;
    bool ended;

    pthread_mutex_lock(&server->mutex);
    found = wait_text_locked(server, "data in ");
    ended = server->ended;
    pthread_mutex_unlock(&server->mutex);
    if (found == NULL && ended)
        return false;
    ck_assert_msg(found != NULL && strstr(server->output, "serving on") != NULL,
                  "the server does not serve; it printed:\n%s", server->output);
    return true;
}

struct system_server *system_server_start(const char *data_dir, const char *const *arguments)
{
    struct system_server *server = system_server_launch(data_dir, arguments, NULL);

    ck_assert_msg(system_server_wait_serving(server), "the server has ended; it printed:\n%s", server->output);
    return server;
}

/* waitpid with a deadline: the end is seen by the output's end first. */
static int wait_for_end(struct system_server *server)
{
    int status = 0;

    pthread_mutex_lock(&server->mutex);
    (void)wait_text_locked(server, "\a"); /* never printed: waits for the end of the output */
    if (!server->ended)
        kill(server->pid, SIGKILL);
    pthread_mutex_unlock(&server->mutex);
    ck_assert_int_eq(waitpid(server->pid, &status, 0), server->pid);
    pthread_join(server->reader, NULL);
    close(server->output_fd);
    system_port_give_back(server->port);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int system_server_run(const char *data_dir, const char *const *arguments, char **output_out)
{
    struct system_server *server = system_server_launch(data_dir, arguments, NULL);
    int code = wait_for_end(server);

    *output_out = strdup(server->output);
    free(server);
    return code;
}

int system_server_port(const struct system_server *server)
{
    return server->port;
}

pid_t system_server_pid(const struct system_server *server)
{
    return server->pid;
}

static pid_t parent_of(pid_t pid)
{
    char path[64], line[512];
    FILE *file;
    int parent = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof line, file) != NULL && strrchr(line, ')') != NULL) {
        char state;

        if (sscanf(strrchr(line, ')') + 1, " %c %d", &state, &parent) != 2 || state == 'Z')
            parent = 0;
    }
    fclose(file);
    return parent;
}

unsigned system_server_workers(const struct system_server *server, pid_t *pids, unsigned max)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    unsigned n = 0;

    ck_assert_ptr_nonnull(proc);
    while ((entry = readdir(proc)) != NULL && n < max) {
        pid_t pid = atoi(entry->d_name);

        if (pid > 0 && parent_of(pid) == server->pid)
            pids[n++] = pid;
    }
    closedir(proc);
    return n;
}

int system_server_stop(struct system_server **server, int signal_number)
{
    int code;

    kill((*server)->pid, signal_number);
    code = wait_for_end(*server);
    if (code != 0 && code != -signal_number)
        fprintf(stderr, "the server printed:\n%s", (*server)->output);
    free(*server);
    *server = NULL;
    return code;
}
