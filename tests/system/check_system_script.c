/* A master is killed at every system call that it makes, from the first one of its program on: while it recovers what
 * a killed master left, and in a script of writes, deletes, roll-overs, hints and merges. What was acknowledged is
 * there each time, and what was not is there whole or not at all.
 *
 * Each round starts a server on a copy of the same folder, checks every key, does the script until the n-th call, and
 * checks every key with another server. RK_LONG=1 in the environment asks for the figures of `make check-long`. */
#include "system_client.h"
#include "system_counter.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"
#include "test_sanitized.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define N_KEYS          20
#define N_OPS           200
#define N_ROLLS         4
#define VALUE_BYTES_MAX 24000
#define DELETE_EVERY    6
#define N_CALL_NUMBERS  512
#define ANSWER_BYTES    4096
#define ABSENT          0u

#define STEP (TEST_SANITIZED ? 40u : 1u) /* a sanitized server starts slowly: some of the calls, others each time */

/* What a key may hold: the number of its last acknowledged value, and that of one write whose answer did not come. */
struct known {
    unsigned acknowledged;
    unsigned unknown;
};

/* Where a script begins: what each key holds, and what is drawn next. */
struct state {
    struct known keys[N_KEYS];
    unsigned last_number; /* of a value; none is given out twice */
    uint32_t random;
};

static char *dir;       /* of the round */
static char *begin_dir; /* what each round begins with */
static struct system_server *server;
static struct state now;

static void setup(void)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1); /* none of the thousands of starts has to wait for a disk */
    begin_dir = test_dir_create();
    dir = test_dir_create();
    server = NULL;
    now = (struct state){ .last_number = 0 };
}

static void teardown(void)
{
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGKILL), -SIGKILL);
    test_dir_remove(&dir);
    test_dir_remove(&begin_dir);
}

/* A new folder with the files of another; sockets are left out. */
static char *copy_folder(const char *from)
{
    char *to = test_dir_create(), path[600];
    DIR *folder = opendir(from);
    const struct dirent *entry;

    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder)) != NULL) {
        struct stat status;
        int from_fd, to_fd;

        ck_assert_int_eq(fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW), 0);
        if (!S_ISREG(status.st_mode))
            continue;
        snprintf(path, sizeof path, "%s/%s", to, entry->d_name);
        from_fd = openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC);
        to_fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, status.st_mode & 0777);
        ck_assert(from_fd >= 0 && to_fd >= 0);
        ck_assert_int_eq(sendfile(to_fd, from_fd, NULL, (size_t)status.st_size), status.st_size);
        close(from_fd);
        close(to_fd);
    }
    closedir(folder);
    return to;
}

static size_t value_of(unsigned number, char value[VALUE_BYTES_MAX])
{
    size_t size = 16 + (size_t)(number * 2654435761u >> 8) % (VALUE_BYTES_MAX - 16);
    int len = snprintf(value, VALUE_BYTES_MAX, "%u:", number);

    memset(value + len, (int)('a' + number % 26), size - (size_t)len);
    return size;
}

static void target_of(unsigned key, char target[32])
{
    snprintf(target, 32, "/v1/kv/key-%u", key);
}

/* The number that a key holds; -1: the server was killed, and its worker has gone, or says that it is going. */
static long read_number(struct system_client *client, unsigned key)
{
    static char expected[VALUE_BYTES_MAX];
    struct system_response response;
    char target[32];
    long number = -1;

    target_of(key, target);
    system_client_request(client, "GET", target, NULL, 0, &response);
    if (response.status == 404) {
        number = ABSENT;
    } else if (response.status == 200) {
        number = atol(response.body);
        ck_assert_msg(response.body_len == value_of((unsigned)number, expected)
                          && memcmp(response.body, expected, response.body_len) == 0,
                      "%s: %zu bytes that nobody wrote", target, response.body_len);
    } else {
        ck_assert_msg(response.status == 0 || response.status == 503, "%d: %s", response.status, response.body);
    }
    system_response_fini(&response);
    return number;
}

/* Whether all keys could be read: each is as the last acknowledged write left it, or the one without an answer. */
static bool check_keys(struct system_client *client, unsigned nth)
{
    for (unsigned key = 0; key < N_KEYS; key++) {
        long number = read_number(client, key);

        if (number < 0)
            return false;
        ck_assert_msg(number == now.keys[key].acknowledged || number == now.keys[key].unknown,
                      "round %u: key %u is %ld; acknowledged %u, without an answer %u", nth, key, number,
                      now.keys[key].acknowledged, now.keys[key].unknown);
        now.keys[key] = (struct known){ (unsigned)number, (unsigned)number };
    }
    return true;
}

