/* Reads counters of a running server from outside, with <rackkv/stats.h> alone: doc/stats.md. */
#include <rackkv/stats.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOARD "/memfd:rackkv-board"

/* The region among the descriptors of a process; -1: there is none, or it may not be read. */
static int open_board(const char *pid)
{
    char folder[64], path[512], target[64];
    struct dirent *entry;
    int fd = -1;
    DIR *dir;

    snprintf(folder, sizeof folder, "/proc/%s/fd", pid);
    dir = opendir(folder);
    while (dir != NULL && fd < 0 && (entry = readdir(dir)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (readlink(path, target, sizeof target) > (ssize_t)strlen(BOARD) && memcmp(target, BOARD, strlen(BOARD)) == 0)
            fd = open(path, O_RDONLY);
    }
    if (dir != NULL)
        closedir(dir);
    return fd;
}

static uint64_t count_answers(const struct rk_stats_slot *slot)
{
    uint64_t sum = 0;

    for (int op = 0; op < RK_STATS_HTTP_N_OPS; op++)
        for (int status = 0; status < RK_STATS_HTTP_N_STATUSES; status++)
            sum += rk_counter_get(&slot->http.requests[op][status]);
    return sum;
}

int main(int argc, char **argv)
{
    int fd = argc == 2 ? open_board(argv[1]) : -1;
    const struct rk_stats_block *block = NULL;
    struct stat status;
    uint64_t answered = 0;
    void *map = MAP_FAILED;

    if (fd >= 0 && fstat(fd, &status) == 0)
        map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED)
        block = rk_stats_find(map, (size_t)status.st_size);
    if (block == NULL) {
        fprintf(stderr, "usage: read_stats PID, of a rackkvd of this version whose memory may be read\n");
        return 1;
    }
    for (unsigned i = 0; i < block->head.n_slots; i++)
        answered += count_answers(rk_stats_slot_of(block, i));
    printf("keys %llu\nputs %llu\nanswered %llu\n", (unsigned long long)rk_counter_get(&block->writer.keys),
           (unsigned long long)rk_counter_get(&block->writer.puts), (unsigned long long)answered);
    return 0;
}
