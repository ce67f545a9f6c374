#include "store/store_files.h"

#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_open.h"
#include "disk/disk_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/queue.h>

/* Numbers go up one by one, so the low bits spread them: chains of one or two until there are thousands of files. */
#define N_CHAINS 4096u

struct file_node {
    struct rk_store_file file;
    struct file_node *next;
    TAILQ_ENTRY(file_node) use;
};

TAILQ_HEAD(file_queue, file_node);

struct rk_store_files {
    int dir_fd;
    size_t max_open;
    size_t n_open;
    struct file_queue by_use; /* the one that was used longest ago first */
    struct file_node *chains[N_CHAINS];
};

struct rk_store_files *rk_store_files_create(int dir_fd, size_t max_open)
{
    struct rk_store_files *files = rk_mem_calloc(1, sizeof *files);

    files->dir_fd = dir_fd;
    files->max_open = max_open;
    TAILQ_INIT(&files->by_use);
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
    TAILQ_REMOVE(&files->by_use, node, use);
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

static struct file_node **link_of(struct rk_store_files *files, const struct file_node *node)
{
    struct file_node **link = &files->chains[node->file.number % N_CHAINS];

    while (*link != node)
        link = &(*link)->next;
    return link;
}

/* A store of more files than may be open comes here with every other read: no look at all of them. */
static bool close_oldest(struct rk_store_files *files)
{
    struct file_node *node;

    TAILQ_FOREACH(node, &files->by_use, use)
    {
        if (node->file.n_pins == 0) {
            close_node(files, link_of(files, node));
            return true;
        }
    }
    return false;
}

static enum rk_err open_file(struct rk_store_files *files, uint32_t number, struct rk_store_file **file_out)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    struct file_node *node;
    int fd;

    while (files->n_open >= files->max_open && close_oldest(files))
        continue; /* it was more while more were pinned */
    rk_disk_file_name(name, number);
    fd = rk_open_file(files->dir_fd, name, O_RDONLY, 0);
    if (fd < 0 && errno == EMFILE && close_oldest(files)) /* connections have the others */
        fd = rk_open_file(files->dir_fd, name, O_RDONLY, 0);
    if (fd < 0)
        return rk_err_from_errno(errno);
    node = rk_mem_calloc(1, sizeof *node);
    node->file = (struct rk_store_file){ .number = number, .fd = fd };
    files->n_open++;
    TAILQ_INSERT_TAIL(&files->by_use, node, use);
    node->next = files->chains[number % N_CHAINS];
    files->chains[number % N_CHAINS] = node;
    *file_out = &node->file;
    return RK_OK;
}

enum rk_err rk_store_files_get(struct rk_store_files *files, uint32_t number, struct rk_store_file **file_out)
{
    for (struct file_node *node = files->chains[number % N_CHAINS]; node != NULL; node = node->next) {
        if (node->file.number == number) {
            TAILQ_REMOVE(&files->by_use, node, use);
            TAILQ_INSERT_TAIL(&files->by_use, node, use);
            *file_out = &node->file;
            return RK_OK;
        }
    }
    return open_file(files, number, file_out);
}
