/* The limits that the system sets to a process (setrlimit), against what a configuration needs. */
#ifndef RK_MASTER_LIMITS_H
#define RK_MASTER_LIMITS_H

#include "base/base_err.h"

#include <stdint.h>

struct rk_conf;
struct rk_detail;

/* Descriptors that the master needs for a settled configuration, and that each of its workers needs to serve anybody at
 * all; and so many of a worker's are not for connections. Pure. */
uint64_t rk_master_limits_master_fds(const struct rk_conf *conf);
uint64_t rk_master_limits_worker_fds(const struct rk_conf *conf);

/* Raises the limit of open files as far as it goes, which workers inherit. RK_ERR_LIMIT when that is too little for
 * this configuration, or when a data file of log.file_size may not be written; the detail says how much is needed. */
enum rk_err rk_master_limits_check(const struct rk_conf *conf, struct rk_detail *detail);

/* The start: raises it as well, for the workers too, and warns when it is too small for http.max_connections in each of
 * n_slots workers. Main thread, before any worker. */
void rk_master_limits_raise(const struct rk_conf *conf, unsigned n_slots);

#endif
