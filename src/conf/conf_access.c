#include "conf/conf_access.h"

#include "base/base_unix.h"
#include "conf/conf.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define MODE_MAX 0777
#define MODE_OWN 0600 /* the server's user can use what the server made */

static bool is_number(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* A number of the kernel's; all ones would mean "leave it". */
static bool parse_number(const char *text, unsigned *number_out)
{
    unsigned long number;

    errno = 0;
    number = strtoul(text, NULL, 10);
    if (errno != 0 || number >= (unsigned)-1)
        return false;
    *number_out = (unsigned)number;
    return true;
}

static bool parse_mode(const char *text, mode_t *mode_out)
{
    unsigned long mode;

    if (text[0] == '\0' || text[strspn(text, "01234567")] != '\0')
        return false;
    mode = strtoul(text, NULL, 8);
    if (mode > MODE_MAX || (mode & MODE_OWN) != MODE_OWN)
        return false;
    *mode_out = (mode_t)mode;
    return true;
}

static bool find_owner(const char *text, uid_t *owner_out)
{
    const struct passwd *user;

    if (is_number(text))
        return parse_number(text, owner_out);
    user = getpwnam(text);
    if (user == NULL)
        return false;
    *owner_out = user->pw_uid;
    return true;
}

static bool find_group(const char *text, gid_t *group_out)
{
    const struct group *group;

    if (is_number(text))
        return parse_number(text, group_out);
    group = getgrnam(text);
    if (group == NULL)
        return false;
    *group_out = group->gr_gid;
    return true;
}

bool rk_conf_access_check_mode(const char *text, const char **problem_out)
{
    mode_t mode;

    *problem_out = "is no such mode";
    return parse_mode(text, &mode);
}

bool rk_conf_access_check_owner(const char *text, const char **problem_out)
{
    uid_t owner;

    *problem_out = "is no user of this system";
    return text[0] == '\0' || find_owner(text, &owner);
}

bool rk_conf_access_check_group(const char *text, const char **problem_out)
{
    gid_t group;

    *problem_out = "is no group of this system";
    return text[0] == '\0' || find_group(text, &group);
}

void rk_conf_socket_access(const struct rk_conf *conf, struct rk_unix_access *access_out)
{
    struct rk_unix_access access = { .mode = MODE_OWN, .owner = (uid_t)-1, .group = (gid_t)-1 };

    (void)parse_mode(conf->http.socket_mode, &access.mode); /* the table's checks have seen them */
    if (conf->http.socket_owner[0] != '\0')
        (void)find_owner(conf->http.socket_owner, &access.owner);
    if (conf->http.socket_group[0] != '\0')
        (void)find_group(conf->http.socket_group, &access.group);
    *access_out = access;
}
