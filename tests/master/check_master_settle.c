/* What `auto` becomes, and which values cannot be had together: by the functions that use them. */
#include "base/base_detail.h"
#include "base/base_machine.h"
#include "disk/disk_file.h"
#include "disk/disk_record.h"
#include "master/master_limits.h"
#include "master/master_settle.h"
#include "ring/ring_messages.h"
#include "test_main.h"

#include <string.h>

#define MIB ((uint64_t)1 << 20)

static struct rk_conf conf;
static struct rk_master_settled settled;
static struct rk_detail detail;

static void setup(void)
{
    rk_conf_init(&conf);
    detail.text[0] = '\0';
}

static void teardown(void)
{
    rk_conf_fini(&conf);
}

static void set(const char *assignment)
{
    ck_assert_msg(rk_conf_override(&conf, assignment, &detail) == RK_OK, "%s", detail.text);
}

static enum rk_err settle(unsigned n_cores, uint64_t memory_bytes)
{
    struct rk_machine machine = { .n_cores = n_cores, .memory_bytes = memory_bytes };

    strcpy(machine.cores_why, "cores of a test");
    strcpy(machine.memory_why, "memory of a test");
    return rk_master_settle(&conf, &machine, &settled, &detail);
}

static void check_note(size_t at, const char *section, const char *name, const char *text)
{
    ck_assert_uint_lt(at, settled.n_notes);
    ck_assert_str_eq(settled.notes[at].name[0], section);
    ck_assert_str_eq(settled.notes[at].name[1], name);
    ck_assert_msg(strstr(settled.notes[at].text, text) != NULL, "%s", settled.notes[at].text);
}

START_TEST(auto_is_what_the_machine_has)
{
    ck_assert_msg(settle(3, 4096 * MIB) == RK_OK, "%s", detail.text);
    ck_assert_uint_eq(conf.server.workers, 3);
    ck_assert_uint_eq(conf.keydir.max_bytes, 2048 * MIB);
    ck_assert_uint_eq(conf.ring.size_bytes, 65 * MIB);
    ck_assert_uint_eq(settled.n_notes, 4);
    check_note(0, "server", "workers", "auto: cores of a test");
    check_note(1, "keydir", "max_bytes", "auto: half of the memory of a test");
    check_note(2, "ring", "size", "auto: two records of limits.max_value");
    check_note(3, "limits", "upload_memory", "auto: as usual");
    ck_assert_uint_eq(conf.limits.upload_memory_bytes, 256 * MIB);
    ck_assert_uint_eq(settled.n_warnings, 0);
}
END_TEST

START_TEST(what_is_written_stays)
{
    set("server.workers=5");
    set("keydir.max_bytes=7MiB");
    set("ring.size=99MiB");
    set("limits.upload_memory=100MiB");
    ck_assert_int_eq(settle(3, 4096 * MIB), RK_OK);
    ck_assert_uint_eq(conf.server.workers, 5);
    ck_assert_uint_eq(conf.keydir.max_bytes, 7 * MIB);
    ck_assert_uint_eq(conf.ring.size_bytes, 99 * MIB);
    ck_assert_uint_eq(conf.limits.upload_memory_bytes, 100 * MIB);
    ck_assert_uint_eq(settled.n_notes, 0);
}
END_TEST

START_TEST(auto_has_bounds)
{
    ck_assert_int_eq(settle(1000, MIB), RK_OK);
    ck_assert_uint_eq(conf.server.workers, RK_CONF_WORKERS_MAX);
    ck_assert_uint_eq(conf.keydir.max_bytes, MIB);
    rk_conf_fini(&conf);
    rk_conf_init(&conf);
    ck_assert_int_eq(settle(1, 0), RK_OK); /* nobody says how much there is */
    ck_assert_uint_eq(conf.keydir.max_bytes, 1024 * MIB);
}
END_TEST

/* Small values need small rings; what there is more is for many writes, and small where memory is. */
START_TEST(rings_are_as_large_as_there_is_memory_for)
{
    set("limits.max_value=64KiB");
    ck_assert_int_eq(settle(2, 64 * 1024 * MIB), RK_OK);
    ck_assert_uint_eq(conf.ring.size_bytes, 64 * MIB);
    check_note(2, "ring", "size", "as usual");
    set("ring.size=auto");
    ck_assert_int_eq(settle(2, 192 * MIB), RK_OK);
    ck_assert_uint_eq(conf.ring.size_bytes, 6 * MIB); /* a 16th, of two workers */
    set("ring.size=auto");
    ck_assert_int_eq(settle(2, 8 * MIB), RK_OK);
    ck_assert_uint_eq(conf.ring.size_bytes, MIB);
}
END_TEST

START_TEST(more_than_there_is_gives_a_warning)
{
    set("keydir.max_bytes=3TiB");
    ck_assert_int_eq(settle(2, 4096 * MIB), RK_OK);
    ck_assert_uint_eq(settled.n_warnings, 1);
    ck_assert_ptr_nonnull(strstr(settled.warnings[0], "keydir.max_bytes (3145728 MiB)"));
    ck_assert_ptr_nonnull(strstr(settled.warnings[0], "2 workers (130 MiB)"));
    ck_assert_ptr_nonnull(strstr(settled.warnings[0], "the memory of a test"));
}
END_TEST

