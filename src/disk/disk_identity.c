#include "disk/disk_identity.h"

#include "base/base_bytes.h"
#include "base/base_crc.h"
#include "base/base_detail.h"

#include <rackkv/disk.h>
#include <stddef.h>
#include <string.h>

enum identity_offset {
    AT_MAGIC = offsetof(struct rackkv_disk_identity, magic),
    AT_CRC = offsetof(struct rackkv_disk_identity, crc),
    AT_VERSION = offsetof(struct rackkv_disk_identity, format_version),
    AT_UUID = offsetof(struct rackkv_disk_identity, uuid),
    AT_HASH_KEY = offsetof(struct rackkv_disk_identity, hash_key),
    AT_CREATED = offsetof(struct rackkv_disk_identity, created_ms),
};

static const char magic[8] = RACKKV_DISK_IDENTITY_MAGIC;

static uint32_t identity_crc(const uint8_t *bytes)
{
    static const uint8_t zeros[4];
    uint32_t crc = rk_crc32c(0, bytes, AT_CRC);

    crc = rk_crc32c(crc, zeros, sizeof zeros);
    return rk_crc32c(crc, bytes + AT_VERSION, RK_DISK_IDENTITY_BYTES - AT_VERSION);
}

void rk_disk_identity_encode(uint8_t bytes[RK_DISK_IDENTITY_BYTES], const struct rk_disk_identity *identity)
{
    memset(bytes, 0, RK_DISK_IDENTITY_BYTES);
    memcpy(bytes + AT_MAGIC, magic, sizeof magic);
    rk_bytes_store32(bytes + AT_VERSION, RK_DISK_FORMAT_VERSION);
    memcpy(bytes + AT_UUID, identity->uuid, RK_DISK_UUID_BYTES);
    memcpy(bytes + AT_HASH_KEY, identity->hash_key, RK_DISK_HASH_KEY_BYTES);
    rk_bytes_store64(bytes + AT_CREATED, identity->created_ms);
    rk_bytes_store32(bytes + AT_CRC, identity_crc(bytes));
}

enum rk_err rk_disk_identity_decode(const uint8_t *bytes, size_t size, struct rk_disk_identity *identity_out,
                                    struct rk_detail *detail)
{
    uint32_t version;

    if (size != RK_DISK_IDENTITY_BYTES || memcmp(bytes, magic, sizeof magic) != 0) {
        rk_detail_set(detail, "not the identity of a store: %u bytes that begin with RKSTORE1 are expected",
                      RK_DISK_IDENTITY_BYTES);
        return RK_ERR_CORRUPT;
    }
    if (rk_bytes_load32(bytes + AT_CRC) != identity_crc(bytes)) {
        rk_detail_set(detail, "damaged: its checksum does not fit; restore it from a backup");
        return RK_ERR_CORRUPT;
    }
    version = rk_bytes_load32(bytes + AT_VERSION);
    if (version != RK_DISK_FORMAT_VERSION) {
        rk_detail_set(detail, "format version %u; this program reads version %u", version, RK_DISK_FORMAT_VERSION);
        return RK_ERR_MISMATCH;
    }
    memcpy(identity_out->uuid, bytes + AT_UUID, RK_DISK_UUID_BYTES);
    memcpy(identity_out->hash_key, bytes + AT_HASH_KEY, RK_DISK_HASH_KEY_BYTES);
    identity_out->created_ms = rk_bytes_load64(bytes + AT_CREATED);
    identity_out->secret = rk_disk_secret_derive(identity_out->hash_key);
    return RK_OK;
}
