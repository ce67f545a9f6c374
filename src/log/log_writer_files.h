/* Which file a log writer appends to. For log_writer.c alone; what others may call is in log_writer.h. */
#ifndef RK_LOG_WRITER_FILES_H
#define RK_LOG_WRITER_FILES_H

#include "log/log_writer.h"

/* Begins with the first active file. RK_OK, or what rk_log_writer_open says. */
enum rk_err rk_log_writer_begin(struct rk_log_writer *writer, const struct rk_log_newest *newest,
                                struct rk_detail *detail);

/* As rk_log_writer_roll: that one at all costs. */
enum rk_err rk_log_writer_roll_over(struct rk_log_writer *writer, bool at_all_costs);

#endif
