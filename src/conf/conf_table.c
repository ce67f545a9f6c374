#include "conf/conf_table.h"

#include "conf/conf_access.h"
#include "conf/conf_address.h"
#include "conf/conf_window.h"

#include <string.h>

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

#define SECOND ((uint64_t)1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

#define OFFSET(member) offsetof(struct rk_conf, member)

static const char *const sync_words[] = { "always", "interval", "none", NULL };

_Static_assert(RK_CONF_SYNC_ALWAYS == 0 && RK_CONF_SYNC_INTERVAL == 1 && RK_CONF_SYNC_NONE == 2,
               "the order of sync_words");

static const char *const policy_words[] = { "auto", "never", "window", NULL };

_Static_assert(RK_CONF_POLICY_AUTO == 0 && RK_CONF_POLICY_NEVER == 1 && RK_CONF_POLICY_WINDOW == 2,
               "the order of policy_words");

static bool check_window(const char *text, const char **problem_out)
{
    struct rk_conf_window window;

    return rk_conf_window_parse(&window, text, problem_out);
}

static bool check_address(const char *text, const char **problem_out)
{
    struct rk_conf_address address;

    return rk_conf_address_parse(&address, text, problem_out);
}

/* clang-format off */
const struct rk_conf_key rk_conf_keys[RK_CONF_N_KEYS] = {
    { .section = "server", .name = "data_dir", .type = RK_CONF_STRING, .offset = OFFSET(server.data_dir),
      .default_text = "./data", .min = 1, .max = PATH_MAX - 1, .item_text = "the path of a directory",
      .doc = "The directory of the store; it is made if it is not there. A relative path starts at the directory in "
             "which the server was started, not at that of this file." },
    { .section = "server", .name = "pid_file", .type = RK_CONF_STRING, .offset = OFFSET(server.pid_file),
      .default_text = "", .min = 0, .max = PATH_MAX - 1, .item_text = "the path of a file, or \"\" for none",
      .doc = "A file that holds the master's process id while the server runs; \"\" is none." },
    { .section = "server", .name = "control_socket", .type = RK_CONF_STRING, .offset = OFFSET(server.control_socket),
      .default_text = "", .min = 0, .max = PATH_MAX - 1,
      .item_text = "the path of a Unix socket, or \"\" for control.sock in server.data_dir",
      .doc = "The Unix socket of rackkvctl(8), for the server's user alone; \"\" is control.sock in server.data_dir." },
    { .section = "server", .name = "log_file", .type = RK_CONF_STRING, .offset = OFFSET(server.log_file),
      .default_text = "", .min = 0, .max = PATH_MAX - 1,
      .item_text = "the path of a file, or \"\" for standard error (with --daemon: rackkvd.diag in server.data_dir)",
      .doc = "Where the server's messages go; \"\" is standard error, and with --daemon rackkvd.diag in "
             "server.data_dir. After the file was moved away, SIGUSR1 or rackkvctl reopen begins a new one." },
    { .section = "server", .name = "workers", .type = RK_CONF_INTEGER, .offset = OFFSET(server.workers),
      .auto_allowed = true, .default_text = "auto", .min = 1, .max = RK_CONF_WORKERS_MAX,
      .doc = "How many worker processes serve requests; auto is one a core that the server may run on, by its affinity "
             "and the processor quota of its control group." },
    { .section = "server", .name = "drain_timeout", .type = RK_CONF_DURATION,
      .offset = OFFSET(server.drain_timeout_ms), .default_text = "10s", .min = 0, .max = HOUR,
      .doc = "How long a server that drains waits for requests that are being answered, before it stops anyway." },

    { .section = "http", .name = "listen", .type = RK_CONF_LIST, .offset = OFFSET(http.listen),
      .count_offset = OFFSET(http.n_listen), .default_text = "127.0.0.1:8080", .min = 1, .max = RK_CONF_LISTEN_MAX,
      .check = check_address, .item_text = "host:port, \"[v6 address]:port\" or unix:/path",
      .doc = "Where to listen: host:port, \"[v6 address]:port\" (in quotes) or unix:/path; with port 0 the kernel "
             "chooses one." },
    { .section = "http", .name = "socket_mode", .type = RK_CONF_STRING, .offset = OFFSET(http.socket_mode),
      .default_text = "0600", .min = 3, .max = 4, .check = rk_conf_access_check_mode,
      .item_text = "a mode in octal digits, from 0600 to 0777",
      .doc = "The mode of the Unix sockets of http.listen, whatever the umask: who may write to the socket may read and "
             "write all keys. 0660 adds http.socket_group." },
    { .section = "http", .name = "socket_owner", .type = RK_CONF_STRING, .offset = OFFSET(http.socket_owner),
      .default_text = "", .min = 0, .max = 64, .check = rk_conf_access_check_owner,
      .item_text = "the name or number of a user, or \"\" for the server's",
      .doc = "The owner of the Unix sockets of http.listen; only root can give them away." },
    { .section = "http", .name = "socket_group", .type = RK_CONF_STRING, .offset = OFFSET(http.socket_group),
      .default_text = "", .min = 0, .max = 64, .check = rk_conf_access_check_group,
      .item_text = "the name or number of a group, or \"\" for the server's",
      .doc = "The group of the Unix sockets of http.listen, one of the server's own unless it runs as root; a proxy of "
             "that group gets in with http.socket_mode: 0660." },
    { .section = "http", .name = "legacy", .type = RK_CONF_BOOL, .offset = OFFSET(http.legacy),
      .default_text = "on",
      .doc = "Serve the original's endpoints /put, /get, /delete and /open as well." },
    { .section = "http", .name = "max_connections", .type = RK_CONF_INTEGER,
      .offset = OFFSET(http.max_connections), .default_text = "10000", .min = 1, .max = 1000000,
      .doc = "How many connections each worker has open at a time; fewer if the limit of open files (ulimit -n) is "
             "too low, of which some are kept for data files." },
    { .section = "http", .name = "request_timeout", .type = RK_CONF_DURATION,
      .offset = OFFSET(http.request_timeout_ms), .default_text = "30s", .min = 100, .max = HOUR,
      .doc = "How long the head of a request may take from its first byte to its last, and how long a request waits "
             "for the store; also the time over which http.min_rate is measured." },
    { .section = "http", .name = "min_rate", .type = RK_CONF_SIZE, .offset = OFFSET(http.min_rate_bytes),
      .default_text = "1KiB", .min = 0, .max = GIB,
      .doc = "How many bytes a second, on average over http.request_timeout, a client sends of a body, or takes of an "
             "answer; a slower one is cut. 0 is anything at all in that time." },
    { .section = "http", .name = "idle_timeout", .type = RK_CONF_DURATION,
      .offset = OFFSET(http.idle_timeout_ms), .default_text = "60s", .min = 100, .max = DAY,
      .doc = "How long a connection without a request stays open." },

    { .section = "limits", .name = "max_key", .type = RK_CONF_SIZE, .offset = OFFSET(limits.max_key_bytes),
      .default_text = "4096", .min = 1, .max = 16 * KIB,
      .doc = "The longest key, in bytes as stored; percent-encoded in a path it takes up to three times as many." },
    { .section = "limits", .name = "max_value", .type = RK_CONF_SIZE, .offset = OFFSET(limits.max_value_bytes),
      .default_text = "32MiB", .min = 1, .max = 512 * MIB,
      .doc = "The largest value. A record of this size must fit into log.file_size, and twice into "
             "ring.size." },
    { .section = "limits", .name = "max_head", .type = RK_CONF_SIZE, .offset = OFFSET(limits.max_head_bytes),
      .default_text = "32KiB", .min = 1 * KIB, .max = 256 * KIB,
      .doc = "The largest request line and headers together." },
    { .section = "limits", .name = "upload_memory", .type = RK_CONF_SIZE,
      .offset = OFFSET(limits.upload_memory_bytes), .auto_allowed = true, .default_text = "auto", .min = 2 * MIB,
      .max = TIB,
      .doc = "The memory of all workers together for requests that are being sent; beyond it, a body of more than "
             "64 KiB is refused with 503. It must hold one of limits.max_value, which takes up to twice as much. auto "
             "is 256 MiB, or room for four of limits.max_value." },
    { .section = "limits", .name = "max_fields", .type = RK_CONF_INTEGER, .offset = OFFSET(limits.max_fields),
      .default_text = "100", .min = 8, .max = 100, .doc = "The most header fields of a request." },
    { .section = "limits", .name = "list_time", .type = RK_CONF_DURATION,
      .offset = OFFSET(limits.list_time_ms), .default_text = "1s", .min = 10, .max = HOUR,
      .doc = "How long the server works for a page of a listing; one that would take longer is cut short, and says that "
             "it is not complete." },

    { .section = "log", .name = "sync", .type = RK_CONF_ENUM, .offset = OFFSET(log.sync), .default_text = "always",
      .words = sync_words,
      .doc = "When a write is on disk: always is before it is acknowledged (one fdatasync serves all that wait), "
             "interval is every log.sync_interval, none leaves it to the kernel." },
    { .section = "log", .name = "sync_interval", .type = RK_CONF_DURATION,
      .offset = OFFSET(log.sync_interval_ms), .default_text = "1s", .min = 1, .max = HOUR,
      .doc = "How often to sync at least with sync: interval; much that was written is synced earlier. A power failure loses at most about the last two intervals." },
    { .section = "log", .name = "file_size", .type = RK_CONF_SIZE, .offset = OFFSET(log.file_size_bytes),
      .default_text = "1GiB", .min = MIB, .max = 4 * GIB,
      .doc = "A data file that would grow past this is sealed, and a new one begun." },
    { .section = "log", .name = "reserve", .type = RK_CONF_SIZE, .offset = OFFSET(log.reserve_bytes),
      .default_text = "16MiB", .min = 0, .max = GIB,
      .doc = "Space on the disk that is kept for deletes: when the rest is full, puts are answered 507 until there is "
             "space again, and deletes go on. About 16000 deletes for each MiB; 0 is none." },

    { .section = "keydir", .name = "max_bytes", .type = RK_CONF_SIZE, .offset = OFFSET(keydir.max_bytes),
      .auto_allowed = true, .default_text = "auto", .min = MIB, .max = 8 * TIB,
      .doc = "The most memory that the index of all keys may take, about 25 bytes a key; when it is full, new keys are "
             "refused. auto is half of the memory that the machine has, or that the control group may have." },

    { .section = "ring", .name = "size", .type = RK_CONF_SIZE, .offset = OFFSET(ring.size_bytes),
      .auto_allowed = true, .default_text = "auto", .min = MIB, .max = 2 * GIB,
      .doc = "Shared memory of each worker for the writes that wait for the writer; when it is full, the worker "
             "answers 503. It must hold two records of limits.max_value; auto is what these need, or more (up to "
             "64MiB) where there is memory for it." },

    { .section = "merge", .name = "policy", .type = RK_CONF_ENUM, .offset = OFFSET(merge.policy),
      .default_text = "auto", .words = policy_words,
      .doc = "When the space of dead records is given back: auto is when a file passes a trigger, window is the same "
             "within merge.window only, never leaves it to rackkvctl(8)." },
    { .section = "merge", .name = "window", .type = RK_CONF_STRING, .offset = OFFSET(merge.window),
      .default_text = "22:00-06:00", .min = 11, .max = 11, .check = check_window,
      .item_text = "two times of the local day: 22:00-06:00",
      .doc = "When a merge may begin with policy: window, in local time; it may go past midnight." },
    { .section = "merge", .name = "check_interval", .type = RK_CONF_DURATION,
      .offset = OFFSET(merge.check_interval_ms), .default_text = "3m", .min = 100, .max = DAY,
      .doc = "How often to look what has expired, and whether there is something to merge." },
    { .section = "merge", .name = "jitter", .type = RK_CONF_INTEGER, .offset = OFFSET(merge.jitter_percent),
      .default_text = "30", .min = 0, .max = 90,
      .doc = "By how many percent, at random, merge.check_interval is longer or shorter each time, so that servers "
             "that were started together do not merge together." },
    { .section = "merge", .name = "trigger.fragmentation", .type = RK_CONF_INTEGER,
      .offset = OFFSET(merge.trigger.fragmentation_percent), .default_text = "60", .min = 1, .max = 100,
      .doc = "A file of which so many percent are dead starts a merge." },
    { .section = "merge", .name = "trigger.dead_bytes", .type = RK_CONF_SIZE,
      .offset = OFFSET(merge.trigger.dead_bytes), .default_text = "512MiB", .min = 1, .max = 4 * GIB,
      .doc = "A file of which so many bytes are dead starts a merge." },
    { .section = "merge", .name = "threshold.fragmentation", .type = RK_CONF_INTEGER,
      .offset = OFFSET(merge.threshold.fragmentation_percent), .default_text = "40", .min = 1, .max = 100,
      .doc = "A file of which so many percent are dead takes part in a merge; at most trigger.fragmentation." },
    { .section = "merge", .name = "threshold.dead_bytes", .type = RK_CONF_SIZE,
      .offset = OFFSET(merge.threshold.dead_bytes), .default_text = "128MiB", .min = 1, .max = 4 * GIB,
      .doc = "A file of which so many bytes are dead takes part in a merge; at most trigger.dead_bytes." },
    { .section = "merge", .name = "threshold.small_file", .type = RK_CONF_SIZE,
      .offset = OFFSET(merge.threshold.small_file_bytes), .default_text = "10MiB", .min = 0, .max = 4 * GIB,
      .doc = "Files smaller than this take part in a merge, so that they become one; 0 is none." },
    { .section = "merge", .name = "rate", .type = RK_CONF_SIZE, .offset = OFFSET(merge.rate_bytes),
      .default_text = "0", .min = 0, .max = TIB,
      .doc = "The most bytes that a merge copies in a second. A merge yields to requests in any case; 0 is no limit "
             "besides." },
    { .section = "merge", .name = "min_free", .type = RK_CONF_SIZE, .offset = OFFSET(merge.min_free_bytes),
      .default_text = "256MiB", .min = 0, .max = 16 * TIB,
      .doc = "Space on the disk that a merge leaves free: it needs room for what it copies before it gives any back." },

    { .section = "worker", .name = "reader_threads", .type = RK_CONF_INTEGER, .offset = OFFSET(worker.reader_threads),
      .default_text = "2", .min = 1, .max = 64,
      .doc = "Threads of each worker that read values which are not in the page cache." },
    { .section = "worker", .name = "stuck_timeout", .type = RK_CONF_DURATION,
      .offset = OFFSET(worker.stuck_timeout_ms), .default_text = "10s", .min = SECOND, .max = HOUR,
      .doc = "A worker that gives no sign of life for so long is killed and replaced." },
    { .section = "worker", .name = "respawn_delay", .type = RK_CONF_DURATION,
      .offset = OFFSET(worker.respawn_delay_ms), .default_text = "1s", .min = 0, .max = MINUTE,
      .doc = "How long to wait before a worker is started again that died before it was ready." },
};
/* clang-format on */

