/* Examines a keydir together with what its writer knows about it. */
#ifndef RK_KEYDIR_CHECK_WRITER_H
#define RK_KEYDIR_CHECK_WRITER_H

#include "keydir/keydir_check.h"

struct rk_keydir_writer;

/* As rk_keydir_check; besides, that the writer's counts are those of the region, that each extent is in one state and
 * its lists say so, and that pages, limbo, pool and directory add up to what is used: nothing leaks. Writer thread. */
enum rk_err rk_keydir_check_writer(const struct rk_keydir_writer *writer, struct rk_detail *detail);

#endif
