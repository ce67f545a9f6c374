/* What can be said of a data file without reading what is between its two ends. */
#ifndef RK_DISK_DISK_SUMMARY_H
#define RK_DISK_DISK_SUMMARY_H

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

#endif
