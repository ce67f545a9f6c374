#include "system_tracer.h"

#include "system_server.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_EXPRESSIONS_MAX 8

struct system_tracer {
    pid_t pid;
    pid_t traced;
};

static void execute(pid_t pid, const char *const *expressions, const char *path, pid_t parent)
{
    char pid_text[16];
    char *argv[8 + 2 * N_EXPRESSIONS_MAX] = { "strace", "-f", "-q", "-o", (char *)(uintptr_t)path, "-p", pid_text };
    int n = 7;
    int null_fd;

    for (int i = 0; expressions[i] != NULL && i < N_EXPRESSIONS_MAX; i++) {
        argv[n++] = "-e";
        argv[n++] = (char *)(uintptr_t)expressions[i];
    }
    snprintf(pid_text, sizeof pid_text, "%d", (int)pid);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null_fd, STDERR_FILENO);
    execvp(argv[0], argv);
    _exit(127);
}

static int tracer_of(pid_t pid, const char *thread)
{
    char path[320], line[256];
    FILE *file;
    int tracer = -1;

    snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, thread);
    file = fopen(path, "r");
    if (file == NULL)
        return -1; /* ended meanwhile */
    while (tracer < 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "TracerPid: %d", &tracer) != 1)
            tracer = -1;
    fclose(file);
    return tracer;
}

char system_process_state(pid_t pid)
{
    char path[64], line[256], state = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    while (state == 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "State: %c", &state) != 1)
            state = 0;
    fclose(file);
    return state;
}

/* Whether all threads have this tracer; 0 asks for none. */
static bool all_have_tracer(pid_t pid, int tracer)
{
    char path[64];
    struct dirent *entry;
    bool all = true;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    dir = opendir(path);
    if (dir == NULL)
        return tracer == 0; /* the process has ended */
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && tracer_of(pid, entry->d_name) != tracer)
            all = false;
    closedir(dir);
    return all;
}

static bool wait_attached(const struct system_tracer *tracer)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (!all_have_tracer(tracer->traced, tracer->pid)) {
        if (waitpid(tracer->pid, NULL, WNOHANG) == tracer->pid)
            return false;
        ck_assert_msg(system_now_ms() < deadline, "strace does not attach");
        usleep(1000);
    }
    return true;
}

struct system_tracer *system_tracer_attach(pid_t pid, const char *const *expressions)
{
    return system_tracer_attach_logged(pid, expressions, "/dev/null");
}

struct system_tracer *system_tracer_attach_logged(pid_t pid, const char *const *expressions, const char *path)
{
    struct system_tracer *tracer = calloc(1, sizeof *tracer);
    pid_t parent = getpid();

    ck_assert_ptr_nonnull(tracer);
    tracer->traced = pid;
    tracer->pid = fork();
    ck_assert_int_ge(tracer->pid, 0);
    if (tracer->pid == 0)
        execute(pid, expressions, path, parent);
    if (wait_attached(tracer))
        return tracer;
    free(tracer);
    fprintf(stderr, "skipped: strace is not installed, or may not attach to a process here\n");
    return NULL;
}

bool system_tracer_has_logged(const char *path, const char *text)
{
    FILE *file = fopen(path, "re");
    char line[512];
    bool found = false;

    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
        found = strstr(line, text) != NULL;
    if (file != NULL)
        fclose(file);
    return found;
}

/* A strace that is told to end while its process dies waits for the process, which waits for strace to see its threads
 * end: then it is killed itself. */
static void end_strace(const struct system_tracer *tracer)
{
    long patience = system_now_ms() + 50, deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    kill(tracer->pid, SIGTERM);
    while (waitpid(tracer->pid, NULL, WNOHANG) != tracer->pid) {
        if (system_now_ms() > patience && system_process_state(tracer->traced) == 'Z')
            kill(tracer->pid, SIGKILL);
        ck_assert_msg(system_now_ms() < deadline, "strace does not end");
        usleep(1000);
    }
}

void system_tracer_detach(struct system_tracer **tracer)
{
    struct system_tracer *self = *tracer;
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    if (self == NULL)
        return;
    end_strace(self);
    while (system_process_state(self->traced) != 0 && system_process_state(self->traced) != 'Z'
           && !all_have_tracer(self->traced, 0)) {
        ck_assert_msg(system_now_ms() < deadline, "strace does not let go");
        usleep(1000);
    }
    free(self);
    *tracer = NULL;
}
