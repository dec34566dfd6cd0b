/*
 * buf.h - a growing byte buffer with a mandatory ceiling.
 *
 * Every buffer has a maximum: what would grow past it fails with MUE_ESIZE and leaves the buffer
 * as it was.  The bytes are always followed by a 0 that `len` does not count, so that text in it
 * may be read as a string.  Zero-initialised plus `max` is a valid empty buffer:
 * struct mue_buf b = { .max = 4096 };
 */
#ifndef MUE_HOST_BUF_H
#define MUE_HOST_BUF_H

#include <stddef.h>
#include <stdint.h>

struct mue_buf {
	uint8_t *data; /* NULL while nothing was ever added */
	size_t len;    /* bytes used */
	size_t cap;    /* bytes allocated, the closing 0 included */
	size_t max;    /* ceiling of len */
};

/* Appends.  0, MUE_ESIZE (ceiling), MUE_ENOMEM. */
int mue_buf_add(struct mue_buf *b, const void *data, size_t len);
int mue_buf_add_str(struct mue_buf *b, const char *text);
int mue_buf_printf(struct mue_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for `len` more bytes and returns where to write them, NULL when that is not possible;
 * the caller adds to b->len what it wrote, then sets data[len] = 0 (mue_buf_added does both). */
uint8_t *mue_buf_room(struct mue_buf *b, size_t len);
void mue_buf_added(struct mue_buf *b, size_t len);

/* The text in it, "" when empty.  Lives until the next change. */
const char *mue_buf_str(const struct mue_buf *b);

/* Hands the bytes to the caller, who frees them; the buffer is empty afterwards.  NULL: empty. */
uint8_t *mue_buf_detach(struct mue_buf *b);

/* Empties it and keeps the memory. */
void mue_buf_reset(struct mue_buf *b);

/* Overwrites the content with zeros, then releases the memory; the buffer may be used again. */
void mue_buf_free(struct mue_buf *b);

#endif
