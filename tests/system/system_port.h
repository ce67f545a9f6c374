/* Ports of 127.0.0.1 that nobody else gets while a test needs them, also between the end of a server and the start of
 * the next: a client that comes back in that while would otherwise meet the server of another test.
 *
 * A port is held by a socket that is bound and does not listen. With SO_REUSEPORT on both sides a server of the same
 * user may listen there, and to whoever lets the kernel choose a port it is taken. */
#ifndef RK_SYSTEM_PORT_H
#define RK_SYSTEM_PORT_H

/* A port that this process holds and does not use, the one given back last: a server that is started again finds its
 * old one. Main thread. */
int system_port_take(void);

/* It may be taken again; it stays held until the process ends. */
void system_port_give_back(int port);

#endif
