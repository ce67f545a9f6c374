/* Any bytes as the keys of a good hint: the first byte says whether the checksums are made to fit, the second where the
 * root is. Whatever they are, keys that are returned ascend, a seek begins at the first of them that is not below what
 * was looked for, or finds that something is wrong, and it ends. */
#include "fuzz.h"
#include "fuzz_data.h"

#include "base/base_assert.h"
#include "base/base_bytes.h"
#include "base/base_crc.h"
#include "disk/disk_hint.h"
#include "disk/disk_keys.h"

#include <stdlib.h>
#include <string.h>

#define DIR_FD  3
#define KEY_MAX RK_RECORD_KEY_MAX

/* The checksums of all blocks that can be reached from the first. */
static void fix(uint8_t *bytes, size_t size)
{
    for (size_t at = 0, block; size - at >= RK_DISK_KEYS_HEAD_BYTES; at += block) {
        block = rk_disk_keys_block_size(bytes + at);
        if (block == 0 || block > size - at)
            return;
        rk_bytes_store32(bytes + at, rk_crc32c(0, bytes + at + 4, block - 4));
    }
}

static struct rk_disk_keys *open_keys(void)
{
    struct rk_disk_file_summary summary;
    struct rk_disk_keys *keys = NULL;

    RK_ASSERT(rk_disk_file_summarize(DIR_FD, FUZZ_DATA_FILE, &fuzz_data_identity.secret, &summary, NULL) == RK_OK);
    RK_ASSERT(rk_disk_keys_open(&keys, DIR_FD, FUZZ_DATA_FILE, fuzz_data_identity.uuid, &summary) == RK_OK);
    return keys;
}

/* From where the cursor is: none is below the first, and they ascend. */
static void read_all(struct rk_disk_keys *keys, const uint8_t *first, size_t first_len)
{
    static uint8_t last[KEY_MAX];
    struct rk_disk_key key;
    size_t last_len = first_len, n = 0;
    enum rk_err err;

    memcpy(last, first, first_len);
    while ((err = rk_disk_keys_next(keys, &key)) == RK_OK) {
        int order = rk_disk_keys_compare(last, last_len, key.key, key.key_len);

        RK_ASSERT(n == 0 ? order <= 0 : order < 0);
        memcpy(last, key.key, key.key_len);
        last_len = key.key_len;
        n++;
    }
    RK_ASSERT(err == RK_ERR_NOT_FOUND || err == RK_ERR_CORRUPT);
}

static void check_keys(const uint8_t *wanted, size_t wanted_len)
{
    struct rk_disk_keys *keys = open_keys();
    enum rk_err err;

    read_all(keys, (const uint8_t *)"", 0);
    err = rk_disk_keys_seek(keys, wanted, wanted_len);
    RK_ASSERT(err == RK_OK || err == RK_ERR_CORRUPT);
    if (err == RK_OK)
        read_all(keys, wanted, wanted_len);
    rk_disk_keys_close(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct fuzz_data_options options = { .kind = RK_DISK_FILE_MERGED, .sealed = true };
    static uint8_t data[4096];
    size_t data_size = fuzz_data_build(data, &options), keys_bytes;
    struct rk_disk_hint_header header = { .file_number = FUZZ_DATA_FILE,
                                          .data_bytes = data_size,
                                          .keys_offset = RK_DISK_HINT_HEADER_BYTES,
                                          .has_sorted_keys = true };
    struct rk_disk_file_summary summary;
    uint8_t *hint;

    if (size < 3)
        return 0;
    keys_bytes = size - 2;
    hint = malloc(RK_DISK_HINT_HEADER_BYTES + keys_bytes);
    memcpy(hint + RK_DISK_HINT_HEADER_BYTES, bytes + 2, keys_bytes);
    if ((bytes[0] & 1) != 0)
        fix(hint + RK_DISK_HINT_HEADER_BYTES, keys_bytes);
    fuzz_data_serve((struct fuzz_file[]){ { "0000000001.data", data, data_size },
                                          { "0000000001.hint", hint, RK_DISK_HINT_HEADER_BYTES + keys_bytes } },
                    2);
    RK_ASSERT(rk_disk_file_summarize(DIR_FD, FUZZ_DATA_FILE, &fuzz_data_identity.secret, &summary, NULL) == RK_OK);
    memcpy(header.uuid, fuzz_data_identity.uuid, sizeof header.uuid);
    header.trailer_crc = summary.trailer_crc;
    header.keys_bytes = keys_bytes;
    header.keys_root = bytes[1];
    rk_disk_hint_header_encode(hint, &header);
    check_keys(bytes + 2, keys_bytes < 8 ? keys_bytes : 8);
    check_keys((const uint8_t *)"key-5", 5);
    free(hint);
    return 0;
}
