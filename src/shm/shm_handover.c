#include "shm/shm_handover.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Room for one descriptor, aligned as its header must be. */
union passed {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

bool rk_handover_send_fd(int channel_fd, enum rk_handover_message message, int fd)
{
    char byte = (char)message;
    union passed passed = { .bytes = { 0 } };
    struct iovec part = { .iov_base = &byte, .iov_len = 1 };
    struct msghdr packet = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = passed.bytes, .msg_controllen = sizeof passed.bytes
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&packet);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(channel_fd, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

ssize_t rk_handover_receive(int channel_fd, char *message_out, int *fd_out)
{
    union passed passed;
    struct iovec part = { .iov_base = message_out, .iov_len = 1 };
    struct msghdr packet = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = passed.bytes, .msg_controllen = sizeof passed.bytes
    };
    ssize_t n = recvmsg(channel_fd, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const struct cmsghdr *header = n == 1 ? CMSG_FIRSTHDR(&packet) : NULL;

    *fd_out = -1;
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(fd_out, CMSG_DATA(header), sizeof *fd_out);
    return n;
}
