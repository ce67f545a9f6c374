#include "master/master_serving.h"

#include <stddef.h>

void rk_master_serving_tick(struct rk_master_serving *serving, uint64_t now_ns)
{
    if (serving->kind->tick != NULL)
        serving->kind->tick(serving, now_ns);
}

void rk_master_serving_on_exit(struct rk_master_serving *serving, pid_t pid, int wait_status)
{
    if (serving->kind->on_exit != NULL)
        serving->kind->on_exit(serving, pid, wait_status);
}

void rk_master_serving_poll_fds(const struct rk_master_serving *serving, struct pollfd *fds)
{
    serving->kind->poll_fds(serving, fds);
}

void rk_master_serving_on_readable(struct rk_master_serving *serving, unsigned slot)
{
    serving->kind->on_readable(serving, slot);
}

void rk_master_serving_give_log(struct rk_master_serving *serving, int fd)
{
    if (serving->kind->give_log != NULL)
        serving->kind->give_log(serving, fd);
}

void rk_master_serving_stop(struct rk_master_serving *serving, bool drain)
{
    serving->kind->stop(serving, drain);
}

void rk_master_serving_end_now(struct rk_master_serving *serving, const char *why)
{
    serving->kind->end_now(serving, why);
}

bool rk_master_serving_is_ready(const struct rk_master_serving *serving)
{
    return serving->kind->is_ready(serving);
}

bool rk_master_serving_is_over(const struct rk_master_serving *serving)
{
    return serving->kind->is_over(serving);
}

enum rk_err rk_master_serving_close(struct rk_master_serving **serving, struct rk_detail *detail)
{
    struct rk_master_serving *self = *serving;

    if (self == NULL)
        return RK_OK;
    *serving = NULL;
    return self->kind->close(self, detail);
}
