/* strace on a running process, to make the n-th call of some kind fail there. All its threads are attached, and only
 * the process asked for: a worker is not its master. */
#ifndef RK_SYSTEM_TRACER_H
#define RK_SYSTEM_TRACER_H

#include <stdbool.h>
#include <sys/types.h>

struct system_tracer;

/* Attaches with one or more -e expressions (NULL at the end), such as "inject=fdatasync:error=EIO:when=1"; calls of
 * each thread are counted from here. NULL, with a line that says so, where there is no strace or it is not permitted:
 * the caller skips its test then. */
struct system_tracer *system_tracer_attach(pid_t pid, const char *const *expressions);

/* The same; strace writes what it sees to a file, a line for each call that is traced: "(INJECTED)" where it put a
 * fault. */
struct system_tracer *system_tracer_attach_logged(pid_t pid, const char *const *expressions, const char *path);

/* Whether there is such a text in what strace has written to the file so far. */
bool system_tracer_has_logged(const char *path, const char *text);

/* The letter that ps shows of a process; 0 when it is gone. */
char system_process_state(pid_t pid);

/* The process goes on untraced, or stays stopped. NULL inside is fine. */
void system_tracer_detach(struct system_tracer **tracer);

#endif
