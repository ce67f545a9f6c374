/* The store as a worker uses it: reads values itself, sends writes to the writer over a ring. One thread, the worker's
 * event loop, makes all the calls, and gets all the callbacks from rk_store_client_poll.
 *
 *   get    -> keydir lookup, pread, check            at once, if the page cache has it; else by a reader thread
 *   write  -> record built in the ring -> writer     answered by a completion
 *   update -> get, decide, write if still so         as often as it takes (store_update.h)
 */
#ifndef RK_STORE_CLIENT_H
#define RK_STORE_CLIENT_H

#include "store/store_types.h"

#include <stdatomic.h>

struct rk_detail;
struct rk_doorbell;
struct rk_keydir;
struct rk_ring;
struct rk_stats_client;
struct rk_store_client;

struct rk_store_client_settings {
    const struct rk_keydir *keydir;
    const uint8_t *hash_key;
    int data_dir_fd;
    struct rk_ring *requests;
    struct rk_ring *completions;
    uint64_t ring_bytes; /* data area of `requests` */
    struct rk_doorbell *writer_doorbell;
    int writer_event_fd;
    int own_event_fd; /* reader threads write it */
    const _Atomic uint64_t *last_sequence;
    const _Atomic uint64_t *files_edition; /* changes when files were unlinked; NULL: never */
    unsigned n_reader_threads;
    size_t max_open_files;
    struct rk_stats_client *stats;
};

enum rk_err rk_store_client_create(struct rk_store_client **client_out, const struct rk_store_client_settings *settings,
                                   struct rk_detail *detail);

/* What is under way is forgotten: its callbacks are not called. */
void rk_store_client_destroy(struct rk_store_client **client);

/* RK_OK with *value_out; RK_ERR_NOT_FOUND with value_out->sequence set; RK_ERR_CORRUPT, RK_ERR_IO; RK_ERR_LIMIT,
 * RK_ERR_NO_MEMORY: no file can be opened now; RK_ERR_FULL: too many operations are under way. RK_ERR_AGAIN: the disk
 * must be asked, `done` comes later unless the ticket is cancelled. The key is copied. The calling thread is a
 * registered reader (grace.h), outside of a read section. */
enum rk_err rk_store_client_get(struct rk_store_client *client, const void *key, size_t key_len,
                                const struct rk_store_arena *arena, struct rk_store_value *value_out,
                                rk_store_get_done_fn *done, void *context, rk_store_ticket *ticket_out);

/* Reads and checks bytes [offset, offset + size) of a large value; offset is a multiple of RK_STORE_PIECE_BYTES, size
 * is that, or what is left for the last piece. RK_OK, RK_ERR_CORRUPT, RK_ERR_IO, RK_ERR_FULL, or RK_ERR_AGAIN and
 * `done` later; `bytes` stays until then, or until it was cancelled. */
enum rk_err rk_store_client_read_piece(struct rk_store_client *client, struct rk_store_source *source, size_t offset,
                                       uint8_t *bytes, size_t size, rk_store_piece_done_fn *done, void *context,
                                       rk_store_ticket *ticket_out);
void rk_store_client_release(struct rk_store_client *client, struct rk_store_source *source);

/* RK_OK: submitted, `done` comes later. RK_ERR_AGAIN: the ring is full, nothing happened. RK_ERR_TOO_LARGE: no ring of
 * this size takes it. Everything is copied. */
enum rk_err rk_store_client_write(struct rk_store_client *client, const struct rk_store_write *write,
                                  rk_store_write_done_fn *done, void *context, rk_store_ticket *ticket_out);

/* RK_OK: begun, `done` comes later. RK_ERR_AGAIN: too many operations are under way, nothing happened;
 * RK_ERR_TOO_LARGE: so is the key. The key is copied; `arena` is used until `done` or cancel. */
enum rk_err rk_store_client_update(struct rk_store_client *client, const struct rk_store_update *update,
                                   const struct rk_store_arena *arena, rk_store_write_done_fn *done, void *context,
                                   rk_store_ticket *ticket_out);

/* `done` of this ticket is not called any more; what it started may still happen. Old tickets and 0 are fine. */
void rk_store_client_cancel(struct rk_store_client *client, rk_store_ticket ticket);

/* Shows what was written since the last call to the writer, and wakes it if it sleeps. Once a turn of the loop. */
void rk_store_client_flush(struct rk_store_client *client);

/* Calls back whatever is done. RK_ERR_CORRUPT: the completion ring makes no sense; the worker must end. */
enum rk_err rk_store_client_poll(struct rk_store_client *client);

/* Whether there is something to poll for: the look after arming the doorbell. */
bool rk_store_client_waiting(const struct rk_store_client *client);

/* Operations under way. */
size_t rk_store_client_n_pending(const struct rk_store_client *client);

#endif
