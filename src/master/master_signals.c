#include "master/master_signals.h"

#include "base/base_detail.h"
#include "base/base_time.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define HANGUP_PATIENCE_NS (RK_NS_PER_S / 2)

static bool is_ignored(int signal_number)
{
    struct sigaction action;

    return sigaction(signal_number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* A process without a controlling terminal, or whose terminal was closed, has no /dev/tty. */
static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return false;
    (void)close(fd); /* it was a question */
    return true;
}

enum rk_err rk_master_signals_open(struct rk_master_signals *signals_out, struct rk_detail *detail)
{
    static const int handled[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD };
    sigset_t set;
    int fd;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof handled / sizeof handled[0]; i++)
        if (handled[i] != SIGHUP || !is_ignored(SIGHUP)) /* one that is blocked would come although it is ignored */
            sigaddset(&set, handled[i]);
    (void)sigprocmask(SIG_BLOCK, &set, NULL); /* cannot fail for a valid set */
    (void)signal(SIGPIPE, SIG_IGN);           /* nor this */
    (void)signal(SIGXFSZ, SIG_IGN);           /* a write past the limit of a file's size is an error like others */
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        rk_detail_set(detail, "making a signalfd: %s", strerror(errno));
        return RK_ERR_LIMIT;
    }
    *signals_out = (struct rk_master_signals){ .fd = fd, .had_terminal = has_terminal() };
    return RK_OK;
}

void rk_master_signals_close(struct rk_master_signals *signals)
{
    if (signals->fd >= 0)
        (void)close(signals->fd); /* nothing to lose */
    signals->fd = -1;
}

int rk_master_signals_take(struct rk_master_signals *signals)
{
    struct signalfd_siginfo info;

    return read(signals->fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

void rk_master_signals_on_hangup(struct rk_master_signals *signals, uint64_t now_ns)
{
    signals->hangup_until_ns = signals->had_terminal ? now_ns + HANGUP_PATIENCE_NS : now_ns;
}

enum rk_master_hangup rk_master_signals_hangup(struct rk_master_signals *signals, uint64_t now_ns)
{
    if (signals->hangup_until_ns == 0)
        return RK_MASTER_HANGUP_NONE;
    if (signals->had_terminal && !has_terminal()) {
        signals->hangup_until_ns = 0;
        return RK_MASTER_HANGUP_TERMINAL;
    }
    if (now_ns < signals->hangup_until_ns)
        return RK_MASTER_HANGUP_NONE;
    signals->hangup_until_ns = 0;
    return RK_MASTER_HANGUP_RELOAD;
}
