#include "base/base_detail.h"
#include "base/base_unix.h"
#include "conf/conf.h"
#include "conf/conf_address.h"
#include "conf/conf_table.h"
#include "fuzz_conf.h"
#include "test_dir.h"
#include "test_main.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static enum rk_err load(struct rk_conf *conf, const char *text, struct rk_detail *detail)
{
    rk_conf_init(conf);
    return rk_conf_load_text(conf, "f", text, strlen(text), detail);
}

/* What a printer of the module prints, on the heap. */
static char *print_effective(const struct rk_conf *conf)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    rk_conf_print(conf, NULL, 0, out);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static char *print_page(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    print(out);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static char *read_whole(const char *path)
{
    char *text = calloc(1, 1 << 20);
    FILE *file = fopen(path, "re");

    ck_assert_msg(file != NULL, "%s is missing", path);
    ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, file), 0);
    fclose(file);
    return text;
}

START_TEST(defaults_are_those_of_the_documentation)
{
    struct rk_conf conf;

    rk_conf_init(&conf);
    ck_assert_str_eq(conf.server.data_dir, "./data");
    ck_assert_str_eq(conf.server.pid_file, "");
    ck_assert_uint_eq(conf.server.workers, 0);
    ck_assert_uint_eq(conf.server.drain_timeout_ms, 10000);
    ck_assert_uint_eq(conf.http.n_listen, 1);
    ck_assert_str_eq(conf.http.listen[0], "127.0.0.1:8080");
    ck_assert(conf.http.legacy);
    ck_assert_uint_eq(conf.http.max_connections, 10000);
    ck_assert_uint_eq(conf.http.request_timeout_ms, 30000);
    ck_assert_uint_eq(conf.http.idle_timeout_ms, 60000);
    ck_assert_uint_eq(conf.limits.max_key_bytes, 4096);
    ck_assert_uint_eq(conf.limits.max_value_bytes, 32u << 20);
    ck_assert_uint_eq(conf.limits.max_head_bytes, 32u << 10);
    ck_assert_uint_eq(conf.limits.max_fields, 100);
    ck_assert_int_eq(conf.log.sync, RK_CONF_SYNC_ALWAYS);
    ck_assert_uint_eq(conf.log.sync_interval_ms, 1000);
    ck_assert_uint_eq(conf.log.file_size_bytes, 1u << 30);
    ck_assert_uint_eq(conf.keydir.max_bytes, 0);
    ck_assert_uint_eq(conf.ring.size_bytes, 0);
    ck_assert_str_eq(conf.server.control_socket, "");
    ck_assert_int_eq(conf.merge.policy, RK_CONF_POLICY_AUTO);
    ck_assert_str_eq(conf.merge.window, "22:00-06:00");
    ck_assert_uint_eq(conf.merge.check_interval_ms, 180000);
    ck_assert_uint_eq(conf.merge.jitter_percent, 30);
    ck_assert_uint_eq(conf.merge.trigger.fragmentation_percent, 60);
    ck_assert_uint_eq(conf.merge.trigger.dead_bytes, 512u << 20);
    ck_assert_uint_eq(conf.merge.threshold.fragmentation_percent, 40);
    ck_assert_uint_eq(conf.merge.threshold.dead_bytes, 128u << 20);
    ck_assert_uint_eq(conf.merge.threshold.small_file_bytes, 10u << 20);
    ck_assert_uint_eq(conf.merge.rate_bytes, 0);
    ck_assert_uint_eq(conf.merge.min_free_bytes, 256u << 20);
    ck_assert_uint_eq(conf.worker.reader_threads, 2);
    ck_assert_uint_eq(conf.worker.stuck_timeout_ms, 10000);
    ck_assert_uint_eq(conf.worker.respawn_delay_ms, 1000);
    ck_assert_int_eq(rk_conf_check(&conf, NULL), RK_OK);
    rk_conf_fini(&conf);
    rk_conf_fini(&conf); /* a zeroed one is fine */
}
END_TEST

START_TEST(every_member_has_a_row_and_every_row_its_words)
{
    for (size_t i = 0; i < RK_CONF_N_KEYS; i++) {
        const struct rk_conf_key *key = &rk_conf_keys[i];

        ck_assert_ptr_nonnull(key->section);
        ck_assert_ptr_nonnull(rk_conf_section_doc(key->section));
        ck_assert_ptr_eq(rk_conf_key_lookup(key->section, key->name), key); /* no name twice */
        ck_assert_uint_gt(strlen(key->doc), 20);
        ck_assert_int_eq(key->doc[strlen(key->doc) - 1], '.');
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(rk_conf_keys[j].offset, key->offset);
    }
}
END_TEST