static const struct {
    const char *section;
    const char *doc;
} section_docs[] = {
    { "server", "the processes" },
    { "http", "the face to clients" },
    { "limits", "what a request may carry" },
    { "log", "the data files" },
    { "keydir", "the index in memory" },
    { "ring", "the way from a worker to the writer" },
    { "merge", "giving back the space of dead records" },
    { "worker", "the processes that serve" },
};

const struct rk_conf_key *rk_conf_key_lookup(const char *section, const char *name)
{
    for (size_t i = 0; i < RK_CONF_N_KEYS; i++)
        if (strcmp(rk_conf_keys[i].section, section) == 0 && strcmp(rk_conf_keys[i].name, name) == 0)
            return &rk_conf_keys[i];
    return NULL;
}

const char *rk_conf_section_doc(const char *section)
{
    for (size_t i = 0; i < sizeof section_docs / sizeof section_docs[0]; i++)
        if (strcmp(section_docs[i].section, section) == 0)
            return section_docs[i].doc;
    return NULL;
}

bool rk_conf_section_exists(const char *section)
{
    return rk_conf_section_doc(section) != NULL;
}

const struct rk_conf_key *rk_conf_section_end(const struct rk_conf_key *key)
{
    const struct rk_conf_key *end = key;

    while (end < rk_conf_keys + RK_CONF_N_KEYS && strcmp(end->section, key->section) == 0)
        end++;
    return end;
}

size_t rk_conf_group_len(const struct rk_conf_key *key)
{
    const char *dot = strchr(key->name, '.');

    return dot != NULL ? (size_t)(dot - key->name) : 0;
}

bool rk_conf_same_group(const struct rk_conf_key *key, const struct rk_conf_key *other)
{
    size_t len = rk_conf_group_len(key);

    return len == rk_conf_group_len(other) && memcmp(key->name, other->name, len) == 0;
}

const struct rk_conf_key *rk_conf_group_lookup(const char *section, const char *group)
{
    for (size_t i = 0; i < RK_CONF_N_KEYS; i++) {
        size_t len = rk_conf_group_len(&rk_conf_keys[i]);

        if (len > 0 && len == strlen(group) && strcmp(rk_conf_keys[i].section, section) == 0
            && memcmp(rk_conf_keys[i].name, group, len) == 0)
            return &rk_conf_keys[i];
    }
    return NULL;
}
