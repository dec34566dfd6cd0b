#include "host/buf.h"

#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ensures room for `len` more bytes and the closing 0. */
static int grow(struct mue_buf *b, size_t len)
{
	size_t need, cap;
	uint8_t *p;

	if (b->len > b->max || len > b->max - b->len)
		return MUE_ESIZE;
	need = b->len + len + 1;
	if (need <= b->cap)
		return MUE_OK;
	cap = b->cap < 64 ? 64 : b->cap;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : 2 * cap;
	if (cap > b->max + 1)
		cap = b->max + 1;
	/* No realloc: it would leave a copy of a secret behind in freed memory. */
	p = malloc(cap);
	if (!p)
		return MUE_ENOMEM;
	if (b->len)
		memcpy(p, b->data, b->len);
	p[b->len] = 0;
	if (b->data)
		explicit_bzero(b->data, b->cap);
	free(b->data);
	b->data = p;
	b->cap = cap;
	return MUE_OK;
}

int mue_buf_add(struct mue_buf *b, const void *data, size_t len)
{
	int r = grow(b, len);

	if (r < 0)
		return r;
	if (len)
		memcpy(b->data + b->len, data, len);
	mue_buf_added(b, len);
	return MUE_OK;
}

int mue_buf_add_str(struct mue_buf *b, const char *text)
{
	return mue_buf_add(b, text, strlen(text));
}

int mue_buf_printf(struct mue_buf *b, const char *fmt, ...)
{
	va_list ap;
	int n, r;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return MUE_EINVAL;
	r = grow(b, (size_t)n);
	if (r < 0)
		return r;
	va_start(ap, fmt);
	vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return MUE_OK;
}

uint8_t *mue_buf_room(struct mue_buf *b, size_t len)
{
	return grow(b, len) < 0 ? NULL : b->data + b->len;
}

void mue_buf_added(struct mue_buf *b, size_t len)
{
	b->len += len;
	b->data[b->len] = 0;
}

const char *mue_buf_str(const struct mue_buf *b)
{
	return b->data ? (const char *)b->data : "";
}

uint8_t *mue_buf_detach(struct mue_buf *b)
{
	uint8_t *data = b->data;

	b->data = NULL;
	b->len = b->cap = 0;
	return data;
}

void mue_buf_reset(struct mue_buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = 0;
}

void mue_buf_free(struct mue_buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
}
