/*
 * https.h - the link "https": one artifact from an offset to its end, whatever breaks in between.
 *
 * Attempts continue with Range where the last one ended.  They are bounded twice: by attempts that
 * bring no new byte, and by attempts at all, so that a 404 or a 503 can never become an endless
 * loop.  Retry-After is obeyed.
 */
#ifndef MUE_LINKS_HTTPS_H
#define MUE_LINKS_HTTPS_H

#include "host/http.h"

struct mue_https_limits {
	uint32_t retries;  /* attempts in a row without a new byte */
	uint32_t attempts; /* attempts at all */
	uint32_t retry_s;  /* first pause, doubling up to max_s */
	uint32_t max_s;
};

struct mue_https_get {
	const char *url;
	uint64_t from, size; /* bytes [from, size) are wanted; size is the whole file's */
	/* Takes the bytes in order; nonzero ends the download with that verdict. */
	mue_http_sink sink;
	/* Waits before the next attempt; nonzero ends the download with that verdict. */
	int (*wait)(void *ctx, uint64_t ms, const struct mue_error *why);
	/* Called at least once a second while bytes should flow; may be NULL. */
	mue_http_progress progress;
	void *ctx;
};

/* 0: the sink had every byte up to size.  MUE_ESIZE: the server's file has another size, or more
 * bytes come than wanted.  Else the last attempt's verdict, or a callback's. */
int mue_https_get(struct mue_http *h, const struct mue_https_get *g,
		  const struct mue_https_limits *limits, struct mue_error *e);

#endif
