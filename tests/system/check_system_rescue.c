/* The full disk as it was first met: 4 clients overwrite 2,500 keys of 100 KB on a file system of 600 MiB, where they
 * take 250 MB, each write durable. It is full of dead bytes again and again, always comes back by itself, and has lost
 * nothing that was acknowledged. Minutes long: a part of make check-long, not of make check.
 *
 *   RK_RESCUE_PUTS=500   so many puts of each client, and not as many as write the disk over four times */
#include "system_client.h"
#include "system_disk.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISK_MIB    600u
#define N_CLIENTS   4u
#define N_KEYS      2500u
#define VALUE_BYTES 100000u
#define N_PUTS      6000u
#define RETRY_US    20000
#define PATIENCE_MS 300000 /* what is not back by then never will be */
#define TIMEOUT_S   7200

static const char *const kinds[] = { "ext4", "xfs", "btrfs", "tmpfs" };

#define N_KINDS (int)(sizeof kinds / sizeof kinds[0])

/* What a client did, for who looks afterwards. Each has keys of its own. */
struct figures {
    unsigned acknowledged[N_KEYS / N_CLIENTS]; /* the newest value of each key; 0: none */
    unsigned n_refused;
    long longest_ms; /* from the first refusal of a put until it was taken */
};

static char *dir, disk[256];
static struct system_server *server;
static struct figures *figures; /* one for each client, shared with it */
static bool is_mounted;

static void setup(void)
{
    dir = test_dir_create();
    figures = mmap(NULL, N_CLIENTS * sizeof *figures, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(figures, MAP_FAILED);
}

static void teardown(void)
{
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    if (is_mounted)
        system_disk_unmount(disk);
    munmap(figures, N_CLIENTS * sizeof *figures);
    test_dir_remove(&dir);
}

static void start_server(void)
{
    const char *arguments[] = { "-o", "log.file_size=16MiB", "-o", "limits.max_value=1MiB",
                                "-o", "log.sync=always",     NULL };

    server = system_server_start(disk, arguments);
}

static const char *target_of(unsigned key)
{
    static char target[32];

    snprintf(target, sizeof target, "/v1/kv/r%u", key);
    return target;
}

/* Until it is taken. The first bytes of a value say whose it is. */
static void put(struct system_client *client, unsigned number, unsigned at)
{
    struct figures *mine = &figures[number];
    unsigned key = at * N_CLIENTS + number, edition = mine->acknowledged[at] + 1;
    static char value[VALUE_BYTES];
    long begin_ms = system_now_ms(), took_ms;
    bool was_refused = false;
    int status;

    memset(value, (int)('a' + (key + edition) % 26), sizeof value);
    snprintf(value, sizeof value, "%u.%u.", key, edition);
    while ((status = system_client_status(client, "PUT", target_of(key), value, sizeof value)) == 507) {
        was_refused = true;
        mine->n_refused++;
        ck_assert_msg(system_now_ms() - begin_ms < PATIENCE_MS, "puts are refused for good");
        usleep(RETRY_US);
    }
    ck_assert_int_eq(status, edition == 1 ? 201 : 204);
    mine->acknowledged[at] = edition;
    took_ms = system_now_ms() - begin_ms;
    if (was_refused && took_ms > mine->longest_ms)
        mine->longest_ms = took_ms;
}

static void run_client(unsigned number, unsigned n_puts)
{
    struct system_client client = { .fd = -1 };
    unsigned dice = number + 1;

    ck_assert(system_client_open(&client, system_server_port(server)));
    for (unsigned at = 0; at < N_KEYS / N_CLIENTS; at++)
        put(&client, number, at);
    for (unsigned i = 0; i < n_puts; i++) {
        dice = dice * 1103515245u + 12345u;
        put(&client, number, dice / 65536 % (N_KEYS / N_CLIENTS));
    }
    system_client_close(&client);
}

static void run_clients(void)
{
    const char *asked = getenv("RK_RESCUE_PUTS");
    unsigned n_puts = asked != NULL ? (unsigned)strtoul(asked, NULL, 10) : N_PUTS;
    pid_t clients[N_CLIENTS];
    int status;

    for (unsigned i = 0; i < N_CLIENTS; i++) {
        clients[i] = check_fork();
        if (clients[i] == 0) {
            run_client(i, n_puts);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < N_CLIENTS; i++) {
        ck_assert_int_eq(waitpid(clients[i], &status, 0), clients[i]);
        ck_assert_msg(status == 0, "client %u could not go on", i);
    }
}

static void check_values(void)
{
    struct system_client client = { .fd = -1 };
    char text[32];

    ck_assert(system_client_open(&client, system_server_port(server)));
    for (unsigned key = 0; key < N_KEYS; key++) {
        snprintf(text, sizeof text, "%u.%u.", key, figures[key % N_CLIENTS].acknowledged[key / N_CLIENTS]);
        system_client_check(&client, target_of(key), 200, text);
    }
    system_client_close(&client);
}

static void report(const char *kind)
{
    unsigned n_refused = 0;
    long longest_ms = 0;

    for (unsigned i = 0; i < N_CLIENTS; i++) {
        n_refused += figures[i].n_refused;
        longest_ms = figures[i].longest_ms > longest_ms ? figures[i].longest_ms : longest_ms;
    }
    printf("%s, %u MiB: %u puts refused; the longest time until a put went on: %ld ms\n", kind, DISK_MIB, n_refused,
           longest_ms);
}

START_TEST(a_disk_full_of_dead_bytes_comes_back)
{
    const char *kind = kinds[_i];

    is_mounted = system_disk_mount_kind(dir, kind, DISK_MIB, disk, sizeof disk);
    if (!is_mounted)
        return;
    start_server();
    run_clients();
    report(kind);
    check_values();
    ck_assert_int_eq(system_server_stop(&server, SIGKILL), -SIGKILL);
    start_server();
    check_values();
}
END_TEST

/* The cases are named by their file systems. */
Suite *test_suite(void)
{
    Suite *suite = suite_create("system rescue");

    for (int i = 0; i < N_KINDS; i++) {
        TCase *tcase = tcase_create(kinds[i]);

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, TIMEOUT_S);
        tcase_add_loop_test(tcase, a_disk_full_of_dead_bytes_comes_back, i, i + 1);
        suite_add_tcase(suite, tcase);
    }
    return suite;
}
