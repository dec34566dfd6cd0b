/*
 * cbor.h - CBOR (RFC 8949) in its one deterministic form (section 4.2.1): a reader that takes
 * nothing else and a writer that makes nothing else.
 *
 * The reader never copies: strings are views into the caller's bytes.  It refuses a head that is
 * longer than needed, indefinite lengths, a text that is not UTF-8, map keys that are not in strict
 * bytewise order (which also refuses duplicates), floats and simple values other than false, true
 * and null (no format of ours has them).  No allocation, no recursion, no 64-bit division; nesting
 * is bounded by MUE_CBOR_DEPTH.  What is used of it: docs/FORMATS.md, section "CBOR".
 *
 * Verdicts of the reader: MUE_ETRUNC, the bytes end inside an item; MUE_ECANON, well formed but not
 * in the deterministic form; MUE_EFORMAT, malformed or another type than asked for; MUE_EPROFILE,
 * an item that none of our formats uses, or too deep.  After a verdict the reader stands where it
 * stood before the call.
 */
#ifndef MUE_CORE_CBOR_H
#define MUE_CORE_CBOR_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUE_CBOR_DEPTH 16 /* arrays, maps and tags inside each other that mue_cbor_skip follows */

/* Bytes that live elsewhere; data is NULL when they are absent (an empty string has data). */
struct mue_view {
	const uint8_t *data;
	size_t len;
};

/* Same length and bytes?  Two absent views are equal, an absent and an empty one are not. */
bool mue_view_equal(struct mue_view a, struct mue_view b);

/* The major types of RFC 8949, section 3.1. */
enum mue_cbor_type {
	MUE_CBOR_UINT = 0,
	MUE_CBOR_NINT = 1, /* the value is -1 - arg */
	MUE_CBOR_BYTES = 2,
	MUE_CBOR_TEXT = 3,
	MUE_CBOR_ARRAY = 4,
	MUE_CBOR_MAP = 5,
	MUE_CBOR_TAG = 6,
	MUE_CBOR_SIMPLE = 7
};

#define MUE_CBOR_FALSE 20
#define MUE_CBOR_TRUE  21
#define MUE_CBOR_NULL  22

/* --- reading --- */

/* A reader over [at, end).  A plain value: copy it to look ahead. */
struct mue_cbor {
	const uint8_t *at, *end;
};

/* A head, and for strings their content. */
struct mue_cbor_item {
	uint8_t type;         /* enum mue_cbor_type */
	uint64_t arg;         /* the head's argument: value, length, count, tag or simple value */
	struct mue_view view; /* content of a byte or text string, else absent */
};

struct mue_cbor mue_cbor_read(struct mue_view bytes);

/* Reads one head, with its content for strings; enters arrays, maps and tags. */
int mue_cbor_next(struct mue_cbor *c, struct mue_cbor_item *ret);

/* Read one item of that type. */
int mue_cbor_uint(struct mue_cbor *c, uint64_t *ret);
int mue_cbor_int(struct mue_cbor *c, int64_t *ret); /* MUE_EFORMAT outside int64_t */
int mue_cbor_bytes(struct mue_cbor *c, struct mue_view *ret);
int mue_cbor_text(struct mue_cbor *c, struct mue_view *ret);
int mue_cbor_bool(struct mue_cbor *c, bool *ret);
int mue_cbor_null(struct mue_cbor *c);
/* The number of items, or of pairs, that follow; at most as many as bytes are left. */
int mue_cbor_array(struct mue_cbor *c, size_t *ret);
int mue_cbor_map(struct mue_cbor *c, size_t *ret);
int mue_cbor_tag(struct mue_cbor *c, uint64_t tag); /* MUE_EFORMAT: another tag */

/* Reads one whole item of any kind and checks it to its leaves; ret (may be NULL): its bytes. */
int mue_cbor_skip(struct mue_cbor *c, struct mue_view *ret);

/* 0 at the end, MUE_EFORMAT when bytes are left: trailing bytes are refused, always. */
int mue_cbor_end(const struct mue_cbor *c);

/* Walks the keys of a map in order:
 *	mue_cbor_map_open(&c, &m);
 *	while ((r = mue_cbor_map_key(&c, &m, &key)) > 0) { read exactly one value from c }
 */
struct mue_cbor_map {
	size_t left;
	struct mue_view last;
};
int mue_cbor_map_open(struct mue_cbor *c, struct mue_cbor_map *ret);
/* 1 and the key, whole and checked for order; 0 when the map is read; or a verdict.  A key is an
 * integer, a string, or (ret->type MUE_CBOR_ARRAY, view = the key's whole encoding) an array. */
int mue_cbor_map_key(struct mue_cbor *c, struct mue_cbor_map *m, struct mue_cbor_item *ret);

/* --- writing --- */

/*
 * Writes into [buf, buf + size).  What does not fit is counted and not written, so a writer over
 * (NULL, 0) measures.  Key order is the caller's duty; mue_cbor_finish does not check it.
 */
struct mue_cbor_writer {
	uint8_t *buf;
	size_t size, len;
};

void mue_cbor_write(struct mue_cbor_writer *w, void *buf, size_t size);
void mue_cbor_put_uint(struct mue_cbor_writer *w, uint64_t value);
void mue_cbor_put_int(struct mue_cbor_writer *w, int64_t value);
void mue_cbor_put_bytes(struct mue_cbor_writer *w, const void *data, size_t len);
void mue_cbor_put_text(struct mue_cbor_writer *w, const char *text, size_t len);
void mue_cbor_put_bool(struct mue_cbor_writer *w, bool value);
void mue_cbor_put_null(struct mue_cbor_writer *w);
void mue_cbor_put_array(struct mue_cbor_writer *w, size_t count);
void mue_cbor_put_map(struct mue_cbor_writer *w, size_t pairs);
void mue_cbor_put_tag(struct mue_cbor_writer *w, uint64_t tag);
/* The head of a byte string whose `len` bytes the caller writes next. */
void mue_cbor_put_bytes_head(struct mue_cbor_writer *w, size_t len);
/* Bytes that are CBOR already. */
void mue_cbor_put_raw(struct mue_cbor_writer *w, const void *data, size_t len);

/* 0 and the length, or MUE_ENOSPC when it did not fit. */
int mue_cbor_finish(const struct mue_cbor_writer *w, size_t *ret_len);

/* The one head (RFC 8949, section 3) of a major type and a 32-bit argument, at most 5 bytes;
 * returns its length. */
uint8_t mue_cbor_head(uint8_t ret[5], uint8_t type, uint32_t arg);

#endif