START_TEST(all_keys_are_read)
{
    unsigned begin_minute, end_minute;
    struct rk_detail detail = { "" };
    struct rk_conf conf;
    enum rk_err err =
        load(&conf,
             "# a comment\n"
             "server: {data_dir: /var/lib/rackkv, pid_file: '/run/r k.pid', workers: 3, drain_timeout: 0}\n"
             "http:\n"
             "  listen: [0.0.0.0:80, \"[::1]:0\", unix:/run/rackkv.sock, db-1.example.org:65535]\n"
             "  legacy: off\n"
             "  max_connections: 1\n"
             "  request_timeout: 500ms\n"
             "  idle_timeout: 1d\n"
             "limits:\n"
             "  max_key: 1\n"
             "  max_value: 10MB\n"
             "  max_head: \"64kB\"\n"
             "log:\n"
             "  sync: interval\n"
             "  sync_interval: 10m\n"
             "  file_size: 4294967296\n"
             "keydir:\n"
             "  max_bytes: 2TiB\n"
             "ring:\n"
             "  size: 1GiB\n"
             "merge:\n"
             "  policy: window\n"
             "  window: 23:30-00:15\n"
             "  check_interval: 1s\n"
             "  jitter: 0\n"
             "  trigger: {fragmentation: 50, dead_bytes: 1GiB}\n"
             "  threshold:\n"
             "    fragmentation: 50\n"
             "    dead_bytes: 64MiB\n"
             "    small_file: 0\n"
             "  rate: 50MB\n"
             "  min_free: 0\n"
             "worker:\n"
             "  reader_threads: 64\n"
             "  stuck_timeout: 1h\n"
             "  respawn_delay: 0s\n",
             &detail);

    ck_assert_msg(err == RK_OK, "%s", detail.text);
    ck_assert_str_eq(conf.server.data_dir, "/var/lib/rackkv");
    ck_assert_str_eq(conf.server.pid_file, "/run/r k.pid");
    ck_assert_uint_eq(conf.server.workers, 3);
    ck_assert_uint_eq(conf.server.drain_timeout_ms, 0);
    ck_assert_uint_eq(conf.http.n_listen, 4);
    ck_assert_str_eq(conf.http.listen[1], "[::1]:0");
    ck_assert_str_eq(conf.http.listen[3], "db-1.example.org:65535");
    ck_assert(!conf.http.legacy);
    ck_assert_uint_eq(conf.http.request_timeout_ms, 500);
    ck_assert_uint_eq(conf.http.idle_timeout_ms, 86400000);
    ck_assert_uint_eq(conf.limits.max_value_bytes, 10000000);
    ck_assert_uint_eq(conf.limits.max_head_bytes, 64000);
    ck_assert_int_eq(conf.log.sync, RK_CONF_SYNC_INTERVAL);
    ck_assert_uint_eq(conf.log.sync_interval_ms, 600000);
    ck_assert_uint_eq(conf.log.file_size_bytes, (uint64_t)1 << 32);
    ck_assert_uint_eq(conf.keydir.max_bytes, (uint64_t)2 << 40);
    ck_assert_int_eq(conf.merge.policy, RK_CONF_POLICY_WINDOW);
    rk_conf_merge_window(&conf, &begin_minute, &end_minute);
    ck_assert_uint_eq(begin_minute, 23 * 60 + 30);
    ck_assert_uint_eq(end_minute, 15);
    ck_assert_uint_eq(conf.merge.check_interval_ms, 1000);
    ck_assert_uint_eq(conf.merge.jitter_percent, 0);
    ck_assert_uint_eq(conf.merge.trigger.fragmentation_percent, 50);
    ck_assert_uint_eq(conf.merge.trigger.dead_bytes, 1u << 30);
    ck_assert_uint_eq(conf.merge.threshold.fragmentation_percent, 50);
    ck_assert_uint_eq(conf.merge.threshold.dead_bytes, 64u << 20);
    ck_assert_uint_eq(conf.merge.threshold.small_file_bytes, 0);
    ck_assert_uint_eq(conf.merge.rate_bytes, 50000000);
    ck_assert_uint_eq(conf.merge.min_free_bytes, 0);
    ck_assert_uint_eq(conf.worker.respawn_delay_ms, 0);
    ck_assert_int_eq(rk_conf_check(&conf, NULL), RK_OK);
    rk_conf_fini(&conf);
}
END_TEST

static const char *const good_texts[] = {
    "",
    "# nothing\n",
    "---\n...\n",
    "~\n",
    "{}",
    "server:\n",
    "server: {}\nhttp: ~\n",
    "%YAML 1.1\n---\nlog: {sync: none}\n",
    "http: {legacy: true}",
    "http: {legacy: 'false'}",
    "\xef\xbb\xbflog: {sync: always}\n",
    "\"server\": {\"workers\": \"auto\"}",
    "http:\n  listen:\n  - 127.0.0.1:0\n  - 127.0.0.1:0\n",
    "server: {data_dir: caf\xc3\xa9}",
    "merge: {trigger: {}, threshold: ~}",
    "merge:\n  trigger:\n  threshold:\n    small_file: 1GiB\n",
};

START_TEST(what_is_good_is_accepted)
{
    for (size_t i = 0; i < N_OF(good_texts); i++) {
        struct rk_detail detail = { "" };
        struct rk_conf conf;
        enum rk_err err = load(&conf, good_texts[i], &detail);

        ck_assert_msg(err == RK_OK, "%s: %s", good_texts[i], detail.text);
        ck_assert_int_eq(rk_conf_check(&conf, &detail), RK_OK);
        rk_conf_fini(&conf);
    }
}
END_TEST

