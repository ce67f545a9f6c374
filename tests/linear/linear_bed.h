/* A server that merges all the time, and clients that use it: what the tests of histories start with. */
#ifndef RK_LINEAR_BED_H
#define RK_LINEAR_BED_H

#include "linear_driver.h"
#include "system_server.h"
#include "test_sanitized.h"

#include <sys/types.h>

#define LINEAR_N_WORKERS 2
#define LINEAR_N_CLIENTS 16

#define LINEAR_STUCK_TIMEOUT_MS 10000

/* How much more a sanitized server takes for everything. */
#define LINEAR_BED_SLOW (TEST_SANITIZED ? 10u : 1u)

/* A figure of make check, smaller under the sanitizers; or, with RK_LONG in the environment, that of make check-long.
 */
size_t linear_bed_figure(size_t usual, size_t of_long_run);

/* How long a load may take to reach its figure; and, in seconds, how long a test may take. */
long linear_bed_limit_ms(void);
int linear_bed_timeout_s(void);

/* The fixture of a test case: a folder that is gone afterwards, as is what the test started. */
void linear_bed_setup(void);
void linear_bed_teardown(void);

/* The folder, and the server and the clients of the test that runs: NULL before they are started. */
extern char *linear_bed_dir;
extern struct system_server *linear_bed_server;
extern struct linear_driver *linear_bed_driver;

/* Starts the server on a folder, with a setting such as "log.sync=none", and counts its merges from here. */
void linear_bed_start_server(const char *folder, const char *setting);

/* Ends it by SIGKILL; its merges up to then count. */
void linear_bed_kill_server(void);

/* The same; then starts it again, and tells the clients. */
void linear_bed_restart_server(const char *folder, const char *setting);

/* The worker of the slot; waits for it when it is being started. */
pid_t linear_bed_worker(int slot);

/* Starts clients on it: so many operations at most, and a pause after each. */
void linear_bed_start_clients(size_t n_ops_max, unsigned think_us);

/* Waits for so many answers more; fails the test when they do not come. */
void linear_bed_wait(size_t n_answers);

/* Waits until merges have copied something, if they have not; stops the clients, checks the history, and says how much
 * there was. */
void linear_bed_finish(const char *what);

#endif
