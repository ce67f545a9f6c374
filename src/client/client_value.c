#include "client/client_value.h"

#include "base/base_detail.h"
#include "base/base_open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static enum rk_err read_file(const char *path, struct rk_client_buffer *value, struct rk_detail *detail)
{
    int fd = rk_open_file(AT_FDCWD, path, O_RDONLY, 0);
    enum rk_err err;

    if (fd < 0) {
        rk_detail_set(detail, "%s: %s; a value that begins with @ is written with two: @@%s", path, rk_open_text(errno),
                      path);
        return RK_ERR_IO;
    }
    err = rk_client_buffer_read(value, fd, path, detail);
    (void)close(fd); /* it was only read */
    return err;
}

enum rk_err rk_client_value_read(const char *text, struct rk_client_buffer *value, struct rk_detail *detail)
{
    if (strcmp(text, "-") == 0)
        return rk_client_buffer_read(value, STDIN_FILENO, "standard input", detail);
    if (strcmp(text, "@") == 0) {
        rk_detail_set(detail, "the name of a file is missing behind @; the value @ is written as @@");
        return RK_ERR_IO;
    }
    if (text[0] == '@' && text[1] != '@')
        return read_file(text + 1, value, detail);
    if (text[0] == '@')
        text++;
    if (rk_client_buffer_append(value, text, strlen(text)))
        return RK_OK;
    rk_detail_set(detail, "out of memory");
    return RK_ERR_NO_MEMORY;
}
