/* A stand-in for liburcu that the thread sanitizer understands.
 *
 * liburcu orders readers against synchronize_rcu by membarrier(2) and by assembly that ThreadSanitizer does not see:
 * with it, every reuse of memory after a grace period looks like a race, and silencing those would silence the real
 * ones. So the builds with that sanitizer, and only those, use these functions, made of C11 atomics alone. What they
 * order is what liburcu orders, and no more:
 *
 *  1. the end of a read section happens before the return of a synchronize that waited for it, or began after it;
 *  2. what happened before a synchronize began happens before each read section that it did not wait for.
 *
 * A reuse without a grace period is therefore still a race that is reported. Readers pay a locked instruction a
 * section; that is why no other build has it. grace.h chooses. */
#ifndef RK_GRACE_STANDIN_H
#define RK_GRACE_STANDIN_H

#if defined(__SANITIZE_THREAD__)
#define RK_GRACE_STANDIN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RK_GRACE_STANDIN 1
#endif
#endif
#ifndef RK_GRACE_STANDIN
#define RK_GRACE_STANDIN 0
#endif

/* As the functions of grace.h without "standin". */
void rk_grace_standin_register_thread(void);
void rk_grace_standin_unregister_thread(void);
void rk_grace_standin_read_lock(void);
void rk_grace_standin_read_unlock(void);

/* Returns when every section of this process that ran at the call has ended. Never inside a section. */
void rk_grace_standin_synchronize(void);

#endif
