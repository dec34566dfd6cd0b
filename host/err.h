/*
 * err.h - errors of hosted programs: a code of core/err.h and a sentence for a person.
 *
 * The sentence is written at the deepest place that knows what happened, names the thing, and is
 * prefixed on the way up.  It is logged or printed once, at the top.
 */
#ifndef MUE_HOST_ERR_H
#define MUE_HOST_ERR_H

#include "core/err.h"

struct mue_error {
	int code; /* enum mue_err; 0: no error */
	char text[256];
};

/* "MUE_EDIGEST" for -8; "MUE_E?" for a number that is no verdict.  Static storage. */
const char *mue_err_name(int code);

/* "digest differs" for -8.  Static storage. */
const char *mue_err_text(int code);

/* Fills *e (which may be NULL) and returns `code`, so that one can `return mue_fail(...)`. */
int mue_fail(struct mue_error *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As mue_fail with errno's text appended; ENOSPC/EDQUOT give MUE_ENOSPC, EACCES/EPERM MUE_EPERM,
 * ENOENT MUE_ENOTFOUND, EEXIST MUE_EEXIST, all others MUE_EIO. */
int mue_fail_errno(struct mue_error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before e's sentence; returns e->code. */
int mue_prefix(struct mue_error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
