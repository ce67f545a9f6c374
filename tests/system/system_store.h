/* A data directory that a test fills by itself, before a server has it: with what no client can send. */
#ifndef RK_SYSTEM_STORE_H
#define RK_SYSTEM_STORE_H

#include <stddef.h>
#include <stdint.h>

struct system_store;

/* An empty store in the folder; what cannot be done, here and below, is a failed assertion. One at a time. */
struct system_store *system_store_create(const char *dir);

/* Appends a record, with an expiry unless that is 0; returns the bytes that it takes in its file. */
uint64_t system_store_put(struct system_store *store, const char *key, const void *value, size_t value_len,
                          uint64_t expiry_ms);

/* The bytes of a tombstone of the key. Pure. */
uint64_t system_store_tombstone_bytes(const char *key);

/* Seals the data file and begins the next one; the first one has the number 1. */
void system_store_roll(struct system_store *store);

/* As if its server were killed: the last data file is not sealed. Frees the handle. */
void system_store_crash(struct system_store **store);

#endif