/* The whole error. */
static const struct {
    const char *text;
    const char *error;
} bad_texts[] = {
    /* names */
    { "htp:\n  legacy: on\n", "f:1:1: there is no section 'htp'; did you mean http?" },
    { "max_key: 1\n", "f:1:1: there is no section 'max_key'; the key max_key belongs into limits" },
    { "zzzzzzzz: 1\n", "f:1:1: there is no section 'zzzzzzzz'" },
    { "log:\n  sinc: none\n", "f:2:3: there is no key 'sinc' in log; did you mean log.sync?" },
    { "server:\n  listen: [127.0.0.1:1]\n", "f:2:3: there is no key 'listen' in server; did you mean http.listen?" },
    { "server:\n    user: me\n", "f:2:5: there is no key 'user' in server" },
    { "log: {\"a\\tb\": 1}\n", "f:1:7: there is no key 'a\\x09b' in log" },
    { "? [a]\n: b\n", "f:1:3: a section is a name" },
    { "log:\n  ? [a]\n  : b\n", "f:2:5: a key is a name" },
    { "<<: {}\n", "f:1:1: there is no section '<<'" },
    { "merge:\n  fragmentation: 60\n",
      "f:2:3: there is no key 'fragmentation' in merge; did you mean merge.trigger.fragmentation?" },
    { "merge:\n  trigger.dead_bytes: 60\n",
      "f:2:3: there is no key 'trigger.dead_bytes' in merge; did you mean merge.trigger.dead_bytes?" },
    { "merge:\n  threshold:\n    dead_bites: 60\n",
      "f:3:5: there is no key 'dead_bites' in merge.threshold; did you mean merge.threshold.dead_bytes?" },
    { "merge:\n  trigger:\n    small_file: 60\n",
      "f:3:5: there is no key 'small_file' in merge.trigger; did you mean merge.threshold.small_file?" },
    { "merge:\n  triger:\n    dead_bytes: 60\n", "f:2:3: there is no key 'triger' in merge" },
    { "merge:\n  trigger:\n    ? [a]\n    : b\n", "f:3:7: a key is a name" },
    /* twice */
    { "log:\n  sync: none\n  sync: none\n", "f:3:3: log.sync is there twice: first in line 2" },
    { "log: {sync: none}\nring: {}\nlog: {}\n", "f:3:1: the section log is there twice: first in line 1" },
    { "merge: {trigger: {dead_bytes: 1}, trigger: {}}\n", "f:1:35: merge.trigger is there twice: first in line 1" },
    { "merge:\n  trigger:\n    dead_bytes: 1\n    dead_bytes: 2\n",
      "f:4:5: merge.trigger.dead_bytes is there twice: first in line 3" },
    /* types */
    { "merge: {trigger: 60}\n", "f:1:18: merge.trigger holds keys of its own: allowed is a mapping of keys to values" },
    { "merge: {window: 22:00}\n", "f:1:17: merge.window: '22:00' is not two times HH:MM-HH:MM from 00:00 to 23:59; "
                                  "allowed is two times of the local day: 22:00-06:00" },
    { "merge: {window: 22:00-24:00}\n",
      "f:1:17: merge.window: '22:00-24:00' is not two times HH:MM-HH:MM from 00:00 to 23:59; allowed is two times of "
      "the local day: 22:00-06:00" },
    { "merge: {window: 22:00-22:00}\n",
      "f:1:17: merge.window: '22:00-22:00' ends when it begins (a merge at any time is merge.policy: auto); allowed is "
      "two times of the local day: 22:00-06:00" },
    { "- a\n", "f:1:1: a configuration is a mapping of sections (server, http ...), each a mapping of keys to values" },
    { "hello\n",
      "f:1:1: a configuration is a mapping of sections (server, http ...), each a mapping of keys to values" },
    { "log: 1\n", "f:1:6: log is a section: allowed is a mapping of keys to values" },
    { "log:\n- sync\n", "f:2:1: log is a section: allowed is a mapping of keys to values" },
    { "log:\n  sync: [none]\n", "f:2:9: log.sync: this is a list; allowed is always, interval or none" },
    { "log:\n  sync: {a: b}\n", "f:2:9: log.sync: this is a mapping; allowed is always, interval or none" },
    { "log:\n  sync:\n", "f:2:8: log.sync: this is empty; allowed is always, interval or none" },
    { "server: {data_dir: ~}\n", "f:1:20: server.data_dir: this is empty; allowed is the path of a directory" },
    { "server: {data_dir: ''}\n", "f:1:20: server.data_dir: '' is empty; allowed is the path of a directory" },
    { "server: {data_dir: \"a\\nb\"}\n", "f:1:20: server.data_dir: 'a\\x0ab' has a control character, or is not UTF-8; "
                                         "allowed is the path of a directory" },
    { "server: {data_dir: \"a\\0b\"}\n", "f:1:20: there is a zero byte in the text" },
    { "log: {sync: Always}\n",
      "f:1:13: log.sync: 'Always' is not one of the words; allowed is always, interval or none" },
    { "http: {legacy: yes}\n",
      "f:1:16: http.legacy: 'yes' is neither on nor off; allowed is on or off (true or false)" },
    { "http: {legacy: 1}\n", "f:1:16: http.legacy: '1' is neither on nor off; allowed is on or off (true or false)" },
    { "worker: {reader_threads: two}\n",
      "f:1:26: worker.reader_threads: 'two' is not a whole number; allowed is a number from 1 to 64" },
    { "worker: {reader_threads: 2.5}\n",
      "f:1:26: worker.reader_threads: '2.5' is not a whole number; allowed is a number from 1 to 64" },
    { "worker: {reader_threads: auto}\n",
      "f:1:26: worker.reader_threads: 'auto' is not a whole number; allowed is a number from 1 to 64" },
    { "worker: {reader_threads: 2k}\n",
      "f:1:26: worker.reader_threads: '2k' is not a whole number; allowed is a number from 1 to 64" },
    /* ranges */
    { "worker: {reader_threads: -1}\n",
      "f:1:26: worker.reader_threads: '-1' is negative; allowed is a number from 1 to 64" },
    { "worker: {reader_threads: 0}\n",
      "f:1:26: worker.reader_threads: '0' is too small; allowed is a number from 1 to 64" },
    { "worker: {reader_threads: 65}\n",
      "f:1:26: worker.reader_threads: '65' is too large; allowed is a number from 1 to 64" },
    { "server: {workers: 65}\n",
      "f:1:19: server.workers: '65' is too large; allowed is a number from 1 to 64, or auto" },
    { "server: {workers: 0}\n", "f:1:19: server.workers: '0' is too small; allowed is a number from 1 to 64, or auto" },
    { "ring: {size: 18446744073709551616}\n",
      "f:1:14: ring.size: '18446744073709551616' is too large; allowed is a size from 1MiB to 2GiB, or auto" },
    { "ring: {size: 18014398509481984KiB}\n",
      "f:1:14: ring.size: '18014398509481984KiB' is too large; allowed is a size from 1MiB to 2GiB, or auto" },
    { "ring: {size: 0}\n", "f:1:14: ring.size: '0' is too small; allowed is a size from 1MiB to 2GiB, or auto" },
    /* modes, users, groups */
    { "http: {socket_mode: 0400}\n",
      "f:1:21: http.socket_mode: '0400' is no such mode; allowed is a mode in octal digits, from 0600 to 0777" },
    { "http: {socket_mode: 1777}\n",
      "f:1:21: http.socket_mode: '1777' is no such mode; allowed is a mode in octal digits, from 0600 to 0777" },
    { "http: {socket_mode: 0688}\n",
      "f:1:21: http.socket_mode: '0688' is no such mode; allowed is a mode in octal digits, from 0600 to 0777" },
    { "http: {socket_mode: \"\"}\n",
      "f:1:21: http.socket_mode: '' is no such mode; allowed is a mode in octal digits, from 0600 to 0777" },
    { "http: {socket_owner: no.such.user}\n", "f:1:22: http.socket_owner: 'no.such.user' is no user of this system; "
                                              "allowed is the name or number of a user, or \"\" for the server's" },
    { "http: {socket_owner: 4294967295}\n", "f:1:22: http.socket_owner: '4294967295' is no user of this system; "
                                            "allowed is the name or number of a user, or \"\" for the server's" },
    { "http: {socket_group: no.such.group}\n", "f:1:22: http.socket_group: 'no.such.group' is no group of this system; "
                                               "allowed is the name or number of a group, or \"\" for the server's" },
    /* units */
    { "ring: {size: 1.5MiB}\n", "f:1:14: ring.size: '1.5MiB' has a fraction: write a smaller unit instead; "
                                "allowed is a size from 1MiB to 2GiB, or auto" },
    { "ring: {size: 2 MiB}\n",
      "f:1:14: ring.size: '2 MiB' is not a number of bytes, nor one with a unit KiB, MiB, GiB, "
      "TiB, kB, MB, GB, TB; allowed is a size from 1MiB to 2GiB, or auto" },
    { "log: {sync_interval: 10}\n", "f:1:22: log.sync_interval: '10' has no unit: ms, s, m, h or d; "
                                    "allowed is a duration from 1ms to 1h" },
    { "log: {sync_interval: 10min}\n", "f:1:22: log.sync_interval: '10min' is not a number with a unit ms, s, m, h or "
                                       "d; allowed is a duration from 1ms to 1h" },
    { "log: {sync_interval: 61m}\n",
      "f:1:22: log.sync_interval: '61m' is too large; allowed is a duration from 1ms to 1h" },
    /* lists */
    { "http: {listen: 127.0.0.1:1}\n", "f:1:16: http.listen: this is not a list; allowed is a list of 1 to 16, each "
                                       "host:port, \"[v6 address]:port\" or unix:/path: [a, b]" },
    { "http: {listen: {a: b}}\n", "f:1:16: http.listen: this is a mapping; allowed is a list of 1 to 16, each "
                                  "host:port, \"[v6 address]:port\" or unix:/path: [a, b]" },
    { "http: {listen: []}\n", "f:1:16: http.listen: the list has 0 items; allowed is a list of 1 to 16, each "
                              "host:port, \"[v6 address]:port\" or unix:/path" },
    { "http:\n  listen:\n    - a:1\n    - [::1]:80\n", "f:4:7: http.listen: an item is not a plain text; what begins "
                                                       "with a bracket or has \": \" in it stands in quotes" },
    { "http: {listen: [[a]]}\n", "f:1:17: http.listen: an item is not a plain text; what begins with a bracket or has "
                                 "\": \" in it stands in quotes" },
    { "http: {listen: [a:1, ~]}\n",
      "f:1:22: http.listen: an item is empty; what begins with a bracket or has \": \" in "
      "it stands in quotes" },
    { "http:\n  listen:\n    - a:1\n    - b\n",
      "f:4:7: http.listen: 'b' has no :port at its end; allowed is a list of 1 "
      "to 16, each host:port, \"[v6 address]:port\" or unix:/path" },
    /* YAML that is refused */
    { "log: &a {sync: none}\n", "f:1:6: anchors (&name) are not used in a configuration" },
    { "log: {sync: &a none}\n", "f:1:13: anchors (&name) are not used in a configuration" },
    { "&a log: {}\n", "f:1:1: anchors (&name) are not used in a configuration" },
    { "http: {listen: &a [a:1]}\n", "f:1:16: anchors (&name) are not used in a configuration" },
    { "ring: *a\n", "f:1:7: aliases (*name) are not used in a configuration: repeat the value" },
    { "ring: {size: !!int 5}\n", "f:1:14: tags (!name) are not used in a configuration" },
    { "!x {}\n", "f:1:1: tags (!name) are not used in a configuration" },
    { "log: {}\n---\nring: {}\n", "f:2:1: a second document begins here; a configuration is one" },
    { "log:\n\tsync: none\n",
      "f:2:1: this is not YAML: found character that cannot start any token, while scanning for "
      "the next token" },
    { "log: {sync: none\n", "f:2:1: this is not YAML: did not find expected ',' or '}', while parsing a flow mapping" },
    { "log:\n  sync: none\n \xff\n", "f:3:2: this is not YAML: invalid leading UTF-8 octet" },
    { "log: \"\x01\"\n", "f:1:7: this is not YAML: control characters are not allowed" },
};

