#include "start_bed.h"

#include "base/base_diag.h"
#include "base/base_time.h"
#include "disk/disk_record.h"
#include "log/log_writer.h"
#include "test_dir.h"

#include <check.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_NS RK_NS_PER_S /* recovery begins then, for what it tells */
#define MIB      ((uint64_t)1 << 20)

struct start_bed bed;

static _Thread_local bool clock_stands; /* the others' does not */

uint64_t __real_rk_time_monotonic_ns(void);
uint64_t __wrap_rk_time_monotonic_ns(void);
void __wrap_rk_diag(enum rk_diag_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
enum rk_err __real_rk_recover_store(struct rk_log_store *store, struct rk_keydir_writer *keydir,
                                    const struct rk_recover_hooks *hooks, struct rk_recovery *result_out,
                                    struct rk_detail *why_out);
enum rk_err __wrap_rk_recover_store(struct rk_log_store *store, struct rk_keydir_writer *keydir,
                                    const struct rk_recover_hooks *hooks, struct rk_recovery *result_out,
                                    struct rk_detail *why_out);

uint64_t __wrap_rk_time_monotonic_ns(void)
{
    return clock_stands ? START_NS : __real_rk_time_monotonic_ns();
}

void __wrap_rk_diag(enum rk_diag_level level, const char *format, ...)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };
    int used = snprintf(bed.lines[bed.n_lines], sizeof bed.lines[0], "%s: ", names[level]);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(bed.lines[bed.n_lines] + used, sizeof bed.lines[0] - (size_t)used, format, args);
    va_end(args);
    ck_assert_uint_lt(++bed.n_lines, BED_LINES_MAX);
}

enum rk_err __wrap_rk_recover_store(struct rk_log_store *store, struct rk_keydir_writer *keydir,
                                    const struct rk_recover_hooks *hooks, struct rk_recovery *result_out,
                                    struct rk_detail *why_out)
{
    enum rk_err err;

    for (size_t i = 0; i < bed.play.n_steps; i++) {
        sem_wait(&bed.play.go);
        hooks->progress(hooks->context, &bed.play.steps[i]);
        sem_post(&bed.play.done);
    }
    if (bed.play.is_played)
        sem_wait(&bed.play.go);
    if (bed.play.is_played && bed.play.err != RK_OK) {
        if (bed.play.why != NULL)
            rk_detail_set(why_out, "%s", bed.play.why);
        return bed.play.err;
    }
    err = __real_rk_recover_store(store, keydir, hooks, result_out, why_out);
    if (bed.play.leaves)
        _exit(0);
    return err;
}

void bed_create(void)
{
    bed.dir = test_dir_create();
    rk_conf_init(&bed.conf);
    free(bed.conf.server.data_dir);
    bed.conf.server.data_dir = strdup(bed.dir);
    bed.conf.ring.size_bytes = MIB;
    bed.conf.keydir.max_bytes = 4 * MIB;
    bed.conf.merge.policy = RK_CONF_POLICY_NEVER;
    bed.options = (struct rk_master_options){ .conf = &bed.conf };
    memset(&bed.play, 0, sizeof bed.play);
    sem_init(&bed.play.go, 0, 0);
    sem_init(&bed.play.done, 0, 0);
}

void bed_destroy(void)
{
    rk_conf_fini(&bed.conf);
    test_dir_remove(&bed.dir);
}

uint32_t bed_state(void)
{
    return atomic_load(&bed.engine.board->state);
}

void bed_start(void)
{
    bed.detail.text[0] = '\0';
    bed.n_lines = 0;
    ck_assert_msg(rk_master_engine_lock(&bed.engine, &bed.conf, 1, &bed.detail) == RK_OK, "%s", bed.detail.text);
    ck_assert_msg(rk_master_engine_open(&bed.engine, &bed.conf, 1, &bed.detail) == RK_OK, "%s", bed.detail.text);
    ck_assert_uint_eq(bed_state(), RK_BOARD_RECOVERING);
    clock_stands = true;
    ck_assert_msg(rk_master_recovery_start(&bed.recovery, &bed.engine, &bed.options, &bed.detail) == RK_OK, "%s",
                  bed.detail.text);
    clock_stands = false;
}

bool bed_is_noticed(int timeout_ms)
{
    struct pollfd notice = { .fd = bed.engine.notice_fd, .events = POLLIN };

    return poll(&notice, 1, timeout_ms) == 1;
}

enum rk_err bed_end(void)
{
    enum rk_err err;

    ck_assert(bed_is_noticed(BED_DEADLINE_MS));
    ck_assert(rk_master_recovery_has_ended(bed.recovery));
    ck_assert_uint_eq(bed_state(), RK_BOARD_RECOVERING); /* the main thread decides */
    err = rk_master_recovery_join(&bed.recovery, &bed.detail);
    ck_assert_ptr_null(bed.recovery);
    return err;
}

void bed_next_step(void)
{
    sem_post(&bed.play.go);
    sem_wait(&bed.play.done);
}

static void put(const char *key)
{
    struct rk_record_parts parts = {
        .type = RK_RECORD_PUT, .key = key, .key_len = (uint16_t)strlen(key), .value = "v", .value_len = 1
    };
    uint8_t bytes[256];
    uint64_t size = rk_record_build(bytes, &parts), location, sequence;

    ck_assert_int_eq(
        rk_log_writer_stage(bed.engine.log, bytes, bytes + RK_RECORD_HEADER_BYTES, size, 1, &location, &sequence),
        RK_OK);
    ck_assert_int_eq(rk_log_writer_flush(bed.engine.log), RK_OK);
}

unsigned bed_n_told(const char *text)
{
    unsigned n = 0;

    for (size_t i = 0; i < bed.n_lines; i++)
        n += strstr(bed.lines[i], text) != NULL;
    return n;
}

/* A store with three records of two keys. */
void bed_fill(void)
{
    bed_start();
    ck_assert_int_eq(bed_end(), RK_OK);
    put("a");
    put("b");
    put("a");
    ck_assert_int_eq(rk_master_engine_close(&bed.engine), RK_OK);
}

void bed_check_filled(void)
{
    bed_start();
    ck_assert_msg(bed_end() == RK_OK, "%s", bed.detail.text);
    ck_assert_uint_eq(bed_n_told("info: recovered 2 keys from 3 records"), 1);
    ck_assert_uint_eq(bed_n_told("last sequence 3"), 1);
    ck_assert_uint_eq(atomic_load(&bed.engine.board->last_sequence), 3);
    ck_assert_uint_eq(atomic_load(&bed.engine.board->recovery.n_records), 3);
    ck_assert_uint_eq(atomic_load(&bed.engine.board->recovery.done_bytes),
                      atomic_load(&bed.engine.board->recovery.total_bytes));
    ck_assert_int_eq(rk_master_engine_close(&bed.engine), RK_OK);
}

void bed_tell_after(uint64_t ms)
{
    rk_master_recovery_tell(bed.recovery, START_NS + ms * RK_NS_PER_MS);
}
