/*
 * Every answer of a DDI server from any bytes: the first byte chooses the parser.
 * FUZZ_SOURCES: agent/ddi.c host/buf.c host/err.c
 * FUZZ_LIBS: -ljansson
 */
#include "agent/ddi.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ORIGIN "https://s:1"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_url(const char *url)
{
	assert(!*url || strncasecmp(url, "http", 4) == 0);
}

static void deployment(const char *json, size_t len)
{
	struct mue_ddi_deployment *d = calloc(1, sizeof(*d));
	const struct mue_ddi_file *f;
	struct mue_error e = { 0 };

	if (d && mue_ddi_parse_deployment(json, len, ORIGIN, d, &e) == 0) {
		assert(*d->id && d->count <= MUE_DDI_FILES);
		for (size_t i = 0; i < d->count; i++) {
			assert(!strchr(d->files[i].name, '/'));
			assert(*d->files[i].url);
			check_url(d->files[i].url);
		}
		(void)mue_ddi_find_envelope(d, &f, &e);
		(void)mue_ddi_find_file(d, "x", &f, &e);
	}
	free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mue_error e = { 0 };
	struct mue_ddi_cancel cancel;
	struct mue_ddi_base base;
	const char *json = (const char *)data + 1;

	if (size < 1)
		return 0;
	if (data[0] % 3 == 0)
		deployment(json, size - 1);
	else if (data[0] % 3 == 1 && mue_ddi_parse_base(json, size - 1, ORIGIN, &base, &e) == 0)
		check_url(base.deployment);
	else if (data[0] % 3 == 2 && mue_ddi_parse_cancel(json, size - 1, &cancel, &e) == 0)
		assert(*cancel.id && *cancel.stop);
	return 0;
}
