/*
 * http.h - HTTP client on libcurl (GnuTLS flavour): small JSON calls and large streams.
 *
 * One struct mue_http is one connection cache with one identity; it belongs to one thread.  Only
 * http and https are spoken, redirects are followed at most 4 times and never from https to http,
 * and credentials are not sent to another host.  Nothing is retried here: links/https.h does that.
 */
#ifndef MUE_HOST_HTTP_H
#define MUE_HOST_HTTP_H

#include "host/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All strings may be NULL and are copied by mue_http_open. */
struct mue_http_config {
	const char *ca;   /* PEM file of the only trusted CAs; NULL: the system's */
	const char *cert; /* client certificate: PEM file or pkcs11: URI */
	const char *key;  /* its key: PEM file or pkcs11: URI (PIN by pin-value/pin-source) */
	const char *authorization; /* value of Authorization, e.g. "Bearer X", "TargetToken X" */
	const char *user_agent;    /* NULL: "mue" */
	uint32_t connect_s;        /* time limit of a connect, 0: 20 s */
	uint32_t stall_s;          /* a transfer slower than 1 byte/s this long fails, 0: 30 s */
};

struct mue_http;

/* Gives an own handle, to be closed by mue_http_close.  MUE_ENOMEM; MUE_EKEY: a named credential
 * cannot be read. */
int mue_http_open(const struct mue_http_config *c, struct mue_http **ret, struct mue_error *e);
void mue_http_close(struct mue_http *h); /* NULL is fine */

/* Takes body bytes of a 2xx answer in order; nonzero stops the transfer with that verdict. */
typedef int (*mue_http_sink)(void *ctx, const void *data, size_t len);
/* Gives up to `size` bytes of a request body into `buf`: > 0 so many, 0 at the end, < 0 a verdict.
 */
typedef long (*mue_http_source)(void *ctx, void *buf, size_t size);
/* Bytes done of `total` (0: not known), both ways together; nonzero stops with that verdict. Called
 * at least once a second. */
typedef int (*mue_http_progress)(void *ctx, uint64_t done, uint64_t total);

/* One request.  Zeroed fields are defaults; nothing is kept after mue_http_do. */
struct mue_http_request {
	const char *method; /* NULL: GET, or POST with a body */
	const char *url;
	const char *accept;         /* NULL: "application/json" when the answer is kept in memory */
	const char *const *headers; /* further "Name: value" lines, ended by NULL; may be NULL */

	/* Body: bytes, or a source, or one file as multipart/form-data. */
	const char *content_type; /* NULL: "application/json" */
	const void *body;
	size_t body_size;
	mue_http_source source;
	uint64_t source_size;  /* UINT64_MAX: not known, sent chunked */
	const char *form_file; /* path: streamed as part `form_name` with `form_filename` */
	const char *form_name, *form_filename;

	/* Answer: into memory (up to `limit`), or into a sink. */
	size_t limit; /* largest answer kept in memory, 0: 1 MiB */
	mue_http_sink sink;
	uint64_t range_from; /* > 0: Range: bytes=range_from- ; an answer 200 is then an error */
	mue_http_progress progress;
	void *ctx;        /* for source, sink and progress */
	uint32_t total_s; /* time limit of the whole request, 0: none with a sink, else 60 s */
};

struct mue_http_answer {
	long status;            /* HTTP status; 0 when none arrived */
	uint32_t retry_after_s; /* from Retry-After (RFC 9110, 10.2.3), 0: not said */
	uint64_t length;        /* Content-Length of the body, UINT64_MAX: not said */
	uint64_t complete; /* whole size by Content-Range (also of a 416), UINT64_MAX: not said */
	char *body;        /* NUL-terminated; the caller frees by mue_http_answer_free */
	size_t body_size;
};

/*
 * Performs the request.  Returns 0 when an HTTP answer arrived, whatever its status: look at
 * ret->status.  Verdicts: MUE_ELINK (no connection, name, or stalled), MUE_EAUTH (the TLS peer is
 * not trusted or refuses us), MUE_ETIMEOUT, MUE_EPROTOCOL (answer not HTTP, ended early, too large,
 * Range ignored), MUE_EKEY, MUE_ENOMEM, or what a callback returned.  ret is always initialised.
 */
int mue_http_do(struct mue_http *h, const struct mue_http_request *q, struct mue_http_answer *ret,
		struct mue_error *e);
void mue_http_answer_free(struct mue_http_answer *a);

/* Turns a status that is no success into a verdict with a sentence: 401, 403 MUE_EAUTH, 404, 410
 * MUE_ENOTFOUND, 408, 504 MUE_ETIMEOUT, 409 MUE_ECONFLICT, 413 MUE_ESIZE, 429, 503 MUE_EBUSY, other
 * 4xx MUE_EPROTOCOL, other 5xx MUE_EIO; 2xx gives 0.  A server's JSON "message" is quoted. */
int mue_http_status(const struct mue_http_answer *a, const char *what, struct mue_error *e);

/* Appends `text` percent-encoded for a path segment or a query value (RFC 3986: all but unreserved
 * is encoded).  MUE_ENOSPC when ret_size is too small; *ret stays NUL-terminated. */
int mue_http_escape(const char *text, char *ret, size_t ret_size);

#endif
