/* What the counters of a running server tell, read from its board, which the master keeps open. One server at a time.
 */
#ifndef RK_LINEAR_BOARD_H
#define RK_LINEAR_BOARD_H

#include <stdint.h>
#include <sys/types.h>

/* Maps the board of a master, in place of the one that was mapped before. */
void linear_board_open(pid_t master);

/* How many grace periods have ended. */
uint64_t linear_board_grace_periods(void);

/* Waits until one has ended that began after `count`: two more, since one may have been running. Something must be
 * freed all the time, as by deletes. */
void linear_board_wait_grace(uint64_t count);

/* How many merges were done, and how many records they copied. */
uint64_t linear_board_merges(void);
uint64_t linear_board_merged_records(void);

#endif
