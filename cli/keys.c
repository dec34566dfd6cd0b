#include "cli/keys.h"

#include "host/file.h"

#include <string.h>

bool mue_is_token(const char *spec)
{
	return strncmp(spec, "pkcs11:", 7) == 0;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

char *mue_key_label(const char *spec, char *ret, size_t ret_size)
{
	const char *slash = strrchr(spec, '/'), *base = slash ? slash + 1 : spec;
	size_t n = strlen(base);

	if (ends_with(base, ".pub"))
		n -= 4;
	snprintf(ret, ret_size, "%.*s", (int)n, mue_is_token(spec) ? "token" : base);
	return ret;
}

int mue_cli_public(const struct mue_cli *cli, const char *spec, struct mue_pubkey *ret,
		   struct mue_error *e)
{
	struct mue_pass_source pass = { .file = cli->common.passphrase_file };
	struct mue_key *key = NULL;
	char beside[4096];
	int r;

	if (ends_with(spec, ".pub"))
		return mue_pubkey_load(spec, ret, e);
	if (!mue_is_token(spec)) {
		snprintf(beside, sizeof(beside), "%s.pub", spec);
		if (mue_file_exists(beside))
			return mue_pubkey_load(beside, ret, e);
	}
	r = mue_key_open(spec, &pass, &key, e);
	if (r < 0)
		return r;
	*ret = *mue_key_public(key);
	mue_key_close(key);
	return MUE_OK;
}
