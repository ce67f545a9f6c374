/* Which file a log writer appends to: the first one, and the next. */
#include "log/log_writer_files.h"

#include "base/base_assert.h"
#include "base/base_io.h"
#include "base/base_open.h"
#include "base/base_time.h"
#include "log/log_store_change.h"
#include "log/log_writer_state.h"

#include <fcntl.h>
#include <string.h>

static struct rk_log_active_sizes sizes_of(const struct rk_log_writer *writer, bool needs_reserve)
{
    return (struct rk_log_active_sizes){ .limit_bytes = writer->file_size_bytes,
                                         .reserve_bytes = writer->reserve_bytes,
                                         .before_bytes = writer->stored_bytes + writer->active.end_bytes,
                                         .spare_bytes = writer->spare_now_bytes,
                                         .needs_reserve = needs_reserve,
                                         .must_allocate = writer->spare.size_bytes > 0 };
}

static void set_spare(struct rk_log_writer *writer, uint64_t spare_bytes)
{
    writer->spare_now_bytes = writer->active.sizes.spare_bytes = spare_bytes;
}

void rk_log_writer_lend_spare(struct rk_log_writer *writer)
{
    set_spare(writer, writer->spare_now_bytes / 2);
}

/* What is in a file need not be free besides. */
void rk_log_writer_take_spare(struct rk_log_writer *writer)
{
    set_spare(writer, rk_log_spare_make(&writer->spare) ? 0 : writer->spare_bytes);
}

/* Until it is made again, puts find no room. */
void rk_log_writer_open_spare(struct rk_log_writer *writer)
{
    rk_log_spare_give_up(&writer->spare);
    writer->spare.is_in_use = writer->spare.is_given_up;
    set_spare(writer, writer->spare.is_given_up ? UINT64_MAX : writer->spare_bytes);
}

void rk_log_writer_close_spare(struct rk_log_writer *writer)
{
    writer->spare.is_in_use = false;
}

uint64_t rk_log_writer_spare_bytes(const struct rk_log_writer *writer)
{
    return writer->spare_bytes;
}

/* The header's sequence says that all up to it were given out before this file: it survives the files before it. */
static enum rk_err create_file(struct rk_log_writer *writer, bool needs_reserve, struct rk_log_active *active,
                               struct rk_detail *detail)
{
    struct rk_disk_file_header header = {
        .file_number = rk_log_store_next_number(writer->store),
        .format_version = RK_DISK_FORMAT_VERSION,
        .kind = RK_DISK_FILE_APPENDED,
    };
    struct rk_record_stamp stamp = { .sequence = writer->last_sequence, .write_time_ms = rk_time_wall_ms() };
    struct rk_log_active_sizes sizes = sizes_of(writer, needs_reserve && !writer->spare.is_given_up);

    memcpy(header.uuid, rk_log_store_identity(writer->store)->uuid, sizeof header.uuid);
    return rk_log_active_create(active, rk_log_store_dir_fd(writer->store), &header, &stamp, &sizes, detail);
}

/* Goes on with a file of which all is durable. */
static void begin_file(struct rk_log_writer *writer, const struct rk_log_active *active)
{
    writer->stored_bytes += writer->active.end_bytes;
    writer->active = *active;
    writer->has_gap = false;
    writer->roll_again_ns = 0;
    atomic_store(&writer->file_number, active->file_number);
    atomic_store(&writer->flushed_bytes, active->end_bytes);
    atomic_store(&writer->durable_bytes, active->end_bytes);
    writer->wake_at_bytes = active->end_bytes + RK_LOG_WRITER_UNSYNCED_BYTES;
}

/* The number of the newest listed file if it holds no record, 0 otherwise. Recovery left it sealed or cut, so its size
 * tells. */
static uint32_t find_empty_newest(const struct rk_log_store *store)
{
    size_t n_files = rk_log_store_n_files(store);
    uint32_t newest = n_files > 0 ? rk_log_store_file(store, n_files - 1) : 0;
    char name[RK_DISK_FILE_NAME_BYTES];
    struct stat status;
    bool empty;
    int fd;

    if (newest == 0)
        return 0;
    rk_disk_file_name(name, newest);
    fd = rk_open_file(rk_log_store_dir_fd(store), name, O_RDONLY, 0);
    if (fd < 0)
        return 0;
    empty = rk_io->fstat(fd, &status) == 0 && status.st_size <= 2 * (off_t)RK_DISK_FILE_FRAME_BYTES;
    (void)rk_io->close(fd); /* nothing was written through it */
    return empty ? newest : 0;
}

/* Lists a new first file; an empty newest one gives its place to it. RK_ERR_NO_SPACE: it is not listed, and gone. */
static enum rk_err list_first_file(struct rk_log_writer *writer, struct rk_log_active *active, struct rk_detail *detail)
{
    uint32_t empty = find_empty_newest(writer->store);
    struct rk_disk_manifest_change change = {
        .removed = &empty,
        .n_removed = empty != 0,
        .added = &active->file_number,
        .n_added = 1,
        .last_sequence = writer->last_sequence,
    };
    char name[RK_DISK_FILE_NAME_BYTES];
    enum rk_err err = rk_log_store_stage(writer->store, &change, detail);

    if (err != RK_OK) {
        rk_log_active_close(active, true);
        return err;
    }
    err = rk_log_store_commit(writer->store, detail);
    if (err != RK_OK) {
        rk_log_active_close(active, err == RK_ERR_NO_SPACE); /* else it may be listed */
        return err == RK_ERR_NO_SPACE ? err : RK_ERR_IO;
    }
    if (empty != 0) {
        rk_disk_file_name(name, empty);
        (void)rk_io->unlink_at(rk_log_store_dir_fd(writer->store), name); /* not listed: if it stays, it is swept */
    }
    return RK_OK;
}

