#include "cli/keys.h"

#include "host/file.h"

#include <stdio.h>
#include <stdlib.h>
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

/* Sets MUE_PIN from the file that `?pin-source=` names and copies the URI without it. */
static int take_pin_source(const char *spec, char *ret, size_t ret_size, struct mue_error *e)
{
	const char *at = strstr(spec, "pin-source=");
	char pin[MUE_PASS_MAX], file[1024];
	size_t len;
	int r;

	if (!at || at == spec || !strchr("?&", at[-1])) {
		snprintf(ret, ret_size, "%s", spec);
		return MUE_OK;
	}
	len = strcspn(at, "&");
	snprintf(ret, ret_size, "%.*s%s", (int)(at - 1 - spec), spec, at + len);
	at += strlen("pin-source=");
	at += strncmp(at, "file:", 5) == 0 ? 5 : 0;
	snprintf(file, sizeof(file), "%.*s", (int)strcspn(at, "&"), at);
	r = mue_pass_get(file, NULL, 0, pin, e);
	if (r == MUE_OK && setenv("MUE_PIN", pin, 1) != 0)
		r = mue_fail(e, MUE_ENOMEM, "out of memory");
	mue_pass_wipe(pin);
	return r;
}

int mue_cli_open(struct mue_cli *cli, const char *spec, struct mue_key **ret, struct mue_error *e)
{
	struct mue_pass_source pass = { .file = cli->common.passphrase_file };
	char uri[4096];
	int r = MUE_OK;

	if (mue_is_token(spec)) {
		r = take_pin_source(spec, uri, sizeof(uri), e);
		spec = uri;
	}
	if (r == MUE_OK)
		r = mue_key_open(spec, &pass, ret, e);
	if (r == MUE_EPERM) /* nobody to ask for the passphrase */
		cli->exit = MUE_EXIT_KEY;
	return r;
}

int mue_cli_public(struct mue_cli *cli, const char *spec, struct mue_pubkey *ret,
		   struct mue_error *e)
{
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
	r = mue_cli_open(cli, spec, &key, e);
	if (r < 0)
		return r;
	*ret = *mue_key_public(key);
	mue_key_close(key);
	return MUE_OK;
}
