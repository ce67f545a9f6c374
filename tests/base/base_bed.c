#include "base_bed.h"

#include "test_dir.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *dir;
char base_bed_path[512], base_bed_other[512];

void base_bed_setup(void)
{
    dir = test_dir_create();
    (void)snprintf(base_bed_path, sizeof base_bed_path, "%s/name", dir);
    (void)snprintf(base_bed_other, sizeof base_bed_other, "%s/other", dir);
}

void base_bed_teardown(void)
{
    test_dir_remove(&dir);
}

void base_bed_write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "we");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

const char *base_bed_read_file(const char *name)
{
    static char text[4096];
    FILE *file = fopen(name, "re");
    size_t size;

    ck_assert_ptr_nonnull(file);
    size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

unsigned base_bed_mode_of(const char *name)
{
    struct stat status;

    ck_assert_int_eq(lstat(name, &status), 0);
    return status.st_mode & 07777;
}

ino_t base_bed_inode_of(const char *name)
{
    struct stat status;

    ck_assert_int_eq(lstat(name, &status), 0);
    return status.st_ino;
}

bool base_bed_is_there(const char *name)
{
    struct stat status;

    return lstat(name, &status) == 0;
}

struct base_holder base_bed_start_holder(bool (*take)(void))
{
    struct base_holder holder;
    int hold[2], taken[2];
    char byte;

    ck_assert_int_eq(pipe2(hold, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(taken, O_CLOEXEC), 0);
    holder.pid = fork();
    if (holder.pid == 0) {
        close(hold[1]);
        byte = take() ? 'y' : 'n';
        (void)!write(taken[1], &byte, 1);
        (void)!read(hold[0], &byte, 1);
        _exit(0);
    }
    close(hold[0]);
    close(taken[1]);
    ck_assert_int_eq(read(taken[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    close(taken[0]);
    holder.hold = hold[1];
    return holder;
}

/* As a kill does: nothing of what it took is given back by itself. */
void base_bed_end_holder(struct base_holder *holder)
{
    kill(holder->pid, SIGKILL);
    ck_assert_int_eq(waitpid(holder->pid, NULL, 0), holder->pid);
    close(holder->hold);
}

void base_bed_make_obstacle(int kind)
{
    if (kind == 0)
        base_bed_write_file(base_bed_path, "precious");
    else if (kind == 1)
        ck_assert_int_eq(mkdir(base_bed_path, 0700), 0);
    else if (kind == 2)
        ck_assert_int_eq(symlink("/nonexistent/name", base_bed_path), 0);
    else
        ck_assert_int_eq(mkfifo(base_bed_path, 0600), 0);
}
