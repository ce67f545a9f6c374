/* Tries what a start will ask the system for, before it is asked for in earnest: rackkvd -t and the start say the same.
 * Nothing stays behind, and a server that runs with the same configuration is not disturbed: its lock and its addresses
 * are not what is tried here. */
#ifndef RK_MASTER_PROBE_H
#define RK_MASTER_PROBE_H

#include "base/base_err.h"

struct rk_conf;
struct rk_detail;

/* RK_OK, or an error with a detail that names the setting, what the system said, and what would be right. conf is
 * settled. Main thread: the limit of open files is raised as the start raises it, SIGXFSZ is ignored. */
enum rk_err rk_master_probe(const struct rk_conf *conf, struct rk_detail *detail);

#endif
