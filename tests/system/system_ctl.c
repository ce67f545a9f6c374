#include "system_ctl.h"

#include <check.h>
#include <stdio.h>

#define ANSWER_BYTES (1u << 20) /* some thousands of data files */

const char *system_ctl(const char *dir, const char *command)
{
    static char answer[ANSWER_BYTES];
    char line[1024];
    FILE *pipe;
    size_t n;

    snprintf(line, sizeof line, "./rackkvctl -s %s/control.sock --json %s", dir, command);
    pipe = popen(line, "r");
    ck_assert_ptr_nonnull(pipe);
    n = fread(answer, 1, sizeof answer - 1, pipe);
    answer[n] = '\0';
    ck_assert_msg(pclose(pipe) == 0, "%s: %s", line, answer);
    return answer;
}
