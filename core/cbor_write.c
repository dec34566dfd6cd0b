#include "core/cbor.h"
#include "core/mem.h"

void mue_cbor_write(struct mue_cbor_writer *w, void *buf, size_t size)
{
	w->buf = buf;
	w->size = size;
	w->len = 0;
}

void mue_cbor_put_raw(struct mue_cbor_writer *w, const void *data, size_t len)
{
	if (len > SIZE_MAX - w->len) { /* no buffer is that large: never fits again */
		w->len = SIZE_MAX;
		return;
	}
	if (len > 0 && w->len <= w->size && len <= w->size - w->len)
		memcpy(w->buf + w->len, data, len);
	w->len += len;
}

uint8_t mue_cbor_head(uint8_t ret[5], uint8_t type, uint32_t arg)
{
	uint8_t n = 1;

	if (arg < 24) {
		ret[0] = (uint8_t)((uint32_t)type << 5 | arg);
		return 1;
	}
	if (arg > 0xff)
		n = arg > 0xffff ? 4 : 2;
	ret[0] = (uint8_t)((uint8_t)(type << 5) | (n == 1 ? 24 : n == 2 ? 25 : 26));
	for (uint8_t i = n; i > 0; i--) {
		ret[i] = (uint8_t)arg;
		arg >>= 8;
	}
	return (uint8_t)(n + 1);
}

static void put_head(struct mue_cbor_writer *w, uint8_t type, uint64_t arg)
{
	uint8_t head[9];
	uint8_t n;

	if (arg >> 32 == 0) {
		n = mue_cbor_head(head, type, (uint32_t)arg);
	} else {
		head[0] = (uint8_t)(type << 5 | 27);
		for (uint8_t i = 8; i > 0; i--) {
			head[i] = (uint8_t)arg;
			arg >>= 8;
		}
		n = 9;
	}
	mue_cbor_put_raw(w, head, n);
}

void mue_cbor_put_uint(struct mue_cbor_writer *w, uint64_t value)
{
	put_head(w, MUE_CBOR_UINT, value);
}

void mue_cbor_put_int(struct mue_cbor_writer *w, int64_t value)
{
	if (value >= 0)
		put_head(w, MUE_CBOR_UINT, (uint64_t)value);
	else
		put_head(w, MUE_CBOR_NINT, (uint64_t)(-1 - value));
}

void mue_cbor_put_bytes_head(struct mue_cbor_writer *w, size_t len)
{
	put_head(w, MUE_CBOR_BYTES, len);
}

void mue_cbor_put_bytes(struct mue_cbor_writer *w, const void *data, size_t len)
{
	put_head(w, MUE_CBOR_BYTES, len);
	mue_cbor_put_raw(w, data, len);
}

void mue_cbor_put_text(struct mue_cbor_writer *w, const char *text, size_t len)
{
	put_head(w, MUE_CBOR_TEXT, len);
	mue_cbor_put_raw(w, text, len);
}

void mue_cbor_put_bool(struct mue_cbor_writer *w, bool value)
{
	put_head(w, MUE_CBOR_SIMPLE, value ? MUE_CBOR_TRUE : MUE_CBOR_FALSE);
}

void mue_cbor_put_null(struct mue_cbor_writer *w)
{
	put_head(w, MUE_CBOR_SIMPLE, MUE_CBOR_NULL);
}

void mue_cbor_put_array(struct mue_cbor_writer *w, size_t count)
{
	put_head(w, MUE_CBOR_ARRAY, count);
}

void mue_cbor_put_map(struct mue_cbor_writer *w, size_t pairs)
{
	put_head(w, MUE_CBOR_MAP, pairs);
}

void mue_cbor_put_tag(struct mue_cbor_writer *w, uint64_t tag)
{
	put_head(w, MUE_CBOR_TAG, tag);
}

int mue_cbor_finish(const struct mue_cbor_writer *w, size_t *ret_len)
{
	if (w->len > w->size)
		return MUE_ENOSPC;
	*ret_len = w->len;
	return 0;
}
