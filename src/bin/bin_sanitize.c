/* What the leak sanitizer is told of the libraries beneath us; empty in every other build. */

#if defined(__SANITIZE_ADDRESS__)

const char *__lsan_default_suppressions(void);

/* libh2o keeps freed blocks for reuse in tables that it forgets when the thread of an event loop ends, and never frees
 * a loop's message queue. Once a process, not once a request. */
const char *__lsan_default_suppressions(void)
{
    return "leak:h2o_mem_alloc_recycle\nleak:h2o_multithread_create_queue\n";
}

#else

typedef int rk_bin_sanitize_is_empty; /* ISO C wants something in a file */

#endif
