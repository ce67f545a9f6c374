/* The configuration: typed values, with defaults, from a YAML file and from "section.key=value" overrides. What each
 * one means, its range and its default stand in one table (conf_table.c), from which the documentation comes as well.
 * Durations are milliseconds, sizes are bytes. */
#ifndef RK_CONF_CONF_H
#define RK_CONF_CONF_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct rk_detail;
struct rk_conf_origin;

#define RK_CONF_LISTEN_MAX 16

enum rk_conf_sync { RK_CONF_SYNC_ALWAYS, RK_CONF_SYNC_INTERVAL, RK_CONF_SYNC_NONE };
enum rk_conf_policy { RK_CONF_POLICY_AUTO, RK_CONF_POLICY_NEVER, RK_CONF_POLICY_WINDOW };

struct rk_conf {
    struct {
        char *data_dir;
        char *pid_file;       /* "": none */
        char *control_socket; /* "": in data_dir; rk_conf_control_socket */
        uint64_t workers;     /* 0: auto, one a core */
        uint64_t drain_timeout_ms;
    } server;
    struct {
        char *listen[RK_CONF_LISTEN_MAX]; /* host:port, [v6]:port, unix:/path */
        size_t n_listen;
        bool legacy;
        uint64_t max_connections; /* of each worker */
        uint64_t request_timeout_ms;
        uint64_t idle_timeout_ms;
    } http;
    struct {
        uint64_t max_key_bytes;
        uint64_t max_value_bytes;
        uint64_t max_head_bytes;
        uint64_t max_fields;
    } limits;
    struct {
        enum rk_conf_sync sync;
        uint64_t sync_interval_ms;
        uint64_t file_size_bytes;
        uint64_t reserve_bytes;
    } log;
    struct {
        uint64_t max_bytes; /* 0: auto, from the machine's memory */
    } keydir;
    struct {
        uint64_t size_bytes;
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

/* Contradictions between values. Call after all of the above. */
enum rk_err rk_conf_check(const struct rk_conf *conf, struct rk_detail *detail);

/* What `auto` stands for on this machine: the number of workers (the cores that this process may run on, within the
 * key's range), and the bytes of the keydir (half of the physical memory). Never 0. */
uint64_t rk_conf_n_workers(const struct rk_conf *conf);
uint64_t rk_conf_keydir_bytes(const struct rk_conf *conf);

/* Where the master's control socket is. Allocated. */
char *rk_conf_control_socket(const struct rk_conf *conf);

/* When merges may begin with merge.policy: window, in minutes of the local day; the end may be before the begin. */
void rk_conf_merge_window(const struct rk_conf *conf, unsigned *begin_minute_out, unsigned *end_minute_out);

/* Prints the effective configuration as YAML that rk_conf_load_file reads back to the same values. */
void rk_conf_print(const struct rk_conf *conf, FILE *out);

/* Prints a commented file with every key, its meaning, range and default: conf/rackkv.yaml. */
void rk_conf_print_reference(FILE *out);

/* Prints the same as a manual page: man/rackkv.yaml.5. */
void rk_conf_print_manual(FILE *out);

#endif
