#include "conf/conf.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "conf/conf_set.h"
#include "conf/conf_value.h"
#include "conf/conf_window.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UPLOAD_AUTO_BYTES ((uint64_t)256 << 20)

void rk_conf_init(struct rk_conf *conf)
{
    memset(conf, 0, sizeof *conf);
    conf->origins = rk_mem_calloc(RK_CONF_N_KEYS, sizeof *conf->origins);
    for (size_t i = 0; i < RK_CONF_N_KEYS; i++) {
        const struct rk_conf_key *key = &rk_conf_keys[i];

        RK_ASSERT(rk_conf_set_text(conf, key, key->default_text, NULL) == RK_OK);
    }
}

static void fini_key(struct rk_conf *conf, const struct rk_conf_key *key)
{
    char **strings = rk_conf_at(conf, key->offset);
    size_t n_strings = 0;

    if (key->type == RK_CONF_STRING)
        n_strings = 1;
    else if (key->type == RK_CONF_LIST)
        n_strings = *(size_t *)rk_conf_at(conf, key->count_offset);
    for (size_t i = 0; i < n_strings; i++)
        free(strings[i]);
}

void rk_conf_fini(struct rk_conf *conf)
{
    for (size_t i = 0; i < RK_CONF_N_KEYS; i++) {
        fini_key(conf, &rk_conf_keys[i]);
        if (conf->origins != NULL)
            free(conf->origins[i].source);
    }
    free(conf->origins);
    memset(conf, 0, sizeof *conf);
}

/* "did you mean section.key?", or nothing. */
static void refuse_name(const char *section, const char *name, struct rk_detail *detail)
{
    const struct rk_conf_key *meant = rk_conf_key_suggest(section, name);
    const char *meant_section = rk_conf_section_suggest(section);

    if (meant != NULL)
        rk_detail_set(detail, "there is no such key; did you mean %s.%s?", meant->section, meant->name);
    else if (!rk_conf_section_exists(section) && meant_section != NULL)
        rk_detail_set(detail, "there is no such section; did you mean %s?", meant_section);
    else
        rk_detail_set(detail, "there is no such key");
}

static enum rk_err override_named(struct rk_conf *conf, const char *assignment, char *section, struct rk_detail *detail)
{
    char *value = strchr(section, '=');
    char *name = value != NULL ? memchr(section, '.', (size_t)(value - section)) : NULL;
    const struct rk_conf_key *key;
    enum rk_err err;

    if (name == NULL) {
        rk_detail_set(detail, "what is needed is section.key=value");
        return RK_ERR_INVALID;
    }
    *name++ = '\0';
    *value++ = '\0';
    key = rk_conf_key_lookup(section, name);
    if (key == NULL) {
        refuse_name(section, name, detail);
        return RK_ERR_INVALID;
    }
    err = rk_conf_set_text(conf, key, value, detail);
    if (err == RK_OK) {
        char source[RK_CONF_QUOTE_BYTES + 4];

        (void)snprintf(source, sizeof source, "-o %s", assignment); /* a long value may be cut here */
        rk_conf_set_origin(conf, key, source, 0, 0);
    }
    return err;
}

enum rk_err rk_conf_override(struct rk_conf *conf, const char *assignment, struct rk_detail *detail)
{
    char *copy = rk_mem_strdup(assignment);
    char quoted[RK_CONF_QUOTE_BYTES];
    enum rk_err err = override_named(conf, assignment, copy, detail);

    if (err != RK_OK)
        rk_detail_wrap(detail, "-o %s", rk_conf_quote(assignment, quoted));
    free(copy);
    return err;
}

uint64_t rk_conf_n_workers(const struct rk_conf *conf)
{
    const struct rk_conf_key *key = rk_conf_key_lookup("server", "workers");
    cpu_set_t cpus;
    uint64_t n_cpus = 1;

    if (conf->server.workers != 0)
        return conf->server.workers;
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) /* fails on machines of more than 1024 cores */
        n_cpus = (uint64_t)CPU_COUNT(&cpus);
    else if (sysconf(_SC_NPROCESSORS_ONLN) > 0)
        n_cpus = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
    return n_cpus < key->max ? n_cpus : key->max;
}

uint64_t rk_conf_keydir_bytes(const struct rk_conf *conf)
{
    const struct rk_conf_key *key = rk_conf_key_lookup("keydir", "max_bytes");
    long n_pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGE_SIZE);
    uint64_t bytes;

    if (conf->keydir.max_bytes != 0)
        return conf->keydir.max_bytes;
    bytes = n_pages > 0 && page_bytes > 0 ? (uint64_t)n_pages * (uint64_t)page_bytes / 2 : 0;
    return bytes > key->min ? bytes : key->min;
}

uint64_t rk_conf_upload_bytes(const struct rk_conf *conf)
{
    uint64_t several = 8 * conf->limits.max_value_bytes;

    if (conf->limits.upload_memory_bytes != 0)
        return conf->limits.upload_memory_bytes;
    return several > UPLOAD_AUTO_BYTES ? several : UPLOAD_AUTO_BYTES;
}

char *rk_conf_control_socket(const struct rk_conf *conf)
{
    static const char name[] = "/control.sock";
    size_t size = strlen(conf->server.data_dir) + sizeof name;
    char *path;

    if (conf->server.control_socket[0] != '\0')
        return rk_mem_strdup(conf->server.control_socket);
    path = rk_mem_calloc(1, size);
    (void)snprintf(path, size, "%s%s", conf->server.data_dir, name); /* fits: it was counted */
    return path;
}

void rk_conf_merge_window(const struct rk_conf *conf, unsigned *begin_minute_out, unsigned *end_minute_out)
{
    struct rk_conf_window window = { 0, 0 };
    const char *problem;

    RK_ASSERT(rk_conf_window_parse(&window, conf->merge.window, &problem)); /* the table's check has seen it */
    *begin_minute_out = window.begin_minute;
    *end_minute_out = window.end_minute;
}
