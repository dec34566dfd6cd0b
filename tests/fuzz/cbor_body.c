/*
 * CBOR bodies: what is taken is a JSON value, and it comes back the same from what we write.
 *
 * FUZZ_SOURCES: server/http/cbor.c server/http/request.c server/http/arena.c host/err.c
 * FUZZ_SOURCES: core/cbor_read.c core/cbor_write.c
 * FUZZ_LIBS: -ljansson -lmicrohttpd
 */
#include "server/http/cbor.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json = NULL, *again = NULL;
	struct mue_error e = { 0 };
	char *bytes;
	size_t len;

	if (mue_json_from_cbor(data, size, &json, &e) < 0) {
		assert(e.text[0] && !json);
		return 0;
	}
	assert(mue_json_to_cbor(json, &bytes, &len) == 0);
	assert(mue_json_from_cbor(bytes, len, &again, &e) == 0);
	assert(json_equal(json, again));
	free(bytes);
	json_decref(json);
	json_decref(again);
	return 0;
}
