/* A list in memory as the source of the writer thread: what a test puts is taken in its order, and answers are kept. */
#ifndef LIST_SOURCE_H
#define LIST_SOURCE_H

#include "ring/ring_messages.h"
#include "writer/writer_source.h"

struct list_source;

/* event_fd: the writer's bell, rung by put. */
struct list_source *list_source_create(int event_fd);
void list_source_destroy(struct list_source **source);
struct rk_writer_source list_source_of(struct list_source *source);

/* Any thread: a put of the key, or a delete with a value of NULL; its ticket. */
uint64_t list_source_put(struct list_source *source, unsigned sender, const char *key, const char *value);
uint64_t list_source_put_so(struct list_source *source, unsigned sender, const char *key, const char *value,
                            enum rk_ring_durability durability);

/* Any thread: bytes that are no request. */
void list_source_put_garbage(struct list_source *source, unsigned sender);

/* Waits until the sender has so many answers that were shown, and gives them; at most `n_max`. */
unsigned list_source_wait(struct list_source *source, unsigned sender, unsigned n_wanted,
                          struct rk_ring_completion *answers_out);

/* How many answers a sender was shown. */
unsigned list_source_n_shown(struct list_source *source, unsigned sender);

/* How often a sender was rejected. */
unsigned list_source_n_rejected(struct list_source *source, unsigned sender);

/* Whether something was taken that was not answered yet. */
bool list_source_is_in_round(struct list_source *source);

/* Holds the thread back between two rounds until release: what is put meanwhile comes in one round. */
void list_source_hold(struct list_source *source);
void list_source_release(struct list_source *source);

#endif
