/* The locale of the programs: characters are UTF-8, whatever the environment says. */
#ifndef RK_CLIENT_LOCALE_H
#define RK_CLIENT_LOCALE_H

/* Keys and values are bytes, and what is typed is sent as it is: in a locale of ASCII alone (C, POSIX, none, one that
 * is not installed) libedit would drop every other character. Takes the environment's locale where its characters are
 * UTF-8, else C.UTF-8, which needs no installation. Main thread, first of all. */
void rk_client_locale_set_up(void);

#endif
