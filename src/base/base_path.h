/* Paths of files. */
#ifndef RK_BASE_PATH_H
#define RK_BASE_PATH_H

/* The path from the root, links followed, for somebody who does not know where this process was started; the path as it
 * is when it cannot be known. On the heap. Any thread. */
char *rk_path_absolute(const char *path);

#endif
