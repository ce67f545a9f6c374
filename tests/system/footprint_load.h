/* Clients that go through all keys over many connections at once, with requests one behind the other on each, and know
 * what every answer must be: the next one that is wrong fails the test.
 *
 * Each key belongs to one connection, whose requests the server executes in their order. So what a key holds follows
 * from how far its connection is: nothing of it is remembered. */
#ifndef RK_SPACE_LOAD_H
#define RK_SPACE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#define SPACE_VALUE_BYTES 100u

enum space_pass_kind {
    SPACE_WRITE,            /* every key gets its value of the round; one GET of any key beside four of these */
    SPACE_WRITE_AND_DELETE, /* the same; and of every key that is doomed, a while later, its DELETE */
    SPACE_CHECK,            /* a GET of every key, after a pass of the kind before */
};

struct space_pass {
    enum space_pass_kind kind;
    unsigned round; /* from 0; of SPACE_CHECK: of the last pass */
    unsigned n_keys;
    int port;
};

/* Returns when all is answered; the number of requests. */
uint64_t space_load_run(const struct space_pass *pass);

/* Whether the key is one of those, about half, that are deleted. */
bool space_key_is_doomed(unsigned key);

#endif
