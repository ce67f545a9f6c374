#include "shm/shm_descriptors.h"

#define FILES_PART 4u
#define FILES_MIN  16u

struct rk_descriptors rk_descriptors_share(uint64_t limit, uint64_t in_use)
{
    uint64_t taken = in_use + RK_DESCRIPTORS_SPARE;
    uint64_t left = limit > taken + 2 ? limit - taken : 2;
    uint64_t least = left / 2 < FILES_MIN ? left / 2 : FILES_MIN;
    uint64_t files = left / FILES_PART;

    files = files < least ? least : files;
    files = files > RK_DESCRIPTORS_FILES_MAX ? RK_DESCRIPTORS_FILES_MAX : files;
    return (struct rk_descriptors){ .n_connections = (size_t)(left - files), .n_files = (size_t)files };
}
