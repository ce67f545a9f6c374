/* What the list of data files says. */
#include "disk/disk_location.h"
#include "log/log_store_change.h"
#include "log/log_store_private.h"

size_t rk_log_store_n_files(const struct rk_log_store *store)
{
    size_t n_files;

    rk_log_store_lock_list(store);
    n_files = store->manifest.n_files;
    rk_log_store_unlock_list(store);
    return n_files;
}

uint32_t rk_log_store_file(const struct rk_log_store *store, size_t index)
{
    uint32_t file_number;

    rk_log_store_lock_list(store);
    file_number = index < store->manifest.n_files ? store->manifest.files[index] : 0;
    rk_log_store_unlock_list(store);
    return file_number;
}

uint64_t rk_log_store_edition(const struct rk_log_store *store)
{
    uint64_t edition;

    rk_log_store_lock_list(store);
    edition = store->manifest.edition;
    rk_log_store_unlock_list(store);
    return edition;
}

uint32_t rk_log_store_next_number(struct rk_log_store *store)
{
    uint32_t file_number;

    rk_log_store_lock_list(store);
    do {
        file_number = store->manifest.next_number;
        store->manifest.next_number = file_number < RK_DISK_FILE_NUMBER_MAX ? file_number + 1 : 1;
    } while (rk_disk_manifest_has(&store->manifest, file_number));
    rk_log_store_unlock_list(store);
    return file_number;
}

bool rk_log_store_lists(const struct rk_log_store *store, uint32_t file_number)
{
    bool is_listed;

    rk_log_store_lock_list(store);
    is_listed = rk_disk_manifest_has(&store->manifest, file_number);
    rk_log_store_unlock_list(store);
    return is_listed;
}

uint64_t rk_log_store_last_sequence(const struct rk_log_store *store)
{
    uint64_t sequence;

    rk_log_store_lock_list(store);
    sequence = store->manifest.last_sequence;
    rk_log_store_unlock_list(store);
    return sequence;
}

uint64_t rk_log_store_closed_bytes(const struct rk_log_store *store, uint32_t file_number)
{
    uint64_t end_bytes;

    rk_log_store_lock_list(store);
    end_bytes = store->manifest.closed_file == file_number ? store->manifest.closed_bytes : 0;
    rk_log_store_unlock_list(store);
    return end_bytes;
}