START_TEST(what_is_bad_is_refused_at_its_place)
{
    for (size_t i = 0; i < N_OF(bad_texts); i++) {
        struct rk_detail detail = { "" };
        struct rk_conf conf;
        enum rk_err err = load(&conf, bad_texts[i].text, &detail);

        ck_assert_str_eq(detail.text, bad_texts[i].error);
        ck_assert_int_eq(err, RK_ERR_INVALID);
        rk_conf_fini(&conf);
        ck_assert_int_eq(load(&conf, bad_texts[i].text, NULL), RK_ERR_INVALID);
        rk_conf_fini(&conf);
    }
}
END_TEST

START_TEST(the_seventeenth_listener_is_refused)
{
    struct rk_detail detail = { "" };
    struct rk_conf conf;
    char text[512] = "http:\n  listen:\n";

    for (int i = 0; i < RK_CONF_LISTEN_MAX; i++)
        strcat(text, "  - a:1\n");
    ck_assert_int_eq(load(&conf, text, &detail), RK_OK);
    rk_conf_fini(&conf);
    strcat(text, "  - a:1\n");
    ck_assert_int_eq(load(&conf, text, &detail), RK_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(detail.text, "f:19:5: http.listen: this is one item too many"));
    rk_conf_fini(&conf);
}
END_TEST