static void check_smallest_ring(uint64_t record_bytes)
{
    uint64_t needed = 2 * (sizeof(struct rk_ring_request) + record_bytes + RK_RING_HEADER_BYTES);
    char assignment[64];

    if (needed < 2 * MIB)
        return; /* smaller than a ring may be */
    for (unsigned enough = 0; enough < 2; enough++) {
        snprintf(assignment, sizeof assignment, "ring.size=%llu", (unsigned long long)needed - 1 + 4096 * enough);
        set(assignment);
        ck_assert_int_eq(settle(1, MIB), enough ? RK_OK : RK_ERR_INVALID);
    }
}

/* The smallest ring that is accepted takes the largest record, and no smaller one is accepted. */
START_TEST(what_is_accepted_holds_the_largest_record)
{
    static const char *const values[] = { "1", "1000", "64KiB", "65537", "1MiB", "7MiB", "32MiB", "100MiB", "512MiB" };
    static const char *const keys[] = { "1", "4096", "10KiB" };
    char assignment[64];

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        for (size_t j = 0; j < sizeof keys / sizeof keys[0]; j++) {
            uint64_t record;

            snprintf(assignment, sizeof assignment, "limits.max_value=%s", values[i]);
            set(assignment);
            snprintf(assignment, sizeof assignment, "limits.max_key=%s", keys[j]);
            set(assignment);
            set("ring.size=auto");
            set("limits.upload_memory=auto");
            ck_assert_msg(settle(1, MIB) == RK_OK, "%s", detail.text); /* little memory: the smallest ring */
            record =
                rk_record_size(conf.limits.max_key_bytes, RK_RECORD_METADATA_MAX, conf.limits.max_value_bytes, true);
            ck_assert_uint_le(sizeof(struct rk_ring_request) + record, rk_ring_message_max(conf.ring.size_bytes));
            check_smallest_ring(record);
        }
}
END_TEST

/* An override, further ones, the error. */
static const struct {
    const char *assignments[3];
    const char *error;
} contradictions[] = {
    { { "ring.size=33MiB" },
      "-o ring.size=33MiB: ring.size: 33MiB is too small for limits.max_value: 32MiB (the default); it must be at "
      "least "
      "65MiB" },
    { { "ring.size=64MiB" },
      "-o ring.size=64MiB: ring.size: 64MiB is too small for limits.max_value: 32MiB (the default); it must be at "
      "least "
      "65MiB" },
    { { "ring.size=8MiB", "limits.max_value=7MiB" },
      "-o ring.size=8MiB: ring.size: 8MiB is too small for limits.max_value: 7MiB; it must be at least 15MiB" },
    { { "log.file_size=32MiB" },
      "-o log.file_size=32MiB: log.file_size: 32MiB is too small for limits.max_value: 32MiB (the default); it must be "
      "at least 33MiB" },
    { { "log.file_size=64MiB", "limits.max_value=100MiB" },
      "-o log.file_size=64MiB: log.file_size: 64MiB is too small for limits.max_value: 100MiB; it must be at least "
      "101MiB" },
    { { "limits.max_head=4KiB" },
      "-o limits.max_head=4KiB: limits.max_head: 4KiB is too small for limits.max_key: 4KiB (the default); it must be "
      "at least 13KiB" },
};

START_TEST(contradictions_are_found)
{
    for (size_t i = 0; contradictions[_i].assignments[i] != NULL; i++)
        set(contradictions[_i].assignments[i]);
    ck_assert_int_eq(settle(2, 4096 * MIB), RK_ERR_INVALID);
    ck_assert_str_eq(detail.text, contradictions[_i].error);
}
END_TEST

/* What the errors above advise is good. */
START_TEST(the_advice_is_good)
{
    set("ring.size=65MiB");
    set("log.file_size=33MiB");
    ck_assert_msg(settle(2, 4096 * MIB) == RK_OK, "%s", detail.text);
    set("limits.max_value=7MiB");
    set("ring.size=15MiB");
    ck_assert_msg(settle(2, 4096 * MIB) == RK_OK, "%s", detail.text);
    set("ring.size=20000001"); /* any size, rounded to what is used */
    ck_assert_msg(settle(2, 4096 * MIB) == RK_OK, "%s", detail.text);
    ck_assert_uint_eq(conf.ring.size_bytes, 20000001 / 4096 * 4096);
}
END_TEST

/* Each slot, and each address that is not a Unix socket, costs its share. */
START_TEST(descriptors_are_counted)
{
    uint64_t master, worker;

    set("server.workers=1");
    master = rk_master_limits_master_fds(&conf);
    worker = rk_master_limits_worker_fds(&conf);
    set("server.workers=11");
    ck_assert_uint_eq(rk_master_limits_master_fds(&conf), master + 40);
    ck_assert_uint_eq(rk_master_limits_worker_fds(&conf), worker + 10);
    set("server.workers=1");
    set("http.listen=127.0.0.1:0,[::1]:0,unix:/tmp/x");
    ck_assert_uint_eq(rk_master_limits_master_fds(&conf), master + 2);
    ck_assert_uint_eq(rk_master_limits_worker_fds(&conf), worker + 2);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("master settle");
    TCase *tcase = tcase_create("settle");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, auto_is_what_the_machine_has);
    tcase_add_test(tcase, what_is_written_stays);
    tcase_add_test(tcase, auto_has_bounds);
    tcase_add_test(tcase, rings_are_as_large_as_there_is_memory_for);
    tcase_add_test(tcase, more_than_there_is_gives_a_warning);
    tcase_add_test(tcase, what_is_accepted_holds_the_largest_record);
    tcase_add_loop_test(tcase, contradictions_are_found, 0, sizeof contradictions / sizeof contradictions[0]);
    tcase_add_test(tcase, the_advice_is_good);
    tcase_add_test(tcase, descriptors_are_counted);
    suite_add_tcase(suite, tcase);
    return suite;
}