/* Whether the answer says that it may have happened: the worker saw its master end. */
static bool is_unknown(const struct system_response *response)
{
    const char *outcome = response->status == 503 ? system_response_header(response, "RackKV-Outcome") : NULL;

    return outcome != NULL && strcmp(outcome, "unknown") == 0;
}

/* One write; whether it was done. */
static bool write_key(struct system_client *client, unsigned key)
{
    static char value[VALUE_BYTES_MAX];
    unsigned number = ++now.last_number;
    bool is_delete = number % DELETE_EVERY == 0;
    struct system_response response;
    char target[32];
    bool is_done;

    target_of(key, target);
    now.keys[key].unknown = is_delete ? ABSENT : number;
    system_client_request(client, is_delete ? "DELETE" : "PUT", target, is_delete ? NULL : value,
                          is_delete ? 0 : value_of(number, value), &response);
    is_done = response.status == 201 || response.status == 204 || (is_delete && response.status == 404);
    ck_assert_msg(is_done || response.status == 0 || is_unknown(&response), "%d: %s", response.status, response.body);
    system_response_fini(&response);
    if (is_done)
        now.keys[key].acknowledged = now.keys[key].unknown;
    return is_done;
}

static int connect_control(void)
{
    static const struct timeval patience = { .tv_sec = SYSTEM_DEADLINE_MS / 1000 };
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/control.sock", dir);
    (void)connect(fd, (const struct sockaddr *)&address, sizeof address); /* else the line is not answered */
    return fd;
}

/* A line to the control socket, and its answer. False: there was none, the server was killed. */
static bool ask(int fd, const char *line, char answer[ANSWER_BYTES])
{
    size_t n = 0;
    ssize_t got = send(fd, line, strlen(line), MSG_NOSIGNAL);

    while (got > 0 && (n == 0 || answer[n - 1] != '\n') && (got = read(fd, answer + n, ANSWER_BYTES - 1 - n)) > 0)
        n += (size_t)got;
    answer[n] = '\0';
    ck_assert_msg(got >= 0 || errno != EAGAIN, "%s: no answer", line);
    return got > 0;
}

/* A command that succeeds, unless the server was killed. */
static bool command(int fd, const char *line)
{
    char answer[ANSWER_BYTES];

    if (!ask(fd, line, answer))
        return false;
    ck_assert_msg(strncmp(answer, "{\"ok\":true", strlen("{\"ok\":true")) == 0, "%s: %s", line, answer);
    return true;
}

/* Whether the server lives until it has no merge to do any more. */
static bool wait_for_merge(int fd)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    char answer[ANSWER_BYTES];

    do {
        ck_assert_msg(system_now_ms() < deadline, "the merge does not end");
        usleep(1000);
        if (!ask(fd, "{\"command\":\"merge status\"}\n", answer))
            return false;
    } while (strstr(answer, "\"state\":\"idle\"") == NULL);
    return true;
}

/* Whether all of it was done. Files are sealed on the way, half of them are merged while writes go on, and all in the
 * end. */
static bool do_script(struct system_client *client, int control_fd)
{
    static const char roll[] = "{\"command\":\"roll\"}\n";
    static const char merge[] = "{\"command\":\"merge start\",\"all\":true}\n";

    for (unsigned i = 0; i < N_OPS; i++) {
        now.random = now.random * 1664525u + 1013904223u;
        if (!write_key(client, (now.random >> 16) % N_KEYS))
            return false;
        if (i % (N_OPS / N_ROLLS) == N_OPS / N_ROLLS - 1 && !command(control_fd, roll))
            return false;
        if (i == N_OPS / 2 && !command(control_fd, merge))
            return false;
    }
    return wait_for_merge(control_fd) && command(control_fd, merge) && wait_for_merge(control_fd);
}

static const char *const sync_modes[] = { "log.sync=always", "log.sync=interval", "log.sync=none" };

/* Starts a server on the folder of the round; whether it serves. */
static bool start_server(const char *sync, void (*before)(void))
{
    const char *arguments[] = { "-o", sync,
                                "-o", "server.workers=1",
                                "-o", "limits.max_value=64KiB",
                                "-o", "ring.size=1MiB",
                                "-o", "log.file_size=1MiB",
                                "-o", "log.reserve=64KiB",
                                "-o", "merge.policy=never",
                                "-o", "merge.min_free=0",
                                NULL };

    server = system_server_launch(dir, arguments, before);
    return system_server_wait_serving(server);
}

