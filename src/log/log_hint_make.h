/* Makes the hint of a sealed data file by reading it. */
#ifndef RK_LOG_LOG_HINT_MAKE_H
#define RK_LOG_LOG_HINT_MAKE_H

#include "disk/disk_hint.h"

struct rk_disk_identity;

/* What the making of a hint needs from outside. */
struct rk_log_hint_maker {
    void *context;
    /* Fills in the two parts of the key's fingerprint. */
    void (*fingerprint)(void *context, const uint8_t *key, size_t key_len, struct rk_disk_hint_entry *entry);
    bool (*go_on)(void *context); /* asked now and then; NULL: always */
};

/* Reads the sealed data file and writes its hint. RK_OK; RK_ERR_AGAIN: go_on said no; RK_ERR_CORRUPT: the data
 * file is not sealed or is damaged; RK_ERR_NO_SPACE, RK_ERR_IO. On failure nothing is left. Any thread of the master.
 */
enum rk_err rk_log_hint_make(int dir_fd, uint32_t file_number, const struct rk_disk_identity *identity,
                             const struct rk_log_hint_maker *maker, struct rk_detail *detail);

#endif