static const struct {
    const char *text;
    const char *problem; /* NULL: good */
} addresses[] = {
    { "127.0.0.1:8080", NULL },
    { "0.0.0.0:0", NULL },
    { "localhost:65535", NULL },
    { "my_host-1.example.org:1", NULL },
    { "[::1]:80", NULL },
    { "[fe80::1:2]:80", NULL },
    { "unix:/run/x.sock", NULL },
    { "unix:/a", NULL },
    { "", "has no :port at its end" },
    { "localhost", "has no :port at its end" },
    { "[::1]", "has no :port at its end" },
    { "[::1", "has no :port at its end" },
    { "[::1]x:80", "has something else than :port after the bracket" },
    { "[::zz]:80", "has no valid IPv6 address between the brackets" },
    { "[]:80", "has no valid IPv6 address between the brackets" },
    { "::1:80", "has an IPv6 address without brackets: [::1]:8080" },
    { ":80", "has no host before the port (0.0.0.0 is every IPv4 address of the machine)" },
    { "*:80", "has a character that no host name has" },
    { "a b:80", "has a character that no host name has" },
    { "127.0.0.256:80", "has no valid IPv4 address" },
    { "1.2.3:80", "has no valid IPv4 address" },
    { "a:", "has no port from 0 (the kernel chooses) to 65535" },
    { "a:65536", "has no port from 0 (the kernel chooses) to 65535" },
    { "a:-1", "has no port from 0 (the kernel chooses) to 65535" },
    { "a:000001", "has no port from 0 (the kernel chooses) to 65535" },
    { "a:http", "has no port from 0 (the kernel chooses) to 65535" },
    { "unix:", "is a Unix socket whose path does not begin with /" },
    { "unix:run/x", "is a Unix socket whose path does not begin with /" },
    { "unix:/run/", "is a Unix socket whose path ends with /" },
};

START_TEST(addresses_are_taken_apart)
{
    for (size_t i = 0; i < N_OF(addresses); i++) {
        struct rk_conf_address address;
        const char *problem = NULL;
        bool good = rk_conf_address_parse(&address, addresses[i].text, &problem);

        ck_assert_int_eq(good, addresses[i].problem == NULL);
        if (!good)
            ck_assert_str_eq(problem, addresses[i].problem);
    }
}
END_TEST

START_TEST(parts_of_an_address)
{
    struct rk_conf_address address;
    const char *problem = NULL;
    char long_path[160] = "unix:/";

    ck_assert(rk_conf_address_parse(&address, "[fe80::1]:8081", &problem));
    ck_assert_str_eq(address.host, "fe80::1");
    ck_assert_uint_eq(address.port, 8081);
    ck_assert(rk_conf_address_parse(&address, "unix:/run/a:b.sock", &problem));
    ck_assert_int_eq(address.kind, RK_CONF_ADDRESS_UNIX);
    ck_assert_str_eq(address.path, "/run/a:b.sock");
    memset(long_path + 6, 'x', RK_CONF_ADDRESS_PATH_MAX - 1);
    ck_assert(rk_conf_address_parse(&address, long_path, &problem));
    strcat(long_path, "x");
    ck_assert(!rk_conf_address_parse(&address, long_path, &problem));
    ck_assert_ptr_nonnull(strstr(problem, "107 bytes"));
}
END_TEST

START_TEST(the_control_socket_is_in_the_data_directory_or_where_it_is_set)
{
    struct rk_conf conf;
    char *path;

    rk_conf_init(&conf);
    path = rk_conf_control_socket(&conf);
    ck_assert_str_eq(path, "./data/control.sock");
    free(path);
    ck_assert_int_eq(rk_conf_override(&conf, "server.control_socket=/run/rackkv/ctl", NULL), RK_OK);
    path = rk_conf_control_socket(&conf);
    ck_assert_str_eq(path, "/run/rackkv/ctl");
    free(path);
    rk_conf_fini(&conf);
}
END_TEST

START_TEST(the_log_is_where_it_is_set_or_where_a_daemon_has_it)
{
    struct rk_conf conf;
    char *path;

    rk_conf_init(&conf);
    ck_assert_ptr_null(rk_conf_log_file(&conf, false));
    path = rk_conf_log_file(&conf, true);
    ck_assert_str_eq(path, "./data/rackkvd.diag");
    free(path);
    ck_assert_int_eq(rk_conf_override(&conf, "server.log_file=/var/log/rackkv", NULL), RK_OK);
    for (int daemon = 0; daemon < 2; daemon++) {
        path = rk_conf_log_file(&conf, daemon == 1);
        ck_assert_str_eq(path, "/var/log/rackkv");
        free(path);
    }
    rk_conf_fini(&conf);
}
END_TEST

