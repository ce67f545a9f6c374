#include "master/master_settle.h"

#include "base/base_detail.h"
#include "base/base_machine.h"
#include "disk/disk_file.h"
#include "disk/disk_record.h"
#include "ring/ring_messages.h"
#include "shm/shm_handover.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#define MIB ((uint64_t)1 << 20)

#define KEYDIR_MIN_BYTES       MIB          /* the least that keydir.max_bytes may be */
#define KEYDIR_UNKNOWN_BYTES   (1024 * MIB) /* where nobody says how much memory there is */
#define RING_USUAL_BYTES       (64 * MIB)   /* many writes of usual size, while the disk syncs */
#define RING_MEMORY_FRACTION   16u          /* of the memory, all rings together, unless a record needs more */
#define RING_GRANULARITY_BYTES 4096u

#define UPLOAD_USUAL_BYTES (256 * MIB)

_Static_assert(RK_CONF_WORKERS_MAX == RK_HANDOVER_SLOTS_MAX, "as many workers as there may be slots");
_Static_assert(RK_CONF_LISTEN_MAX == RK_HANDOVER_LISTENERS_MAX, "as many listeners as a worker takes");

static void add_note(struct rk_master_settled *settled, const char *section, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void add_note(struct rk_master_settled *settled, const char *section, const char *name, const char *format, ...)
{
    struct rk_conf_note *note = &settled->notes[settled->n_notes++];
    va_list args;

    note->name[0] = section;
    note->name[1] = name;
    va_start(args, format);
    (void)vsnprintf(note->text, sizeof note->text, format, args); /* fits, or is cut: a comment */
    va_end(args);
}

/* The largest record that limits.* allow, with all that a record may have. */
static uint64_t largest_record_bytes(const struct rk_conf *conf)
{
    return rk_record_size(conf->limits.max_key_bytes, RK_RECORD_METADATA_MAX, conf->limits.max_value_bytes, true);
}

/* The smallest ring that takes such a record whenever it is empty enough. */
static uint64_t ring_bytes_for(uint64_t record_bytes)
{
    uint64_t message_bytes = sizeof(struct rk_ring_request) + record_bytes;
    uint64_t bytes = 2 * (message_bytes + RK_RING_HEADER_BYTES);

    while (rk_ring_message_max(bytes) < message_bytes)
        bytes += RK_RING_ALIGN_BYTES;
    return bytes;
}

static void settle_workers(struct rk_conf *conf, const struct rk_machine *machine, struct rk_master_settled *settled)
{
    if (conf->server.workers != 0)
        return;
    conf->server.workers = machine->n_cores < RK_CONF_WORKERS_MAX ? machine->n_cores : RK_CONF_WORKERS_MAX;
    add_note(settled, "server", "workers", "auto: %s", machine->cores_why);
}

static void settle_keydir(struct rk_conf *conf, const struct rk_machine *machine, struct rk_master_settled *settled)
{
    uint64_t bytes = machine->memory_bytes / 2 / MIB * MIB;

    if (conf->keydir.max_bytes != 0)
        return;
    if (machine->memory_bytes == 0)
        bytes = KEYDIR_UNKNOWN_BYTES;
    conf->keydir.max_bytes = bytes > KEYDIR_MIN_BYTES ? bytes : KEYDIR_MIN_BYTES;
    add_note(settled, "keydir", "max_bytes", "auto: half of the %s", machine->memory_why);
}

static void settle_ring(struct rk_conf *conf, const struct rk_machine *machine, struct rk_master_settled *settled)
{
    uint64_t needed = rk_conf_round_up(ring_bytes_for(largest_record_bytes(conf)));
    uint64_t share = machine->memory_bytes / RING_MEMORY_FRACTION / conf->server.workers / MIB * MIB;
    bool is_needed;

    if (conf->ring.size_bytes != 0) {
        conf->ring.size_bytes -= conf->ring.size_bytes % RING_GRANULARITY_BYTES;
        return;
    }
    if (share > RING_USUAL_BYTES || machine->memory_bytes == 0)
        share = RING_USUAL_BYTES;
    if (share < MIB)
        share = MIB;
    is_needed = needed >= share;
    conf->ring.size_bytes =
        is_needed ? (needed + RING_GRANULARITY_BYTES - 1) / RING_GRANULARITY_BYTES * RING_GRANULARITY_BYTES : share;
    if (is_needed)
        add_note(settled, "ring", "size", "auto: two records of limits.max_value");
    else if (share == RING_USUAL_BYTES)
        add_note(settled, "ring", "size", "auto: as usual, more than two records of limits.max_value");
    else
        add_note(settled, "ring", "size", "auto: with the other workers' a %uth of the %s", RING_MEMORY_FRACTION,
                 machine->memory_why);
}

/* A body takes up to twice its size while it comes. */
static void settle_upload(struct rk_conf *conf, struct rk_master_settled *settled)
{
    uint64_t several = 8 * conf->limits.max_value_bytes;

    if (conf->limits.upload_memory_bytes != 0)
        return;
    conf->limits.upload_memory_bytes = several > UPLOAD_USUAL_BYTES ? several : UPLOAD_USUAL_BYTES;
    add_note(settled, "limits", "upload_memory",
             several > UPLOAD_USUAL_BYTES ? "auto: room for four of limits.max_value" : "auto: as usual");
}

static enum rk_err check_sizes(const struct rk_conf *conf, struct rk_detail *detail)
{
    static const char *const ring_size[] = { "ring", "size" };
    static const char *const file_size[] = { "log", "file_size" };
    static const char *const max_value[] = { "limits", "max_value" };
    uint64_t record_bytes = largest_record_bytes(conf);
    enum rk_err err = rk_conf_check_holds(conf, ring_size, max_value, ring_bytes_for(record_bytes), detail);

    if (err == RK_OK)
        err = rk_conf_check_holds(conf, file_size, max_value, record_bytes + 2 * RK_DISK_FILE_FRAME_BYTES, detail);
    return err;
}

static void warn_of_memory(const struct rk_conf *conf, const struct rk_machine *machine,
                           struct rk_master_settled *settled)
{
    uint64_t rings_bytes = conf->server.workers * conf->ring.size_bytes;

    if (machine->memory_bytes == 0 || conf->keydir.max_bytes + rings_bytes <= machine->memory_bytes)
        return;
    (void)snprintf(settled->warnings[settled->n_warnings++], RK_MASTER_WARNING_BYTES,
                   "keydir.max_bytes (%" PRIu64 " MiB) and ring.size of %" PRIu64 " worker%s (%" PRIu64
                   " MiB) may come to more than the %s; lower keydir.max_bytes, limits.max_value with ring.size, or "
                   "server.workers",
                   conf->keydir.max_bytes / MIB, conf->server.workers, conf->server.workers == 1 ? "" : "s",
                   rings_bytes / MIB, machine->memory_why);
}

enum rk_err rk_master_settle(struct rk_conf *conf, const struct rk_machine *machine,
                             struct rk_master_settled *settled_out, struct rk_detail *detail)
{
    enum rk_err err = rk_conf_check(conf, detail);

    *settled_out = (struct rk_master_settled){ .n_notes = 0 };
    if (err != RK_OK)
        return err;
    settle_workers(conf, machine, settled_out);
    settle_keydir(conf, machine, settled_out);
    settle_ring(conf, machine, settled_out);
    settle_upload(conf, settled_out);
    warn_of_memory(conf, machine, settled_out);
    return check_sizes(conf, detail);
}
