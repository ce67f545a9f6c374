/* One client of the control socket: bytes in, lines out; answers in, bytes out. The server's thread only. */
#ifndef RK_CONTROL_CLIENT_H
#define RK_CONTROL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_control_client {
    int fd;      /* -1: the place is free */
    char *input; /* what was read and not taken */
    size_t input_size, input_capacity;
    bool ended;   /* it sends no more */
    char *answer; /* what it did not take yet; NULL: it took all */
    size_t answer_size, answer_taken;
    bool closing;       /* after the answer */
    bool is_waiting;    /* its request is with a job (control_jobs.h): nothing is taken or read until it is answered */
    bool is_delayed;    /* the next line is there, and waits for a job that is free */
    uint64_t active_ns; /* when it last sent or took something */
};

/* Takes over the descriptor, which does not block. */
void rk_control_client_init(struct rk_control_client *client, int fd, uint64_t now_ns);
void rk_control_client_fini(struct rk_control_client *client);

/* Reads what is there, up to bytes_max of input; whether the client is still there. */
bool rk_control_client_read(struct rk_control_client *client, size_t bytes_max, uint64_t now_ns);

/* The first whole line of the input, without its end; NULL when there is none. At the end of the input the rest is a
 * line too. It stays until it is forgotten. */
const char *rk_control_client_line(const struct rk_control_client *client, size_t *size_out);
void rk_control_client_forget_line(struct rk_control_client *client, size_t size);

/* Takes over an allocated answer, a whole line, when there is none. */
void rk_control_client_answer(struct rk_control_client *client, char *answer, size_t size);

/* Sends what the client takes without waiting; whether it is still there. */
bool rk_control_client_send(struct rk_control_client *client, uint64_t now_ns);

#endif