START_TEST(sockets_are_for_whom_they_are_set)
{
    struct rk_unix_access access;
    struct rk_conf conf;

    rk_conf_init(&conf);
    rk_conf_socket_access(&conf, &access);
    ck_assert_uint_eq(access.mode, 0600);
    ck_assert_uint_eq(access.owner, (uid_t)-1);
    ck_assert_uint_eq(access.group, (gid_t)-1);
    ck_assert_int_eq(rk_conf_override(&conf, "http.socket_mode=666", NULL), RK_OK);
    ck_assert_int_eq(rk_conf_override(&conf, "http.socket_owner=root", NULL), RK_OK);
    ck_assert_int_eq(rk_conf_override(&conf, "http.socket_group=4294967294", NULL), RK_OK);
    rk_conf_socket_access(&conf, &access);
    ck_assert_uint_eq(access.mode, 0666);
    ck_assert_uint_eq(access.owner, 0);
    ck_assert_uint_eq(access.group, 4294967294);
    ck_assert_int_eq(rk_conf_override(&conf, "http.socket_group=root", NULL), RK_OK);
    rk_conf_socket_access(&conf, &access);
    ck_assert_uint_eq(access.group, 0);
    rk_conf_fini(&conf);
}
END_TEST

START_TEST(overrides_win_over_the_file_and_each_other)
{
    struct rk_conf conf;

    ck_assert_int_eq(load(&conf, "ring: {size: 2MiB}\nhttp: {listen: [a:1, b:2, c:3]}\n", NULL), RK_OK);
    ck_assert_int_eq(rk_conf_override(&conf, "ring.size=128MiB", NULL), RK_OK);
    ck_assert_int_eq(rk_conf_override(&conf, "ring.size=256MiB", NULL), RK_OK);
    ck_assert_int_eq(rk_conf_override(&conf, "http.listen=127.0.0.1:0,unix:/run/x", NULL), RK_OK);
    ck_assert_int_eq(rk_conf_override(&conf, "server.data_dir=/a=b,c.d", NULL), RK_OK);
    ck_assert_int_eq(rk_conf_override(&conf, "server.pid_file=", NULL), RK_OK);
    ck_assert_uint_eq(conf.ring.size_bytes, 256u << 20);
    ck_assert_uint_eq(conf.http.n_listen, 2);
    ck_assert_str_eq(conf.http.listen[1], "unix:/run/x");
    ck_assert_ptr_null(conf.http.listen[2]);
    ck_assert_str_eq(conf.server.data_dir, "/a=b,c.d");
    rk_conf_fini(&conf);
}
END_TEST

static const struct {
    const char *assignment;
    const char *error;
} bad_overrides[] = {
    { "", "-o '': what is needed is section.key=value" },
    { "ring.size", "-o 'ring.size': what is needed is section.key=value" },
    { "ring=a.b", "-o 'ring=a.b': what is needed is section.key=value" },
    { "ring.size=1", "-o 'ring.size=1': '1' is too small; allowed is a size from 1MiB to 2GiB, or auto" },
    { "ring.sice=1MiB", "-o 'ring.sice=1MiB': there is no such key; did you mean ring.size?" },
    { "rings.x=1", "-o 'rings.x=1': there is no such section; did you mean ring?" },
    { "merge.trigger=1", "-o 'merge.trigger=1': there is no such key" },
    { "merge.trigger.dead=1", "-o 'merge.trigger.dead=1': there is no such key" },
    { "merge.trigger.fragmentation=101",
      "-o 'merge.trigger.fragmentation=101': '101' is too large; allowed is a number from 1 to 100" },
    { "merge.triger.fragmentation=60",
      "-o 'merge.triger.fragmentation=60': there is no such key; did you mean merge.trigger.fragmentation?" },
    { "foo.bar=1", "-o 'foo.bar=1': there is no such key" },
    { "server.data_dir=", "-o 'server.data_dir=': '' is empty; allowed is the path of a directory" },
    { "server.data_dir=\xff", "-o 'server.data_dir=\xff': '\xff' has a control character, or is not UTF-8; allowed is "
                              "the path of a directory" },
    { "http.listen=", "-o 'http.listen=': the list has 0 items; allowed is a list of 1 to 16, each host:port, \"[v6 "
                      "address]:port\" or unix:/path" },
    { "http.listen=a:1,", "-o 'http.listen=a:1,': '' has no :port at its end; allowed is a list of 1 to 16, each "
                          "host:port, \"[v6 address]:port\" or unix:/path" },
};

START_TEST(bad_overrides_change_nothing)
{
    for (size_t i = 0; i < N_OF(bad_overrides); i++) {
        struct rk_detail detail = { "" };
        struct rk_conf conf;
        char *before, *after;

        rk_conf_init(&conf);
        before = print_effective(&conf);
        ck_assert_int_eq(rk_conf_override(&conf, bad_overrides[i].assignment, &detail), RK_ERR_INVALID);
        ck_assert_str_eq(detail.text, bad_overrides[i].error);
        after = print_effective(&conf);
        ck_assert_str_eq(before, after);
        free(before);
        free(after);
        rk_conf_fini(&conf);
    }
}
END_TEST

