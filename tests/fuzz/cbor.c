/*
 * Any bytes through the CBOR reader: what skip takes, the item-wise reader takes too and the writer
 * writes back byte for byte, since there is one form only.
 * FUZZ_SOURCES: core/cbor_read.c core/cbor_write.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(struct mue_cbor_writer *w, const struct mue_cbor_item *item)
{
	switch (item->type) {
	case MUE_CBOR_UINT:
		mue_cbor_put_uint(w, item->arg);
		break;
	case MUE_CBOR_NINT:
		if (item->arg <= INT64_MAX) {
			mue_cbor_put_int(w, -1 - (int64_t)item->arg);
			break;
		}
		mue_cbor_put_raw(w, "\x3b", 1);
		for (int shift = 56; shift >= 0; shift -= 8) {
			uint8_t byte = (uint8_t)(item->arg >> shift);

			mue_cbor_put_raw(w, &byte, 1);
		}
		break;
	case MUE_CBOR_BYTES:
		mue_cbor_put_bytes(w, item->view.data, item->view.len);
		break;
	case MUE_CBOR_TEXT:
		mue_cbor_put_text(w, (const char *)item->view.data, item->view.len);
		break;
	case MUE_CBOR_ARRAY:
		mue_cbor_put_array(w, (size_t)item->arg);
		break;
	case MUE_CBOR_MAP:
		mue_cbor_put_map(w, (size_t)item->arg);
		break;
	case MUE_CBOR_TAG:
		mue_cbor_put_tag(w, item->arg);
		break;
	default:
		if (item->arg == MUE_CBOR_NULL)
			mue_cbor_put_null(w);
		else
			mue_cbor_put_bool(w, item->arg == MUE_CBOR_TRUE);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mue_cbor c = mue_cbor_read((struct mue_view){ data, size }), again;
	struct mue_cbor_writer w;
	struct mue_cbor_item item;
	struct mue_view whole;
	uint8_t *out;
	size_t n;

	if (mue_cbor_skip(&c, &whole) != 0) {
		if (c.at != data)
			abort();
		return 0;
	}
	out = malloc(whole.len);
	mue_cbor_write(&w, out, whole.len);
	for (again = mue_cbor_read(whole); again.at < again.end;) {
		if (mue_cbor_next(&again, &item) != 0)
			abort();
		put(&w, &item);
	}
	if (mue_cbor_finish(&w, &n) != 0 || n != whole.len || memcmp(out, whole.data, n) != 0)
		abort();
	free(out);
	return 0;
}
