#include "keydir_tables.h"

#include "base/base_assert.h"
#include "base/base_mem.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct plain_bucket {
    uint64_t location[3];
    uint64_t high[3];
    uint32_t low[3];
    uint32_t unused;
};

struct plain_table {
    struct plain_bucket *buckets;
    uint64_t n_buckets;
};

struct plain_table *plain_table_create(uint64_t n_keys, double load)
{
    struct plain_table *table = rk_mem_calloc(1, sizeof *table);
    int fd = memfd_create("plain-table", MFD_CLOEXEC);

    table->n_buckets = (uint64_t)((double)n_keys / load / 3) + 1;
    RK_ASSERT(fd >= 0 && ftruncate(fd, (off_t)(table->n_buckets * sizeof *table->buckets)) == 0);
    table->buckets = mmap(NULL, table->n_buckets * sizeof *table->buckets, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    RK_ASSERT(table->buckets != MAP_FAILED);
    close(fd);
    return table;
}

void plain_table_destroy(struct plain_table **table)
{
    munmap((*table)->buckets, (*table)->n_buckets * sizeof *(*table)->buckets);
    free(*table);
    *table = NULL;
}

static uint64_t home_of(const struct plain_table *table, struct rk_fingerprint fingerprint)
{
    return (uint64_t)((unsigned __int128)fingerprint.high * table->n_buckets >> 64);
}

void plain_table_put(struct plain_table *table, struct rk_fingerprint fingerprint, uint64_t location)
{
    for (uint64_t at = home_of(table, fingerprint);; at = at + 1 == table->n_buckets ? 0 : at + 1) {
        struct plain_bucket *bucket = &table->buckets[at];

        for (unsigned i = 0; i < 3; i++) {
            if (bucket->location[i] != 0)
                continue;
            bucket->high[i] = fingerprint.high;
            bucket->low[i] = fingerprint.low;
            bucket->location[i] = location;
            return;
        }
    }
}

uint64_t plain_table_lookup(const struct plain_table *table, struct rk_fingerprint fingerprint)
{
    for (uint64_t at = home_of(table, fingerprint);; at = at + 1 == table->n_buckets ? 0 : at + 1) {
        const struct plain_bucket *bucket = &table->buckets[at];

        for (unsigned i = 0; i < 3; i++) {
            if (bucket->low[i] == fingerprint.low && bucket->high[i] == fingerprint.high)
                return bucket->location[i];
        }
        if (bucket->location[2] == 0) /* filled from the front, never emptied */
            return 0;
    }
}

#ifdef RK_HAVE_URCU_CDS

#include <urcu/urcu-memb.h>

#include <urcu/rculfhash.h>

struct peer_node {
    struct cds_lfht_node node;
    struct rk_fingerprint fingerprint;
    uint64_t location;
};

struct peer_table {
    struct cds_lfht *table;
    struct peer_node *nodes;
    uint64_t n_nodes;
};

static int nodes_match(struct cds_lfht_node *node, const void *key)
{
    const struct peer_node *peer = caa_container_of(node, struct peer_node, node);
    const struct rk_fingerprint *fingerprint = key;

    return peer->fingerprint.high == fingerprint->high && peer->fingerprint.low == fingerprint->low;
}

struct peer_table *peer_table_create(uint64_t n_keys)
{
    struct peer_table *table = rk_mem_calloc(1, sizeof *table);
    unsigned long n_buckets = 1;

    while (n_buckets < n_keys)
        n_buckets *= 2;
    table->nodes = rk_mem_calloc(n_keys, sizeof *table->nodes);
    table->table = cds_lfht_new_flavor(n_buckets, 1, 0, 0, &urcu_memb_flavor, NULL);
    RK_ASSERT(table->table != NULL);
    return table;
}

void peer_table_destroy(struct peer_table **table)
{
    urcu_memb_read_lock();
    for (uint64_t i = 0; i < (*table)->n_nodes; i++)
        (void)cds_lfht_del((*table)->table, &(*table)->nodes[i].node); /* each is there */
    urcu_memb_read_unlock();
    (void)cds_lfht_destroy((*table)->table, NULL);
    free((*table)->nodes);
    free(*table);
    *table = NULL;
}

void peer_table_put(struct peer_table *table, struct rk_fingerprint fingerprint, uint64_t location)
{
    struct peer_node *node = &table->nodes[table->n_nodes++];

    node->fingerprint = fingerprint;
    node->location = location;
    urcu_memb_read_lock();
    cds_lfht_add(table->table, fingerprint.high, &node->node);
    urcu_memb_read_unlock();
}

uint64_t peer_table_lookup(const struct peer_table *table, struct rk_fingerprint fingerprint)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node;

    cds_lfht_lookup(table->table, fingerprint.high, nodes_match, &fingerprint, &iter);
    node = cds_lfht_iter_get_node(&iter);
    return node != NULL ? caa_container_of(node, struct peer_node, node)->location : 0;
}

#else

struct peer_table *peer_table_create(uint64_t n_keys)
{
    return NULL;
}

void peer_table_destroy(struct peer_table **table)
{
}

void peer_table_put(struct peer_table *table, struct rk_fingerprint fingerprint, uint64_t location)
{
}

uint64_t peer_table_lookup(const struct peer_table *table, struct rk_fingerprint fingerprint)
{
    return 0;
}

#endif
