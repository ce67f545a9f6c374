#include "linear_board.h"

#include "base/base_detail.h"
#include "shm/shm_handover.h"
#include "shm/shm_region.h"
#include "stats/stats_block.h"
#include "system_server.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOARD_NAME "/memfd:rackkv-board"

static struct rk_shm_region region;

static bool is_board(const char *path)
{
    char target[64];
    ssize_t n = readlink(path, target, sizeof target);

    return n > (ssize_t)strlen(BOARD_NAME) && memcmp(target, BOARD_NAME, strlen(BOARD_NAME)) == 0;
}

static int open_board(pid_t master)
{
    char folder[64], path[512];
    struct dirent *entry;
    int fd = -1;
    DIR *dir;

    snprintf(folder, sizeof folder, "/proc/%d/fd", (int)master);
    dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    while (fd < 0 && (entry = readdir(dir)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (is_board(path))
            fd = open(path, O_RDWR | O_CLOEXEC);
    }
    closedir(dir);
    ck_assert_msg(fd >= 0, "process %d has no board", (int)master);
    return fd;
}

void linear_board_open(pid_t master)
{
    struct rk_detail detail = { "" };
    int fd = open_board(master);

    rk_shm_region_close(&region);
    ck_assert_msg(
        rk_shm_region_attach(&region, fd, RK_SHM_BOARD, RK_BOARD_LAYOUT(sizeof(struct rk_stats_slot)), &detail)
            == RK_OK,
        "%s", detail.text);
    close(fd);
}

static const struct rk_stats_block *stats_block(void)
{
    const struct rk_board *board = (const struct rk_board *)region.bytes;

    return (const struct rk_stats_block *)(region.bytes + board->stats_offset);
}

uint64_t linear_board_grace_periods(void)
{
    return rk_counter_get(&stats_block()->writer.grace_periods);
}

void linear_board_wait_grace(uint64_t count)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (linear_board_grace_periods() < count + 2) {
        ck_assert_msg(system_now_ms() < deadline, "no grace period ends");
        usleep(500);
    }
}

uint64_t linear_board_merges(void)
{
    return rk_counter_get(&stats_block()->merge.done);
}

uint64_t linear_board_merged_records(void)
{
    return rk_counter_get(&stats_block()->merge.copied_records);
}
