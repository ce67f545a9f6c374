/* The contract between the master and a worker: which descriptors a worker inherits, what stands on the board, and what
 * the two say to each other. Nothing else crosses the boundary.
 *
 * The board is one region that all processes map and write: small words for waking, counting and waiting, none of which
 * the master trusts. Each line has one side that writes it (a doorbell's, both):
 *
 *   +--------------+ 0
 *   | header       |  shm_region.h
 *   +--------------+ 64
 *   | rk_board     |  settings: the master, before the first worker starts
 *   |  writer      |  doorbell of the writer thread, last published sequence
 *   |  files       |  edition: the compactor
 *   |  recovery    |  progress: the recovering thread; state: the master's main thread
 *   |  slots[n]    |  one for each worker: its heartbeat, its doorbell
 *   +--------------+ grace_offset
 *   | grace region |  grace/grace_region.h
 *   +--------------+ stats_offset
 *   | counters     |  stats/stats_block.h: the writer's, then one block a slot
 *   +--------------+
 *
 * 1. A worker gets slot and incarnation as arguments; a slot's words are reset by the master between the waitpid() of
 *    one process and the start of the next, never while a process has the slot.
 * 2. The master believes nothing that a slot says: it uses it to decide when to look, not what is true.
 * 3. Until the state says SERVING the keydir is being made and nobody takes requests from the rings: a worker attaches
 *    to all of it, and uses none. Everything that it needs was stored before that word (release; a worker's load of it
 *    is the acquire). It never goes back. */
#ifndef RK_SHM_HANDOVER_H
#define RK_SHM_HANDOVER_H

#include "shm/shm_doorbell.h"
#include "shm/shm_region.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Inherited descriptors, always at these numbers; everything above the last listener is closed. A worker gets the
 * listening sockets of all slots; what waits at one whose worker stands still is taken by the others. */
enum rk_handover_fd {
    RK_HANDOVER_FD_BOARD = 3,
    RK_HANDOVER_FD_KEYDIR,
    RK_HANDOVER_FD_RINGS,       /* the request and completion ring of this slot */
    RK_HANDOVER_FD_DATA_DIR,    /* data files are opened relative to it */
    RK_HANDOVER_FD_LOCK,        /* held so that no second master starts while this worker lives */
    RK_HANDOVER_FD_WRITER_BELL, /* eventfd: wakes the writer */
    RK_HANDOVER_FD_WORKER_BELL, /* eventfd: wakes this worker */
    RK_HANDOVER_FD_CHANNEL,     /* socket to the master: rk_handover_message both ways; its end means death */
    RK_HANDOVER_FD_LISTENERS,   /* the first of n_listeners, and behind them n_other_listeners */
};

#define RK_HANDOVER_LISTENERS_MAX  16
#define RK_HANDOVER_SLOTS_MAX      64
#define RK_HANDOVER_FDS_MAX        (RK_HANDOVER_FD_LISTENERS - 3 + RK_HANDOVER_LISTENERS_MAX * RK_HANDOVER_SLOTS_MAX)
#define RK_HANDOVER_HASH_KEY_BYTES 16

/* One byte on the channel. */
enum rk_handover_message {
    RK_HANDOVER_READY = 'r',   /* worker: serves from now on */
    RK_HANDOVER_DRAIN = 'd',   /* master: stop listening, answer what is there, exit 0 */
    RK_HANDOVER_STOP = 's',    /* master: answer what was received, exit 0 soon */
    RK_HANDOVER_ABANDON = 'a', /* master: the time is over; end now (--single; a process is killed) */
    RK_HANDOVER_LOG = 'l',     /* master, with a descriptor: messages for people go there from now on */
};

/* The same descriptors as a worker finds them: at their fixed numbers in a process of its own, elsewhere as a thread.
 */
struct rk_handover {
    unsigned slot;
    int board_fd;
    int keydir_fd;
    int rings_fd;
    int data_dir_fd;
    int writer_bell_fd;
    int worker_bell_fd;
    int channel_fd;
    int listener_fds[RK_HANDOVER_LISTENERS_MAX];
};

struct rk_handover_settings {
    uint8_t hash_key[RK_HANDOVER_HASH_KEY_BYTES];
    uint64_t max_connections;
    uint64_t upload_memory_bytes; /* in all workers together */
    uint64_t min_rate_bytes;
    uint64_t request_timeout_ms;
    uint64_t idle_timeout_ms;
    uint64_t list_time_ms;
    uint64_t ring_bytes;
    uint32_t max_key_bytes;
    uint32_t max_value_bytes;
    uint32_t max_head_bytes;
    uint32_t max_fields;
    uint32_t n_reader_threads;
    uint32_t n_listeners;
    uint32_t n_other_listeners; /* n_listeners for each other slot, the next one first; or 0 */
    uint32_t legacy;
};

struct rk_board_slot {
    struct rk_doorbell doorbell;             /* the worker's event loop sleeps */
    _Alignas(64) _Atomic uint64_t heartbeat; /* goes up at every turn of the worker's loop */
    _Atomic uint32_t is_full;                /* it takes no connections now */
};

enum rk_board_state { RK_BOARD_RECOVERING, RK_BOARD_SERVING };

struct rk_board_recovery {
    _Atomic uint64_t done_bytes;
    _Atomic uint64_t total_bytes; /* 0: not known yet */
    _Atomic uint64_t n_records;
};

struct rk_board {
    uint8_t header[RK_SHM_HEADER_BYTES];
    struct rk_handover_settings settings;
    uint32_t n_slots;
    uint64_t grace_offset;
    uint64_t stats_offset;
    struct rk_doorbell writer_doorbell;
    _Alignas(64) _Atomic uint64_t last_sequence; /* the last one published */
    _Alignas(64) _Atomic uint64_t files_edition; /* one more each time data files were unlinked: close what is gone */
    _Alignas(64) struct rk_board_recovery recovery;
    _Alignas(64) _Atomic uint32_t state; /* enum rk_board_state */
    _Alignas(64) struct rk_board_slot slots[];
};

/* Changes with everything above and with the counters: what an attach compares. */
#define RK_BOARD_LAYOUT(stats_bytes) \
    ((uint64_t)sizeof(struct rk_board) << 32 | (uint64_t)sizeof(struct rk_board_slot) << 20 | (uint64_t)(stats_bytes))

/* Sends a message that carries a descriptor; false when the other side is gone, or does not read. Any thread. */
bool rk_handover_send_fd(int channel_fd, enum rk_handover_message message, int fd);

/* Takes one message: 1; 0 at the end, -1 as recv() does. *fd_out is the descriptor that came with it, close-on-exec and
 * the caller's; -1: none. Any thread. */
ssize_t rk_handover_receive(int channel_fd, char *message_out, int *fd_out);

#endif
