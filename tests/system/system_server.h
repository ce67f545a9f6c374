/* A real rackkvd for a test: own folder, own port, and everything that it prints, line by line. Every wait has a
 * deadline, and a test that fails leaves no process behind (the server dies with the test). */
#ifndef RK_SYSTEM_SERVER_H
#define RK_SYSTEM_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#define SYSTEM_DEADLINE_MS 20000

struct system_server;

/* Starts `rackkvd` (or $RACKKVD) with -o for its folder and a port of 127.0.0.1 that nobody else gets, and the given
 * further arguments (NULL at the end). Main thread. Returns when it serves; fails the test when it does not. */
struct system_server *system_server_start(const char *data_dir, const char *const *arguments);

/* The same, and does not wait. `before`, if any, is called in
 * the child, right before the program begins. */
struct system_server *system_server_launch(const char *data_dir, const char *const *arguments, void (*before)(void));

/* Waits until it serves; false when it has ended before that. Fails the test when it does neither. */
bool system_server_wait_serving(struct system_server *server);

/* The same, and waits for its end instead: its exit code, its output in *output_out (to free). */
int system_server_run(const char *data_dir, const char *const *arguments, char **output_out);

/* The port, the same after a server was stopped and another one started. */
int system_server_port(const struct system_server *server);
pid_t system_server_pid(const struct system_server *server);

/* The pids of the workers that live now; returns how many. */
unsigned system_server_workers(const struct system_server *server, pid_t *pids, unsigned max);

/* Waits until a line with this text was printed (since the start); fails the test when it does not come. */
void system_server_wait_line(struct system_server *server, const char *text);
bool system_server_has_line(struct system_server *server, const char *text);

/* How often the text was printed so far. */
unsigned system_server_count(struct system_server *server, const char *text);

/* Sends the signal and waits for the end: the exit code, or minus the signal that ended it. Frees the handle. */
int system_server_stop(struct system_server **server, int signal_number);

/* Milliseconds of a monotonic clock, for deadlines. */
long system_now_ms(void);

#endif
