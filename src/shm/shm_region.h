/* A region of shared memory: a memfd with a header that says what it is, mapped by the master, inherited by workers.
 *
 *   0        8        12        16                   24            64
 *   +--------+--------+---------+--------------------+------------- +------------------ ...
 *   | magic  | version| kind    | layout fingerprint | size (bytes) | what the kind says
 *   +--------+--------+---------+--------------------+------------- +------------------ ...
 *
 * 1. All of it is zeros before the creator writes; nothing in it is a pointer.
 * 2. Its size is sealed.
 * 3. An attach refuses a region of another kind, version or layout: two builds never share one. */
#ifndef RK_SHM_REGION_H
#define RK_SHM_REGION_H

#include "base/base_err.h"

#include <stddef.h>
#include <stdint.h>

#define RK_SHM_HEADER_BYTES 64u
#define RK_SHM_LINE_BYTES   64u /* what two processes write never shares a line of the cache */

struct rk_detail;

enum rk_shm_kind { RK_SHM_BOARD = 1, RK_SHM_RINGS = 2 };

/* One mapping of a region, in this process. `bytes` is where the header begins. */
struct rk_shm_region {
    int fd;
    uint8_t *bytes;
    size_t size_bytes;
};

/* Makes a region of size_bytes (header included) and maps it. The name shows in /proc/PID/maps. Master. */
enum rk_err rk_shm_region_create(struct rk_shm_region *region, enum rk_shm_kind kind, const char *name,
                                 size_t size_bytes, uint64_t layout, struct rk_detail *detail);

/* Maps an inherited region and checks its header: RK_ERR_MISMATCH when it is something else. The descriptor is not
 * taken over. Any process. */
enum rk_err rk_shm_region_attach(struct rk_shm_region *region, int fd, enum rk_shm_kind kind, uint64_t layout,
                                 struct rk_detail *detail);

/* Unmaps; closes the descriptor of a created region. Takes a zeroed region. Whoever created or attached it. */
void rk_shm_region_close(struct rk_shm_region *region);

#endif
