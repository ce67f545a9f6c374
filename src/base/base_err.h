/* The outcomes that can happen, in one table.
 *
 * A function that can fail returns RK_OK (0) or a negative code of this list. Codes say what happened; where and to
 * what is said by a struct rk_detail (base_detail.h), filled in on cold paths only. Absence (RK_ERR_NOT_FOUND) is an
 * answer, and nothing prints it as an error. */
#ifndef RK_BASE_ERR_H
#define RK_BASE_ERR_H

/* name, value, the sentence a person reads */
#define RK_ERR_TABLE(X)                                                     \
    X(RK_OK, 0, "done")                                                     \
    X(RK_ERR_NOT_FOUND, -1, "not found")                                    \
    X(RK_ERR_INVALID, -2, "invalid input")                                  \
    X(RK_ERR_TOO_LARGE, -3, "too large")                                    \
    X(RK_ERR_NO_MEMORY, -4, "out of memory")                                \
    X(RK_ERR_NO_SPACE, -5, "no space left on the device")                   \
    X(RK_ERR_IO, -6, "input/output error")                                  \
    X(RK_ERR_CORRUPT, -7, "damaged data")                                   \
    X(RK_ERR_TORN, -8, "incomplete record")                                 \
    X(RK_ERR_BUSY, -9, "in use by another process")                         \
    X(RK_ERR_AGAIN, -10, "not now; try again")                              \
    X(RK_ERR_FULL, -11, "full")                                             \
    X(RK_ERR_READ_ONLY, -12, "writes are refused until a restart")          \
    X(RK_ERR_MISMATCH, -13, "made by another version or for another store") \
    X(RK_ERR_LIMIT, -14, "a limit of the system was reached")               \
    X(RK_ERR_CLOSED, -15, "closed by the other side")                       \
    X(RK_ERR_TIMEOUT, -16, "not done in time")                              \
    X(RK_ERR_PRECONDITION, -17, "the condition does not hold")              \
    X(RK_ERR_DENIED, -18, "not allowed")                                    \
    X(RK_ERR_CHANGED, -19, "changed by another meanwhile")

enum rk_err {
#define RK_ERR_ENUM(name, value, text) name = value,
    RK_ERR_TABLE(RK_ERR_ENUM)
#undef RK_ERR_ENUM
};

/* The sentence for a code; never NULL. Any thread. */
const char *rk_err_text(enum rk_err err);

/* The code that fits an errno of a file or memory call; RK_ERR_IO where nothing fits better. Any thread. */
enum rk_err rk_err_from_errno(int errnum);

#endif
