/* How the programs end. */
#ifndef RK_CLIENT_EXIT_H
#define RK_CLIENT_EXIT_H

/* The exit codes of all programs. */
enum rk_client_exit {
    RK_CLIENT_EXIT_DONE = 0,
    RK_CLIENT_EXIT_FAILED = 1, /* or the key is absent */
    RK_CLIENT_EXIT_USAGE = 2,
    RK_CLIENT_EXIT_NOT_RUNNING = 3,
    RK_CLIENT_EXIT_UNREACHABLE = 4, /* or it is no RackKV server, or did not answer in time */
    RK_CLIENT_EXIT_CONDITION = 5,   /* of the request does not hold */
    RK_CLIENT_EXIT_DENIED = 6,
};

/* Flushes standard output: the code, or RK_CLIENT_EXIT_FAILED with a message when what was printed did not arrive. */
enum rk_client_exit rk_client_finish(enum rk_client_exit code);

#endif