/* A file, an override (or NULL), the error. */
static const struct {
    const char *text;
    const char *override;
    const char *error;
} contradictions[] = {
    { "limits:\n  upload_memory: 8MiB\n", NULL,
      "f:2:18: limits.upload_memory: 8MiB is too small for limits.max_value: 32MiB (the default); it must be at least "
      "65MiB" },
    { "limits: {max_head: 4KiB}\n", NULL,
      "f:1:20: limits.max_head: 4KiB is too small for limits.max_key: 4KiB (the default); it must be at least 13KiB" },
    { "merge:\n  threshold:\n    fragmentation: 70\n", NULL,
      "f:3:20: merge.threshold.fragmentation: 70 is above merge.trigger.fragmentation: 60 (the default); a file that "
      "starts a merge takes part in it, so the threshold is at most the trigger" },
    { "merge:\n  trigger:\n    dead_bytes: 1MiB\n", NULL,
      "f:3:17: merge.threshold.dead_bytes: 128MiB (the default) is above merge.trigger.dead_bytes: 1MiB; a file that "
      "starts a merge takes part in it, so the threshold is at most the trigger" },
    { "http:\n  listen: [a:1, b:1, a:1]\n", NULL,
      "f:2:11: http.listen: 'a:1' is there twice; each address is listed once" },
};

START_TEST(contradictions_are_found)
{
    for (size_t i = 0; i < N_OF(contradictions); i++) {
        struct rk_detail detail = { "" };
        struct rk_conf conf;

        ck_assert_int_eq(load(&conf, contradictions[i].text, &detail), RK_OK);
        if (contradictions[i].override != NULL)
            ck_assert_int_eq(rk_conf_override(&conf, contradictions[i].override, &detail), RK_OK);
        ck_assert_int_eq(rk_conf_check(&conf, &detail), RK_ERR_INVALID);
        ck_assert_str_eq(detail.text, contradictions[i].error);
        rk_conf_fini(&conf);
    }
}
END_TEST

START_TEST(what_is_printed_reads_back)
{
    static const char *const odd_strings[] = { "null",     "~",         "Null",         " a ",
                                               "a: b",     "#x",        "'q'",          "\"q\"",
                                               "[x]",      "{x}",       "&a",           "*a",
                                               "!t",       "a\\b\\x41", "- a",          "?",
                                               "on",       "%x",        "@x",           "`x",
                                               "\xc2\x85", "\xc2\xa0",  "\xef\xbb\xbf", "\xe2\x80\xa8",
                                               "---",      "...",       "caf\xc3\xa9",  "\xf0\x9f\x98\x80",
                                               ":" };

    for (size_t i = 0; i < sizeof odd_strings / sizeof odd_strings[0]; i++) {
        struct rk_detail detail = { "" };
        struct rk_conf conf, again;
        char assignment[128], *printed, *printed_again;

        rk_conf_init(&conf);
        (void)snprintf(assignment, sizeof assignment, "server.data_dir=%s", odd_strings[i]);
        ck_assert_int_eq(rk_conf_override(&conf, assignment, &detail), RK_OK);
        ck_assert_int_eq(rk_conf_override(&conf, "http.listen=[::1]:0,127.0.0.1:1,unix:/x y#z", &detail), RK_OK);
        ck_assert_int_eq(rk_conf_override(&conf, "log.sync_interval=90s", &detail), RK_OK);
        ck_assert_int_eq(rk_conf_override(&conf, "merge.trigger.fragmentation=99", &detail), RK_OK);
        ck_assert_int_eq(rk_conf_override(&conf, "merge.threshold.small_file=3MiB", &detail), RK_OK);
        printed = print_effective(&conf);
        ck_assert_msg(load(&again, printed, &detail) == RK_OK, "%s\n%s", detail.text, printed);
        ck_assert_str_eq(again.server.data_dir, odd_strings[i]);
        printed_again = print_effective(&again);
        ck_assert_str_eq(printed, printed_again);
        free(printed);
        free(printed_again);
        rk_conf_fini(&conf);
        rk_conf_fini(&again);
    }
}
END_TEST

/* Notes stand behind the values that they are of, and do not change what is read back. */
START_TEST(notes_are_comments)
{
    static const struct rk_conf_note notes[] = { { { "server", "workers" }, "auto: 7 cores" },
                                                 { { "log", "workers" }, "of another section" },
                                                 { { "ring", "size" }, "auto: \"quoted\" # twice" } };
    struct rk_conf conf, again;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    rk_conf_init(&conf);
    ck_assert_int_eq(rk_conf_override(&conf, "server.workers=7", NULL), RK_OK);
    ck_assert_int_eq(rk_conf_override(&conf, "ring.size=70MiB", NULL), RK_OK);
    rk_conf_print(&conf, notes, N_OF(notes), out);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_ptr_nonnull(strstr(text, "\n  workers: 7 # auto: 7 cores\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nring:\n  size: 70MiB # auto: \"quoted\" # twice\n"));
    ck_assert_ptr_eq(strstr(text, " # auto: 7 cores"), strstr(text, " # "));
    ck_assert_ptr_null(strstr(text, "of another section"));
    ck_assert_int_eq(load(&again, text, NULL), RK_OK);
    ck_assert_uint_eq(again.server.workers, 7);
    ck_assert_uint_eq(again.ring.size_bytes, 70u << 20);
    free(text);
    rk_conf_fini(&conf);
    rk_conf_fini(&again);
}
END_TEST

