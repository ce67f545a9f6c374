#include "store/store_files.h"

#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_open.h"
#include "log/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* Numbers go up one by one, so the low bits spread them: chains of one or two until there are thousands of files. */
#define N_CHAINS 4096u

struct file_node {
    struct rk_store_file file;
    struct file_node *next;
};

struct rk_store_files {
    int dir_fd;
    size_t n_open;
    uint64_t n_gets;
    struct file_node *chains[N_CHAINS];
};

struct rk_store_files *rk_store_files_create(int dir_fd)
{
    struct rk_store_files *files = rk_mem_calloc(1, sizeof *files);

    files->dir_fd = dir_fd;
    return files;
}

static void close_chain(struct file_node *node)
{
    while (node != NULL) {
        struct file_node *next = node->next;

        (void)rk_io->close(node->file.fd); /* only read: nothing to lose */
        free(node);
        node = next;
    }
}

void rk_store_files_destroy(struct rk_store_files **files)
{
    if (*files == NULL)
        return;
    for (unsigned i = 0; i < N_CHAINS; i++)
        close_chain((*files)->chains[i]);
    free(*files);
    *files = NULL;
}

/* Closes the node that the link points to. */
static void close_node(struct rk_store_files *files, struct file_node **link)
{
    struct file_node *node = *link;

    *link = node->next;
    (void)rk_io->close(node->file.fd); /* only read: nothing to lose */
    free(node);
    files->n_open--;
}

bool rk_store_files_close_gone(struct rk_store_files *files)
{
    bool all = true;

    for (unsigned i = 0; i < N_CHAINS; i++) {
        struct file_node **link = &files->chains[i];

        while (*link != NULL) {
            struct stat status;
            bool is_gone = rk_io->fstat((*link)->file.fd, &status) == 0 && status.st_nlink == 0;

            if (is_gone && (*link)->file.n_pins == 0) {
                close_node(files, link);
                continue;
            }
            all = all && !is_gone;
            link = &(*link)->next;
        }
    }
    return all;
}

/* Rare: only a store of more files than may be open comes here, and then once an opening. */
static bool close_oldest(struct rk_store_files *files)
{
    struct file_node **oldest = NULL;

    for (unsigned i = 0; i < N_CHAINS; i++)
        for (struct file_node **link = &files->chains[i]; *link != NULL; link = &(*link)->next)
            if ((*link)->file.n_pins == 0 && (oldest == NULL || (*link)->file.used < (*oldest)->file.used))
                oldest = link;
    if (oldest != NULL)
        close_node(files, oldest);
    return oldest != NULL;
}

static enum rk_err open_file(struct rk_store_files *files, uint32_t number, struct rk_store_file **file_out)
{
    char name[RK_LOG_FILE_NAME_BYTES];
    struct file_node *node;
    int fd;

    if (files->n_open >= RK_STORE_FILES_OPEN_MAX)
        (void)close_oldest(files); /* or all are pinned */
    rk_log_file_name(name, number);
    fd = rk_open_file(files->dir_fd, name, O_RDONLY, 0);
    if (fd < 0 && errno == EMFILE && close_oldest(files)) /* connections have the others */
        fd = rk_open_file(files->dir_fd, name, O_RDONLY, 0);
    if (fd < 0)
        return rk_err_from_errno(errno);
    node = rk_mem_calloc(1, sizeof *node);
    node->file = (struct rk_store_file){ .number = number, .fd = fd, .used = files->n_gets };
    files->n_open++;
    node->next = files->chains[number % N_CHAINS];
    files->chains[number % N_CHAINS] = node;
    *file_out = &node->file;
    return RK_OK;
}

enum rk_err rk_store_files_get(struct rk_store_files *files, uint32_t number, struct rk_store_file **file_out)
{
    files->n_gets++;
    for (struct file_node *node = files->chains[number % N_CHAINS]; node != NULL; node = node->next) {
        if (node->file.number == number) {
            node->file.used = files->n_gets;
            *file_out = &node->file;
            return RK_OK;
        }
    }
    return open_file(files, number, file_out);
}
