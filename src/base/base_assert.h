/* RK_ASSERT: our own bugs. Always on; prints file, line and the condition, and aborts. Never for input, nor for what
 * the kernel or another process may do. */
#ifndef RK_BASE_ASSERT_H
#define RK_BASE_ASSERT_H

#define RK_ASSERT(condition) ((condition) ? (void)0 : rk_assert_failed(__FILE__, __LINE__, __func__, #condition))

void rk_assert_failed(const char *file, int line, const char *function, const char *condition)
    __attribute__((noreturn, cold));

#endif