static enum rk_err begin_new(struct rk_log_writer *writer, struct rk_detail *detail)
{
    struct rk_log_active active;
    enum rk_err err = create_file(writer, false, &active, detail);

    if (err == RK_OK)
        err = list_first_file(writer, &active, detail);
    if (err == RK_OK)
        begin_file(writer, &active);
    return err;
}

static enum rk_err begin_with_newest(struct rk_log_writer *writer, const struct rk_log_newest *newest,
                                     struct rk_detail *detail)
{
    struct rk_log_active_sizes sizes = sizes_of(writer, false);
    struct rk_log_active active;
    enum rk_err err = rk_log_active_reopen(&active, rk_log_store_dir_fd(writer->store), newest, &sizes, detail);

    if (err == RK_OK)
        begin_file(writer, &active);
    writer->has_gap = err == RK_OK;
    return err;
}

enum rk_err rk_log_writer_begin(struct rk_log_writer *writer, const struct rk_log_newest *newest,
                                struct rk_detail *detail)
{
    bool can_go_on = newest != NULL && newest->file_number != 0;
    enum rk_err err = RK_ERR_NO_SPACE;

    if (!can_go_on || newest->is_sealed || newest->totals.n_records == 0)
        err = begin_new(writer, detail);
    return err == RK_ERR_NO_SPACE && can_go_on ? begin_with_newest(writer, newest, detail) : err;
}

/* The seal is made, and the next file did not become one: the sealed one goes on. RK_ERR_READ_ONLY when it cannot. */
static enum rk_err go_on_locked(struct rk_log_writer *writer, struct rk_log_active *next, struct rk_detail *detail)
{
    struct rk_detail why_not;

    rk_log_active_close(next, true);
    if (rk_log_active_unseal(&writer->active, &why_not) == RK_OK)
        return RK_ERR_NO_SPACE;
    *detail = why_not;
    return RK_ERR_READ_ONLY;
}

/* The next file is made, and its place in the list staged. Everything that needs space was done by then, but for the
 * trailer, and on some file systems the name. */
static enum rk_err switch_file_locked(struct rk_log_writer *writer, struct rk_log_active *next,
                                      struct rk_detail *detail)
{
    enum rk_err err = rk_log_writer_seal_locked(writer, detail);

    if (err != RK_OK) {
        rk_log_store_abort(writer->store);
        rk_log_active_close(next, true);
        return err;
    }
    err = rk_log_store_commit(writer->store, detail);
    if (err == RK_ERR_NO_SPACE)
        return go_on_locked(writer, next, detail);
    if (err != RK_OK) {
        rk_log_active_close(next, false); /* it may be listed */
        return RK_ERR_READ_ONLY;          /* and the sealed one must not grow */
    }
    rk_log_active_close(&writer->active, false);
    begin_file(writer, next);
    return RK_OK;
}

/* Makes the next file and stages its place in the list. */
static enum rk_err prepare_next(struct rk_log_writer *writer, struct rk_log_active *next, struct rk_detail *detail)
{
    struct rk_disk_manifest_change change = { .added = &next->file_number,
                                              .n_added = 1,
                                              .last_sequence = writer->last_sequence };
    enum rk_err err = create_file(writer, true, next, detail);

    if (err != RK_OK)
        return err;
    err = rk_log_store_stage(writer->store, &change, detail);
    if (err != RK_OK)
        rk_log_active_close(next, true);
    return err;
}

/* The same; where there is no room, with the room that this file gives back with its seal. Whoever comes first may get
 * that instead, and deletes are without a reserve then. */
static enum rk_err prepare_next_at_all_costs(struct rk_log_writer *writer, struct rk_log_active *next,
                                             struct rk_detail *detail)
{
    enum rk_err err = prepare_next(writer, next, detail);

    if (err != RK_ERR_NO_SPACE)
        return err;
    rk_log_active_release_room(&writer->active);
    err = prepare_next(writer, next, detail);
    if (err != RK_OK)
        rk_log_active_take_reserve(&writer->active);
    return err;
}

static enum rk_err switch_file(struct rk_log_writer *writer, struct rk_log_active *next, struct rk_detail *detail)
{
    enum rk_err err;

    rk_log_writer_lock(&writer->sync_lock);
    err = rk_log_writer_failed(writer, switch_file_locked(writer, next, detail), detail);
    rk_log_writer_unlock(&writer->sync_lock);
    return err;
}

enum rk_err rk_log_writer_roll_over(struct rk_log_writer *writer, bool at_all_costs)
{
    struct rk_detail detail = { "" };
    struct rk_log_active next;
    enum rk_err err = rk_log_writer_state(writer);

    RK_ASSERT(writer->batch.n_records == 0);
    if (err != RK_OK || writer->active.totals.n_records == 0)
        return err;
    if (writer->spare.is_given_up && !at_all_costs)
        return RK_ERR_NO_SPACE; /* what is free is for merges */
    err = at_all_costs ? prepare_next_at_all_costs(writer, &next, &detail) : prepare_next(writer, &next, &detail);
    if (err != RK_OK)
        return rk_log_writer_failed(writer, err, &detail);
    err = switch_file(writer, &next, &detail);
    if (err != RK_OK && err != RK_ERR_READ_ONLY)
        rk_log_active_take_reserve(&writer->active);
    else if (err == RK_OK && !at_all_costs && writer->spare_now_bytes == writer->spare_bytes)
        rk_log_writer_take_spare(writer); /* a store of one file costs the disk none */
    return err;
}
