/* What the keydir is measured against, behind one set of calls. */
#ifndef RK_BENCH_KEYDIR_TABLES_H
#define RK_BENCH_KEYDIR_TABLES_H

#include "keydir/keydir.h"

/* The floor: one array of the same 64-byte buckets in the same kind of memory, made for exactly this many keys at this
 * load, filled once; a full bucket's keys go to the next one. Nothing can be changed while it is read. */
struct plain_table;

struct plain_table *plain_table_create(uint64_t n_keys, double load);
void plain_table_destroy(struct plain_table **table);
void plain_table_put(struct plain_table *table, struct rk_fingerprint fingerprint, uint64_t location);
uint64_t plain_table_lookup(const struct plain_table *table, struct rk_fingerprint fingerprint);

/* The peer: the lock-free table of liburcu, for one process, made with a bucket a key and all nodes side by side, so at
 * its best. NULL from create where it was not there at configure. */
struct peer_table;

struct peer_table *peer_table_create(uint64_t n_keys);
void peer_table_destroy(struct peer_table **table);
void peer_table_put(struct peer_table *table, struct rk_fingerprint fingerprint, uint64_t location);
uint64_t peer_table_lookup(const struct peer_table *table, struct rk_fingerprint fingerprint);

#endif
