/* HTTP over a raw socket, as a test needs it: any bytes out, in any pieces, and the answers taken apart by their
 * framing alone. */
#ifndef RK_TEST_RAW_CLIENT_H
#define RK_TEST_RAW_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct raw_client {
    int fd;
    char *bytes; /* received, not taken yet */
    size_t len, room;
    bool is_closed; /* by the server */
};

struct raw_answer {
    int status;
    char *head; /* the status line and the headers, each line ended by CR LF; NUL at the end */
    char *body;
    size_t body_len;
};

void raw_client_open(struct raw_client *client, int port);
void raw_client_close(struct raw_client *client);

/* Sends all; false when the server does not take it any more. */
bool raw_client_send(struct raw_client *client, const void *bytes, size_t len);
bool raw_client_send_text(struct raw_client *client, const char *text);

/* Takes the next answer; `to_head` for one to HEAD, which has no body. False when the connection ended before a whole
 * answer; fails the test when nothing comes for several seconds. Free with raw_answer_fini. */
bool raw_client_receive(struct raw_client *client, bool to_head, struct raw_answer *answer);
void raw_answer_fini(struct raw_answer *answer);

/* The same for a request whose answer has to come. */
void raw_client_exchange(struct raw_client *client, const char *text, struct raw_answer *answer);

/* Waits for the end of the connection; returns how many more bytes came. */
size_t raw_client_receive_end(struct raw_client *client);

/* Whether the head has this header line, without its CR LF. */
bool raw_answer_has(const struct raw_answer *answer, const char *line);

/* Whether it has a header of this name. */
bool raw_answer_has_name(const struct raw_answer *answer, const char *name);

#endif
