/* Planted bugs: mistakes that the tests must notice, compiled in one at a time and never by default.
 *
 * `configure --enable-planted-bug=free-without-grace` builds everything with one of them; make check must then fail.
 * Code asks with RK_PLANTED(free_without_grace): a constant 0 in every ordinary build, so that nothing of it is left in
 * the object. A name that is not in the table does not compile; configure reads the names from here as well (one X line
 * each), so this table is the only list. */
#ifndef RK_BASE_PLANTED_H
#define RK_BASE_PLANTED_H

/* name, what goes wrong */
#define RK_PLANTED_TABLE(X)                                                                            \
    X(none, "nothing")                                                                                 \
    X(free_without_grace, "what was unpublished is reused without a grace period")                     \
    X(dead_slot_not_cleared, "grace periods go on waiting for a process that has died")                \
    X(lost_wakeup, "nobody wakes the agents when a grace period starts, nor do they look")             \
    X(two_lengths_accepted, "a request with two Content-Length is executed")                           \
    X(normalised_key, "the key is taken from libh2o's normalised path")                                \
    X(skip_fdatasync, "what was written is called durable without a sync")                             \
    X(skip_dir_fsync, "the names of files are not made durable")                                       \
    X(ack_before_write, "a write is answered before it is written")                                    \
    X(publish_before_fdatasync, "in mode always, others see a write before it is durable")             \
    X(retry_fdatasync, "a fdatasync that failed is tried again, and its second word believed")         \
    X(crc_not_checked_on_get, "a value is answered whose CRC is wrong")                                \
    X(stale_completion, "an answer to an old operation goes to the new one in its place")              \
    X(lost_doorbell, "who sleeps at a doorbell is marked awake, and not woken")                        \
    X(merge_without_sync, "files are removed before what made their records dead is durable")          \
    X(merge_drops_tombstone, "a merge drops tombstones that still hide older records")                 \
    X(expired_hides_nothing, "a merge forgets that expired records hide older ones")                   \
    X(publish_backwards, "the writes of a batch are published in the wrong order")                     \
    X(syncer_sleeps, "in mode interval, nothing is synced")                                            \
    X(body_not_checked, "recovery believes a record whose body does not fit")                          \
    X(damage_cut_silently, "damage to what was promised is called a torn tail")                        \
    X(headers_not_keyed, "record headers are made without a secret")                                   \
    X(tail_not_cut, "recovery leaves a torn tail where it is")                                         \
    X(hint_forgets_tombstones, "a hint calls a tombstone a value")                                     \
    X(doubtful_hint_believed, "a merge believes a hint whose checksum turns out wrong")                \
    X(no_reserve, "no space is kept for the deletes of a full disk")                                   \
    X(full_for_good, "a disk that was full is never looked at again")                                  \
    X(failed_sync_forgotten, "writes go on after a fdatasync that failed")                             \
    X(key_not_compared, "the value of another key with the same fingerprint is answered")              \
    X(salvage_keeps_no_original, "salvage removes the damaged file")                                   \
    X(unlisted_are_removed, "a start removes whatever the MANIFEST does not list")                     \
    X(end_not_marked, "where the newest file was closed is not kept")                                  \
    X(hole_before_mark, "the blocks of dead records may go before it is durable that they are a hole") \
    X(hole_over_live, "a hole takes records that somebody needs")                                      \
    X(hole_without_sync, "records go before what made them dead is durable")                           \
    X(expectation_ignored, "a conditional write happens whatever the key is")                          \
    X(pending_not_compared, "a condition is compared with the keydir, not with the batch")             \
    X(expired_counts_as_there, "a write over an expired value is told that it was there")              \
    X(expired_told_late, "what is expired is told with a sequence of a later state")                   \
    X(synced_answered_before_sync, "who asked for a durable write is answered before it is one")       \
    X(weak_tag_matches, "If-Match compares weakly")                                                    \
    X(malformed_condition_taken, "a condition that cannot be read is none")                            \
    X(unknown_parameter_passed_over, "a parameter that does nothing is not refused")                   \
    X(listing_trusts_hint, "a listing shows what the files say, and does not ask the keydir")          \
    X(copies_twice, "a merge that reads an input anew copies again what it has copied")                \
    X(hole_in_part, "a hole is made over a part of an older one")                                      \
    X(cursor_repeats, "a listing goes on with the key that it has shown, not behind it")

enum rk_planted {
#define RK_PLANTED_ENUM(name, text) RK_PLANTED_##name,
    RK_PLANTED_TABLE(RK_PLANTED_ENUM)
#undef RK_PLANTED_ENUM
};

#ifndef RK_PLANTED_BUG
#define RK_PLANTED_BUG none
#endif

#define RK_PLANTED_ID(name)       RK_PLANTED_##name
#define RK_PLANTED_SELECTED(name) RK_PLANTED_ID(name)

/* Whether this build has the bug: 1 or 0, known to the compiler. */
#define RK_PLANTED(name) (RK_PLANTED_##name == RK_PLANTED_SELECTED(RK_PLANTED_BUG))

#endif
