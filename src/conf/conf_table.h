/* Every key of the configuration: one row a key. Reading, printing, checking and the documentation all walk this table,
 * so a key exists completely or not at all. Rows of one section stand together; the order is that of the printed file.
 * Private to src/conf. */
#ifndef RK_CONF_TABLE_H
#define RK_CONF_TABLE_H

#include "conf/conf.h"

#include <limits.h>

enum rk_conf_type {
    RK_CONF_BOOL,     /* bool */
    RK_CONF_INTEGER,  /* uint64_t */
    RK_CONF_SIZE,     /* uint64_t, bytes */
    RK_CONF_DURATION, /* uint64_t, milliseconds */
    RK_CONF_ENUM,     /* an enum that counts from 0 in the order of `words` */
    RK_CONF_STRING,   /* char *, on the heap, never NULL */
    RK_CONF_LIST,     /* an array of char *, with its length at count_offset */
};

/* True for a good string; else *problem_out says what it "has" or "is" that makes it wrong. */
typedef bool rk_conf_check_fn(const char *text, const char **problem_out);

struct rk_conf_key {
    const char *section;
    const char *name; /* "key", or "group.key": in the file a mapping within the section */
    enum rk_conf_type type;
    bool auto_allowed; /* the word "auto", which is stored as 0 */
    bool reloadable;   /* a running server takes a new value: none so far */
    size_t offset;
    size_t count_offset;
    const char *default_text; /* as a person would write it; a list as after -o */
    uint64_t min;             /* of the number, of the string's length, of the list's */
    uint64_t max;
    const char *const *words; /* of an enum; ends with NULL */
    rk_conf_check_fn *check;  /* of a string or of each item; may be NULL */
    const char *item_text;    /* what a string or an item must be, for errors */
    const char *doc;          /* one sentence or two */
};

#define RK_CONF_N_KEYS 41

extern const struct rk_conf_key rk_conf_keys[RK_CONF_N_KEYS];

/* The row, or NULL. Pure. */
const struct rk_conf_key *rk_conf_key_lookup(const char *section, const char *name);

/* True if any row is of this section. Pure. */
bool rk_conf_section_exists(const char *section);

/* The length of the group in a row's name, 0 for a row that is in none; and whether two rows of one section are in the
 * same. Pure. */
size_t rk_conf_group_len(const struct rk_conf_key *key);
bool rk_conf_same_group(const struct rk_conf_key *key, const struct rk_conf_key *other);

/* The first row of the section's group, or NULL. Pure. */
const struct rk_conf_key *rk_conf_group_lookup(const char *section, const char *group);

/* The next row of another section than the given row's; `rk_conf_keys + RK_CONF_N_KEYS` is the end. Pure. */
const struct rk_conf_key *rk_conf_section_end(const struct rk_conf_key *key);

/* conf_suggest.c: what was probably meant by an unknown section or key, or NULL. For a key it is the row, of whichever
 * section. Pure. */
const char *rk_conf_section_suggest(const char *section);
const struct rk_conf_key *rk_conf_key_suggest(const char *section, const char *name);

/* What documents a section: one line. */
const char *rk_conf_section_doc(const char *section);

/* The address of a row's value in a configuration. */
static inline void *rk_conf_at(const struct rk_conf *conf, size_t offset)
{
    return (char *)(uintptr_t)conf + offset;
}

#endif
