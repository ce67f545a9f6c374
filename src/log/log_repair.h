/* What recovery does to files that a crash left. */
#ifndef RK_LOG_REPAIR_H
#define RK_LOG_REPAIR_H

#include "disk/disk_file.h"

struct rk_detail;

/* What a file's size, its header and its trailer say, without reading what is between them. */
struct rk_disk_file_summary {
    uint64_t file_bytes;
    bool has_header;
    enum rk_disk_file_kind kind;         /* has_header */
    uint64_t header_sequence;            /* has_header: an appended file has only higher ones */
    bool has_trailer;                    /* its last record is one, and it fits the file's size */
    struct rk_disk_file_trailer trailer; /* has_trailer */
    uint64_t trailer_sequence;           /* has_trailer: no higher one had been given out */
    uint32_t trailer_crc;                /* has_trailer: of its header, and so of all of it */
};

/* RK_OK; RK_ERR_NOT_FOUND, RK_ERR_IO. Whether what is missing matters is the caller's to judge. */
enum rk_err rk_disk_file_summarize(int dir_fd, uint32_t file_number, const struct rk_record_secret *secret,
                                   struct rk_disk_file_summary *summary_out, struct rk_detail *detail);

/* Makes sure that what is read from now on is what the device has: writes out the file's dirty pages, then drops its
 * clean ones. RK_ERR_IO when they cannot be written: then nobody knows what the file holds. */
enum rk_err rk_log_file_distrust_cache(int dir_fd, uint32_t file_number, struct rk_detail *detail);

/* Cuts a file behind its whole records, durably. Doing it twice is the same as once. */
enum rk_err rk_log_file_cut(int dir_fd, uint32_t file_number, uint64_t end_bytes, struct rk_detail *detail);

/* Puts the trailer behind the records of a file that was cut, durably. `sequence` is the highest that may have been
 * given out. */
enum rk_err rk_log_file_seal(int dir_fd, uint32_t file_number, const struct rk_disk_file_trailer *totals,
                             const struct rk_record_secret *secret, uint64_t sequence, struct rk_detail *detail);

#endif
