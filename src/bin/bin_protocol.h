/* The help of a verb for programs that speak the control protocol themselves. */
#ifndef RK_BIN_PROTOCOL_H
#define RK_BIN_PROTOCOL_H

/* Prints how the verb is asked for on the control socket, with each of its members; nothing where it is no verb. */
void rk_bin_protocol_print(const char *verb);

#endif
