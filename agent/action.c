#include "agent/action.h"

#include "host/buf.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/log.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_of(const char *state, char ret[300])
{
	snprintf(ret, 300, "%s/action", state);
}

static bool decode(const char *json, size_t len, struct mue_action *a)
{
	json_t *j = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	const char *id, *digest, *text;
	int phase, slot, reboots;
	bool ok = j &&
		  json_unpack(j, "{s:i, s:s, s:i, s:s, s:i, s:i, s:s}", "phase", &phase, "id", &id,
			      "slot", &slot, "digest", &digest, "reboots", &reboots, "verdict",
			      &a->verdict, "text", &text) == 0 &&
		  phase > MUE_ACTION_NONE && phase <= MUE_ACTION_REVERTED && slot >= 0 &&
		  slot <= 1 && reboots >= 0 && strlen(id) < sizeof(a->id) &&
		  mue_unhex(digest, a->digest, sizeof(a->digest));

	if (ok) {
		a->phase = (enum mue_action_phase)phase;
		a->slot = (uint8_t)slot;
		a->reboots = (uint32_t)reboots;
		snprintf(a->id, sizeof(a->id), "%s", id);
		snprintf(a->text, sizeof(a->text), "%s", text);
	}
	json_decref(j);
	return ok;
}

int mue_action_load(const char *state, struct mue_action *ret, struct mue_error *e)
{
	struct mue_buf b = { .max = 4096 };
	char path[300];
	int r;

	memset(ret, 0, sizeof(*ret));
	name_of(state, path);
	r = mue_file_read(path, &b, e);
	if (r == 0 && !decode(mue_buf_str(&b), b.len, ret)) {
		mue_log(MUE_LOG_ERROR, "action.damaged", "file", path, NULL);
		memset(ret, 0, sizeof(*ret));
	}
	mue_buf_free(&b);
	return r == MUE_ENOTFOUND ? 0 : r;
}

int mue_action_store(const char *state, const struct mue_action *a, struct mue_error *e)
{
	char path[300], digest[65], *text;
	json_t *j;
	int r;

	name_of(state, path);
	mue_hex(a->digest, sizeof(a->digest), digest);
	j = json_pack("{s:i, s:s, s:i, s:s, s:i, s:i, s:s}", "phase", (int)a->phase, "id", a->id,
		      "slot", (int)a->slot, "digest", digest, "reboots", (int)a->reboots, "verdict",
		      a->verdict, "text", a->text);
	text = j ? json_dumps(j, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(j);
	r = text ? mue_file_write(path, text, strlen(text), 0600, e)
		 : mue_fail(e, MUE_EFORMAT, "action %s: cannot be written as JSON", a->id);
	free(text);
	return r;
}

int mue_action_clear(const char *state, struct mue_error *e)
{
	char path[300];

	name_of(state, path);
	return mue_file_remove(path, e);
}
