/*
 * listen.h - listening sockets by their text, and how many connections the process can hold.
 */
#ifndef MUE_SERVER_HTTP_LISTEN_H
#define MUE_SERVER_HTTP_LISTEN_H

#include "host/err.h"

enum { MUE_LISTEN_ADDRESS = 80 };

/* Listens on "ADDR:PORT", "[ADDR]:PORT" or "*:PORT"; port 0 takes a free one.  *ret_fd is the
 * caller's; ret is the address as bound.  MUE_EINVAL, MUE_EPERM, MUE_EIO. */
int mue_listen_open(const char *text, int *ret_fd, char ret[MUE_LISTEN_ADDRESS],
		    struct mue_error *e);

/* Raises the limit of open files to what is allowed; gives how many connections fit, the files that
 * the server itself needs taken off. */
unsigned mue_listen_limit(void);

#endif
