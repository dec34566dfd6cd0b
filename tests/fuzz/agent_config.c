/*
 * The agent's configuration from any bytes.
 * FUZZ_SOURCES: agent/config.c host/buf.c host/err.c host/file.c
 */
#include "agent/config.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mue_error e = { 0 };
	struct mue_config c;

	if (mue_config_parse("fuzz", (const char *)data, size, &c, &e) == 0) {
		/* what is accepted is usable: the texts end, the numbers are in range */
		assert(memchr(c.server, 0, sizeof(c.server)) && *c.server);
		assert(c.tries >= 1 && c.tries <= 255);
		assert(c.battery_min <= 100);
		assert(*c.spool && *c.envelopes);
	} else {
		assert(e.code < 0 && *e.text);
	}
	return 0;
}