/* With the server that was started; whether it lived to the end of the script. */
static bool use_server(unsigned nth)
{
    struct system_client client = { .fd = -1, .port = system_server_port(server) };
    int control_fd = connect_control();
    bool is_done = check_keys(&client, nth) && do_script(&client, control_fd);

    close(control_fd);
    system_client_close(&client);
    return is_done;
}

/* What each round begins with: the script was done once, and half of it again, when the master was killed. */
static void make_begin(const char *sync)
{
    struct system_client client = { .fd = -1 };

    ck_assert(start_server(sync, NULL));
    ck_assert(use_server(0));
    client.port = system_server_port(server);
    for (unsigned i = 0; i < N_OPS / 2; i++)
        ck_assert(write_key(&client, i % N_KEYS));
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, SIGKILL), -SIGKILL);
    test_dir_remove(&begin_dir);
    begin_dir = dir;
    dir = NULL;
}

/* After the kill: another server has all that was acknowledged. */
static void check_left(const char *sync, unsigned nth)
{
    struct system_client client = { .fd = -1 };

    ck_assert_msg(start_server(sync, NULL), "round %u: nothing serves what was left", nth);
    client.port = system_server_port(server);
    ck_assert(check_keys(&client, nth));
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, SIGKILL), -SIGKILL);
}

/* What the rounds did. */
struct tally {
    unsigned n_killed[N_CALL_NUMBERS]; /* by the number of the call */
    unsigned n_rounds;
    unsigned n_serving; /* rounds that were killed while they served */
};

enum round { ROUND_KILLED, ROUND_DONE, ROUND_REFUSED };

/* One round, killed at its nth call, unless it was done before. */
static enum round run_round(const char *sync, unsigned nth, struct tally *tally)
{
    const struct state begin = now;
    bool is_serving, is_done = false;
    long call;
    int code;

    dir = copy_folder(begin_dir);
    system_counter_arm(nth);
    is_serving = start_server(sync, system_counter_attach);
    if (is_serving)
        is_done = use_server(nth);
    code = system_server_stop(&server, SIGKILL);
    if (code == SYSTEM_COUNTER_REFUSED)
        return ROUND_REFUSED;
    ck_assert_int_eq(code, -SIGKILL);
    check_left(sync, nth);
    test_dir_remove(&dir);
    now = begin;
    if (!system_counter_has_killed(&call)) {
        ck_assert_msg(is_done, "round %u: the script came to an end, and nobody was killed", nth);
        return ROUND_DONE;
    }
    ck_assert(call >= 0 && call < N_CALL_NUMBERS);
    tally->n_rounds++;
    tally->n_serving += is_serving;
    tally->n_killed[call]++;
    return ROUND_KILLED;
}

static void print_tally(const struct tally *tally, const char *sync)
{
    unsigned n_kinds = 0;

    for (unsigned call = 0; call < N_CALL_NUMBERS; call++)
        n_kinds += tally->n_killed[call] > 0;
    printf("%s: a master was killed at each of %u calls of %u kinds, %u of them before it served: 0 lost, 0 invented\n",
           sync, tally->n_rounds, n_kinds, tally->n_rounds - tally->n_serving);
}

static unsigned n_seeds(void)
{
    const char *text = getenv("RK_LONG");

    return text != NULL && text[0] != '\0' ? 20 : 1;
}

START_TEST(a_master_is_killed_at_every_call)
{
    const char *sync = sync_modes[_i % 3];
    struct tally tally = { .n_rounds = 0 };
    enum round round = ROUND_KILLED;

    now.random = (uint32_t)_i;
    make_begin(sync);
    for (unsigned nth = 1 + (unsigned)getpid() % STEP; round == ROUND_KILLED; nth += STEP)
        round = run_round(sync, nth, &tally);
    if (round == ROUND_REFUSED) {
        fprintf(stderr, "skipped: a process may not be traced here\n");
        return;
    }
    print_tally(&tally, sync);
    ck_assert_uint_gt(tally.n_rounds, 1000 / STEP);
    ck_assert_uint_gt(tally.n_serving, tally.n_rounds / 2);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system script");
    TCase *tcase = tcase_create("script");

    setvbuf(stdout, NULL, _IOLBF, 0);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, n_seeds() > 1 ? 7200 : 600);
    tcase_add_loop_test(tcase, a_master_is_killed_at_every_call, 0, (int)n_seeds());
    suite_add_tcase(suite, tcase);
    return suite;
}
