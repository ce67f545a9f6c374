#include "test_process.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define WAIT_US   1000
#define WAITS_MAX 20000

/* The letter that ps shows; 0 when the thread is gone. */
static char thread_state(pid_t pid, const char *thread)
{
    char path[320], line[256], state = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, thread);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    while (state == 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "State: %c", &state) != 1)
            state = 0;
    fclose(file);
    return state;
}

static unsigned n_running(pid_t pid)
{
    char path[64], state;
    struct dirent *entry;
    unsigned n = 0;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    dir = opendir(path);
    if (dir == NULL)
        return 1; /* gone: it never stands still */
    while ((entry = readdir(dir)) != NULL) {
        state = entry->d_name[0] == '.' ? 0 : thread_state(pid, entry->d_name);
        n += state != 0 && state != 'T';
    }
    closedir(dir);
    return n;
}

bool test_process_stop(pid_t pid)
{
    if (kill(pid, SIGSTOP) != 0)
        return false;
    for (unsigned i = 0; i < WAITS_MAX; i++) {
        if (n_running(pid) == 0)
            return true;
        usleep(WAIT_US);
    }
    return false;
}
