#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_open.h"
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (1024u * 1024)

enum rk_err rk_conf_load_file(struct rk_conf *conf, const char *path, struct rk_detail *detail)
{
    int fd = rk_open_file(AT_FDCWD, path, O_RDONLY, 0);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    char *text = NULL;
    size_t size;
    enum rk_err err;

    if (file == NULL) {
        err = rk_err_from_errno(errno);
        rk_detail_set(detail, "%s: the configuration can't be opened: %s", path, rk_open_text(errno));
        return err;
    }
    text = rk_mem_calloc(1, FILE_BYTES_MAX + 1);
    size = fread(text, 1, FILE_BYTES_MAX + 1, file);
    if (ferror(file)) {
        err = rk_err_from_errno(errno);
        rk_detail_set(detail, "%s: the configuration can't be read: %s", path, strerror(errno));
    } else if (size > FILE_BYTES_MAX) {
        err = RK_ERR_TOO_LARGE;
        rk_detail_set(detail, "%s: a configuration is at most 1 MiB long", path);
    } else
        err = rk_conf_load_text(conf, path, text, size, detail);
    free(text);
    (void)fclose(file); /* it was only read */
    return err;
}
