/* The store that is listed, as the files of this room see it: for src/list alone. */
#ifndef RK_LIST_WHERE_H
#define RK_LIST_WHERE_H

#include "disk/disk_record.h"

#include <stdatomic.h>

struct rk_keydir;
struct rk_stats_client;

struct rk_list_where {
    const struct rk_keydir *keydir;
    const uint8_t *hash_key;
    struct rk_record_secret secret; /* follows from it */
    int dir_fd;
    const _Atomic uint64_t *last_sequence; /* the last one that was published */
    struct rk_stats_client *stats;
    _Atomic bool is_stopping;
};

#endif
