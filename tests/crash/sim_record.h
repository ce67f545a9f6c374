/* A table of file operations that does what the kernel does, or sim_memory, and records it. Files are those of one
 * directory, the root. */
#ifndef RK_TEST_SIM_RECORD_H
#define RK_TEST_SIM_RECORD_H

#include "sim_disk.h"
#include "sim_trace.h"

/* Puts the table in use and begins a trace. `base` is what is in the root now, all of it durable; NULL: there is no
 * root yet. `observe` is called before each operation that is recorded; may be NULL. */
void sim_record_begin(struct sim_trace *trace, const struct sim_image *base, void (*observe)(void *context),
                      void *context);

/* From now on nothing changes any more, as if the process were dead: each change fails and is not recorded. */
void sim_record_freeze(void);
void sim_record_thaw(void);

/* The disk is full: no file is made, and none is written or grows; they can be cut and removed. */
void sim_record_fill(bool is_full);

/* The table of sim_memory again if that is in use, or the kernel's, but that nothing waits for the disk. */
void sim_record_end(void);

void sim_trace_free(struct sim_trace *trace);

#endif
