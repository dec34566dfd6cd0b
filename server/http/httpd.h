/*
 * httpd.h - the listeners: libmicrohttpd with a pool of threads, TLS by GnuTLS.
 */
#ifndef MUE_SERVER_HTTP_HTTPD_H
#define MUE_SERVER_HTTP_HTTPD_H

#include "host/err.h"
#include "server/server.h"

enum {
	/* Per connection: the headers of one request and the read buffer.  hawkBit's clients send
	 * filters in the query, so 4 KiB is too tight; an idle TLS session is twice that. */
	MUE_CONNECTION_POOL = 8 * 1024,
	MUE_CONNECTION_TIMEOUT_S = 120,
	MUE_DOWNLOAD_BUFFER = 64 * 1024,
	MUE_DROP_MAX = 8 * 1024 * 1024, /* of a refused request's body that is still read */
};

/* Starts the HTTPS and, when configured, the HTTP listener.  server->httpd is set on success. */
int mue_httpd_start(struct mue_server *server, struct mue_error *e);
/* Stops accepting, lets requests in flight end for up to grace_ms, then closes. */
void mue_httpd_stop(struct mue_server *server, unsigned grace_ms);

/* "127.0.0.1:8443" as bound; "" when that listener is off. */
const char *mue_httpd_https_address(const struct mue_httpd *h);
const char *mue_httpd_http_address(const struct mue_httpd *h);
/* Open connections now. */
unsigned mue_httpd_connections(const struct mue_httpd *h);

#endif