START_TEST(files_are_read_or_the_reason_given)
{
    struct rk_detail detail = { "" };
    char *dir = test_dir_create(), path[256], expected[512];
    struct rk_conf conf;
    FILE *file;

    rk_conf_init(&conf);
    (void)snprintf(path, sizeof path, "%s/c.yaml", dir);
    ck_assert_int_eq(rk_conf_load_file(&conf, path, &detail), RK_ERR_NOT_FOUND);
    (void)snprintf(expected, sizeof expected, "%s: the configuration can't be opened: No such file or directory", path);
    ck_assert_str_eq(detail.text, expected);
    ck_assert_int_ne(rk_conf_load_file(&conf, dir, &detail), RK_OK);
    ck_assert_ptr_nonnull(strstr(detail.text, "is a folder, not a file"));

    file = fopen(path, "we");
    fputs("worker:\n  reader_threads: 7\n  stuck: 1s\n", file);
    fclose(file);
    ck_assert_int_eq(rk_conf_load_file(&conf, path, &detail), RK_ERR_INVALID);
    (void)snprintf(expected, sizeof expected, "%s:3:3: there is no key 'stuck' in worker", path);
    ck_assert_str_eq(detail.text, expected);
    ck_assert_int_eq(truncate(path, 2 << 20), 0);
    ck_assert_int_eq(rk_conf_load_file(&conf, path, &detail), RK_ERR_TOO_LARGE);
    rk_conf_fini(&conf);
    test_dir_remove(&dir);
}
END_TEST

START_TEST(the_committed_reference_is_up_to_date)
{
    char *printed = print_page(rk_conf_print_reference);
    char *committed = read_whole(TOP_SRCDIR "/conf/rackkv.yaml");

    ck_assert_msg(strcmp(printed, committed) == 0, "conf/rackkv.yaml is out of date: make conf-docs");
    free(printed);
    free(committed);
    printed = print_page(rk_conf_print_manual);
    committed = read_whole(TOP_SRCDIR "/man/rackkv.yaml.5");
    ck_assert_msg(strcmp(printed, committed) == 0, "man/rackkv.yaml.5 is out of date: make conf-docs");
    free(printed);
    free(committed);
}
END_TEST

START_TEST(the_reference_is_the_defaults)
{
    struct rk_detail detail = { "" };
    struct rk_conf defaults, reference;
    char *page = print_page(rk_conf_print_reference), *from_defaults, *from_page;

    ck_assert_msg(load(&reference, page, &detail) == RK_OK, "%s", detail.text);
    rk_conf_init(&defaults);
    from_defaults = print_effective(&defaults);
    from_page = print_effective(&reference);
    ck_assert_str_eq(from_defaults, from_page);
    free(page);
    free(from_defaults);
    free(from_page);
    rk_conf_fini(&defaults);
    rk_conf_fini(&reference);
}
END_TEST

/* xorshift: the same bytes each time. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

START_TEST(random_bytes_never_crash)
{
    uint64_t state = 0x9e3779b97f4a7c15u + (uint64_t)_i;
    uint8_t bytes[256];

    for (int round = 0; round < 2000; round++) {
        size_t size = next_random(&state) % sizeof bytes;

        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)next_random(&state);
        LLVMFuzzerTestOneInput(bytes, size);
    }
}
END_TEST

/* Good and bad texts with a few bytes changed, cut or doubled: these get past the first line. */
START_TEST(mutated_texts_never_crash)
{
    uint64_t state = 0xd1b54a32d192ed03u + (uint64_t)_i;
    char *page = print_page(rk_conf_print_reference);
    size_t n_bad = sizeof bad_texts / sizeof bad_texts[0];

    for (int round = 0; round < 500; round++) {
        size_t which = next_random(&state) % (n_bad + 8);
        const char *seed = which < n_bad ? bad_texts[which].text : page;
        size_t size = strlen(seed), n_changes = 1 + next_random(&state) % 4;
        uint8_t *bytes = (uint8_t *)strdup(seed);

        ck_assert_ptr_nonnull(bytes);
        for (size_t i = 0; i < n_changes && size > 0; i++)
            bytes[next_random(&state) % size] = (uint8_t) "\n :-[]{}&*!#'\"\\0~\xff\t,"[next_random(&state) % 20];
        if (next_random(&state) % 4 == 0)
            size = next_random(&state) % (size + 1);
        LLVMFuzzerTestOneInput(bytes, size);
        free(bytes);
    }
    free(page);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("conf");
    TCase *tcase = tcase_create("conf");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, defaults_are_those_of_the_documentation);
    tcase_add_test(tcase, every_member_has_a_row_and_every_row_its_words);
    tcase_add_test(tcase, all_keys_are_read);
    tcase_add_test(tcase, what_is_good_is_accepted);
    tcase_add_test(tcase, what_is_bad_is_refused_at_its_place);
    tcase_add_test(tcase, the_seventeenth_listener_is_refused);
    tcase_add_test(tcase, addresses_are_taken_apart);
    tcase_add_test(tcase, parts_of_an_address);
    tcase_add_test(tcase, the_control_socket_is_in_the_data_directory_or_where_it_is_set);
    tcase_add_test(tcase, the_log_is_where_it_is_set_or_where_a_daemon_has_it);
    tcase_add_test(tcase, sockets_are_for_whom_they_are_set);
    tcase_add_test(tcase, overrides_win_over_the_file_and_each_other);
    tcase_add_test(tcase, bad_overrides_change_nothing);
    tcase_add_test(tcase, contradictions_are_found);
    tcase_add_test(tcase, what_is_printed_reads_back);
    tcase_add_test(tcase, notes_are_comments);
    tcase_add_test(tcase, files_are_read_or_the_reason_given);
    tcase_add_test(tcase, the_committed_reference_is_up_to_date);
    tcase_add_test(tcase, the_reference_is_the_defaults);
    tcase_add_loop_test(tcase, random_bytes_never_crash, 0, 1);
    tcase_add_loop_test(tcase, mutated_texts_never_crash, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
