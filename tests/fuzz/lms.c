/*
 * Fuzzes HSS/LMS verification.  Input: one byte that says how long the key is, key, message of
 * 8 bytes, the rest is the signature.  Sources check that every read stays inside.
 *
 * FUZZ_SOURCES: core/lms.c core/sha256.c
 */
#include "core/lms.h"
#include "core/err.h"

#include <stdlib.h>
#include <string.h>

static int checked_read(const struct mue_lms_source *s, uint32_t off, void *buf, uint8_t len)
{
	if (len < 1 || len > MUE_LMS_READ_MAX || off > s->size || len > s->size - off)
		abort();
	return mue_lms_read_memory(s, off, buf, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mue_lms_source sig = { .read = checked_read }, msg = { .read = checked_read };
	uint8_t pub_size;
	int r;

	if (size < 1 + 8 || (size_t)(data[0] & 63) + 9 > size)
		return 0;
	pub_size = data[0] & 63;
	msg.ctx = data + 1 + pub_size;
	msg.size = 8;
	sig.ctx = data + 9 + pub_size;
	sig.size = (uint32_t)(size - 9 - pub_size);
	r = mue_lms_verify(data + 1, pub_size, &sig, &msg);
	if (r > 0)
		abort();
	return 0;
}
