/* rackkvctl, as a program that asks it. */
#ifndef RK_SYSTEM_CTL_H
#define RK_SYSTEM_CTL_H

/* What it prints for the command with --json, of the server whose data is in `dir`; valid until the next call. The test
 * fails when it exits with anything but 0. */
const char *system_ctl(const char *dir, const char *command);

#endif
