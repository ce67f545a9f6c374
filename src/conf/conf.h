/* The configuration: typed values, with defaults, from a YAML file and from "section.key=value" overrides. What each
 * one means, its range and its default stand in one table (conf_table.c), from which the documentation comes as well.
 * Durations are milliseconds, sizes are bytes. */
#ifndef RK_CONF_H
#define RK_CONF_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct rk_detail;
struct rk_conf_origin;
struct rk_unix_access;

#define RK_CONF_LISTEN_MAX  16
#define RK_CONF_WORKERS_MAX 64

/* What a worker needs to receive a body: its buffer doubles, so it may be twice as large as what is in it. */
#define RK_CONF_BODY_BUFFER_BYTES(value_bytes) (2 * (uint64_t)(value_bytes) + (1u << 20))

enum rk_conf_sync { RK_CONF_SYNC_ALWAYS, RK_CONF_SYNC_INTERVAL, RK_CONF_SYNC_NONE };
enum rk_conf_policy { RK_CONF_POLICY_AUTO, RK_CONF_POLICY_NEVER, RK_CONF_POLICY_WINDOW };

struct rk_conf {
    struct {
        char *data_dir;
        char *pid_file;       /* "": none */
        char *control_socket; /* "": in data_dir; rk_conf_control_socket */
        char *log_file;       /* "": standard error; rk_conf_log_file */
        uint64_t workers;     /* 0: auto */
        uint64_t drain_timeout_ms;
    } server;
    struct {
        char *listen[RK_CONF_LISTEN_MAX]; /* host:port, [v6]:port, unix:/path */
        size_t n_listen;
        char *socket_mode;  /* of Unix sockets; rk_conf_socket_access */
        char *socket_owner; /* "": the server's user */
        char *socket_group; /* "": the server's */
        bool legacy;
        uint64_t max_connections; /* of each worker */
        uint64_t request_timeout_ms;
        uint64_t min_rate_bytes; /* a second */
        uint64_t idle_timeout_ms;
    } http;
    struct {
        uint64_t max_key_bytes;
        uint64_t max_value_bytes;
        uint64_t max_head_bytes;
        uint64_t upload_memory_bytes; /* 0: auto */
        uint64_t max_fields;
        uint64_t list_time_ms;
    } limits;
    struct {
        enum rk_conf_sync sync;
        uint64_t sync_interval_ms;
        uint64_t file_size_bytes;
        uint64_t reserve_bytes;
    } log;
    struct {
        uint64_t max_bytes; /* 0: auto */
    } keydir;
    struct {
        uint64_t size_bytes; /* 0: auto */
    } ring;
    struct {
        enum rk_conf_policy policy;
        char *window; /* rk_conf_merge_window */
        uint64_t check_interval_ms;
        uint64_t jitter_percent;
        struct {
            uint64_t fragmentation_percent;
            uint64_t dead_bytes;
        } trigger;
        struct {
            uint64_t fragmentation_percent;
            uint64_t dead_bytes;
            uint64_t small_file_bytes;
        } threshold;
        uint64_t rate_bytes; /* a second; 0: no limit */
        uint64_t min_free_bytes;
    } merge;
    struct {
        uint64_t reader_threads;
        uint64_t stuck_timeout_ms;
        uint64_t respawn_delay_ms;
    } worker;
    struct rk_conf_origin *origins; /* where each value was read, for errors; private to src/conf */
};

/* Sets every value to its default. Free with rk_conf_fini, which takes a zeroed struct as well. */
void rk_conf_init(struct rk_conf *conf);
void rk_conf_fini(struct rk_conf *conf);

/* Reads a file over what is there. RK_ERR_INVALID with a detail "file:line:column: ..." that has the value and what is
 * allowed; conf is then half changed and only good for rk_conf_fini. */
enum rk_err rk_conf_load_file(struct rk_conf *conf, const char *path, struct rk_detail *detail);

/* The same from memory; `name` stands for the file in errors. */
enum rk_err rk_conf_load_text(struct rk_conf *conf, const char *name, const char *text, size_t size,
                              struct rk_detail *detail);

/* "section.key=value", as after -o; the items of a list are separated by commas. A later one replaces an earlier one.
 * RK_ERR_INVALID with a detail "-o section.key=value: ..."; conf is unchanged then. */
enum rk_err rk_conf_override(struct rk_conf *conf, const char *assignment, struct rk_detail *detail);

/* Contradictions between values, as far as they can be seen without knowing what is done with them; master_settle.h is
 * the whole of it. Call after all of the above. */
enum rk_err rk_conf_check(const struct rk_conf *conf, struct rk_detail *detail);

/* For who knows what is done with them. Names are { section, key }.
 *
 * RK_ERR_INVALID unless the value of `small` is at least what it needs because of `large`; the detail says what would
 * be right, and where to write it. */
enum rk_err rk_conf_check_holds(const struct rk_conf *conf, const char *const small[2], const char *const large[2],
                                uint64_t needed, struct rk_detail *detail);

/* RK_ERR_INVALID: puts the place before the detail at which somebody wrote the value, if anybody did. */
enum rk_err rk_conf_refuse(const struct rk_conf *conf, const char *const name[2], struct rk_detail *detail);

/* Up to a number that a person would write: whole KiB, from 1 MiB on whole MiB. Pure. */
uint64_t rk_conf_round_up(uint64_t bytes);

/* Where the master's control socket is. Allocated. */
char *rk_conf_control_socket(const struct rk_conf *conf);

/* Where messages for people go: allocated, or NULL for standard error. */
char *rk_conf_log_file(const struct rk_conf *conf, bool daemon);

/* Who may connect to Unix sockets of http.listen. A name that no user or group has any more is (uid_t)-1, (gid_t)-1. */
void rk_conf_socket_access(const struct rk_conf *conf, struct rk_unix_access *access_out);

/* When merges may begin with merge.policy: window, in minutes of the local day; the end may be before the begin. */
void rk_conf_merge_window(const struct rk_conf *conf, unsigned *begin_minute_out, unsigned *end_minute_out);

/* What is to be said of a value behind it: { section, key }, and a few words. */
struct rk_conf_note {
    const char *name[2];
    char text[112];
};

/* Prints the effective configuration as YAML that rk_conf_load_file reads back to the same values. Notes
 * become comments. */
void rk_conf_print(const struct rk_conf *conf, const struct rk_conf_note *notes, size_t n_notes, FILE *out);

/* Prints a commented file with every key, its meaning, range and default: conf/rackkv.yaml. */
void rk_conf_print_reference(FILE *out);

/* Prints the same as a manual page: man/rackkv.yaml.5. */
void rk_conf_print_manual(FILE *out);

#endif
