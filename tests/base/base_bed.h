/* A folder with two names, looks at what is under them, and a process that takes something and is killed. */
#ifndef RK_BASE_BED_H
#define RK_BASE_BED_H

#include <stdbool.h>
#include <sys/types.h>

extern char base_bed_path[512], base_bed_other[512]; /* nothing is there at first */

void base_bed_setup(void);
void base_bed_teardown(void);

void base_bed_write_file(const char *name, const char *text);
const char *base_bed_read_file(const char *name); /* valid until the next call */
unsigned base_bed_mode_of(const char *name);
ino_t base_bed_inode_of(const char *name);
bool base_bed_is_there(const char *name); /* a link that leads nowhere, too */

/* Makes at the path what is neither a socket nor, but for the first kind, a file. */
#define BASE_BED_N_OBSTACLES 4
void base_bed_make_obstacle(int kind);

struct base_holder {
    pid_t pid;
    int hold;
};

/* Runs the function in a child, which keeps what it took; returns when it has it. */
struct base_holder base_bed_start_holder(bool (*take)(void));

/* As a kill does: nothing of what it took is given back by itself. */
void base_bed_end_holder(struct base_holder *holder);

#endif
