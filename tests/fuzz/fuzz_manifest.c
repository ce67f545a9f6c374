/* Any bytes as a MANIFEST and as a STORE: the first byte says whether the checksum is made to fit. What is accepted is
 * encoded to the same bytes again, as far as they mean something. */
#include "fuzz.h"

#include "base/base_assert.h"
#include "base/base_bytes.h"
#include "base/base_crc.h"
#include "base/base_detail.h"
#include "disk/disk_identity.h"
#include "disk/disk_location.h"
#include "disk/disk_manifest.h"

#include <stdlib.h>
#include <string.h>

#define AT_CRC   8
#define CRC_SIZE 4

#define AT_VERSION        12
#define VERSION_OF_BEFORE 2 /* is read, and not written any more */

static void fix(uint8_t *bytes, size_t size)
{
    if (size < AT_CRC + CRC_SIZE)
        return;
    rk_bytes_store32(bytes + AT_CRC, 0);
    rk_bytes_store32(bytes + AT_CRC, rk_crc32c(0, bytes, size));
}

static void check_list(const struct rk_disk_manifest *manifest)
{
    RK_ASSERT(manifest->next_number >= 1 && manifest->next_number <= RK_DISK_FILE_NUMBER_MAX);
    for (uint32_t i = 0; i < manifest->n_files; i++) {
        RK_ASSERT(manifest->files[i] >= 1 && manifest->files[i] <= RK_DISK_FILE_NUMBER_MAX);
        for (uint32_t j = 0; j < i && manifest->n_files < 1000; j++)
            RK_ASSERT(manifest->files[i] != manifest->files[j]);
    }
}

static void check_manifest(const uint8_t *bytes, size_t size)
{
    struct rk_disk_manifest manifest;
    struct rk_detail detail = { "" };
    uint8_t *again;

    if (rk_disk_manifest_decode(bytes, size, &manifest, &detail) != RK_OK) {
        RK_ASSERT(detail.text[0] != '\0');
        return;
    }
    check_list(&manifest);
    RK_ASSERT(rk_disk_manifest_size(&manifest) == size);
    again = calloc(1, size);
    rk_disk_manifest_encode(again, &manifest);
    RK_ASSERT(rk_bytes_load32(bytes + AT_VERSION) == VERSION_OF_BEFORE || memcmp(again, bytes, size) == 0);
    free(again);
    rk_disk_manifest_fini(&manifest);
}

static void check_identity(const uint8_t *bytes, size_t size)
{
    struct rk_disk_identity identity, again;
    struct rk_detail detail = { "" };
    uint8_t encoded[RK_DISK_IDENTITY_BYTES];

    if (rk_disk_identity_decode(bytes, size, &identity, &detail) != RK_OK) {
        RK_ASSERT(detail.text[0] != '\0');
        return;
    }
    rk_disk_identity_encode(encoded, &identity);
    RK_ASSERT(rk_disk_identity_decode(encoded, sizeof encoded, &again, NULL) == RK_OK);
    RK_ASSERT(memcmp(identity.uuid, again.uuid, sizeof again.uuid) == 0 && identity.created_ms == again.created_ms
              && memcmp(identity.hash_key, again.hash_key, sizeof again.hash_key) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *own;

    if (size == 0)
        return 0;
    own = malloc(size);
    memcpy(own, bytes + 1, size - 1);
    if ((bytes[0] & 1) != 0)
        fix(own, size - 1);
    check_manifest(own, size - 1);
    check_identity(own, size - 1);
    free(own);
    return 0;
}
