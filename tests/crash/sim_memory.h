/* A table of file operations on files that are in memory: what opens many images opens them here, in a tenth of the
 * time that real files take.
 *
 * 1. There is one directory, the root; any path names it. It does what the store asks of a directory, and for
 *    everything else it ends the test. Nothing waits, and nothing fails but for what is not there.
 * 2. The files of an image are lent: they are copied when they are changed, and the image must stay as it is until the
 *    next one is put.
 * 3. Descriptors are numbers that the kernel does not know: who goes past rk_io meets EBADF, not another file. None is
 *    open when an image is put, or at the end.
 * 4. Any thread. A process that is forked has a copy of it all. */
#ifndef RK_TEST_SIM_MEMORY_H
#define RK_TEST_SIM_MEMORY_H

#include "base/base_io.h"
#include "sim_image.h"

#define SIM_MEMORY_FIRST_FD (1 << 20)

extern const struct rk_io_ops sim_memory_ops;

/* From now on, until end: rk_io, and sim_image_write and sim_image_read with any root. There is no root yet. */
void sim_memory_begin(void);
void sim_memory_end(void);
bool sim_memory_is_used(void);

/* Whether it says that it copies on write (not, from begin on): then a store keeps a SPARE. */
void sim_memory_copy_on_write(bool copies);

void sim_memory_put(const struct sim_image *image);

/* A copy of what is there now. */
void sim_memory_get(struct sim_image *image);

#endif
