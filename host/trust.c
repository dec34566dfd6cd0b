#include "host/trust.h"

#include "core/cose.h"
#include "host/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX   ".pub"
#define FILE_MAX 16384

static int by_name(const void *a, const void *b)
{
	const struct mue_trust_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Copies the file's name without its suffix; false when it is none that we take. */
static bool entry_name(const char *name, char ret[sizeof(((struct mue_trust_entry *)0)->name)])
{
	size_t len = strlen(name), cut = strlen(SUFFIX);

	if (len > cut && strcmp(name + len - cut, SUFFIX) == 0)
		len -= cut;
	if (len == 0 || len >= sizeof(((struct mue_trust_entry *)0)->name) || name[0] == '.' ||
	    strchr(name, '/'))
		return false;
	memcpy(ret, name, len);
	ret[len] = 0;
	return true;
}

int mue_trust_add(struct mue_trust *t, const char *name, const char *pem, size_t len,
		  struct mue_error *e)
{
	struct mue_trust_entry entry = { 0 }, *grown;
	int r;

	if (!entry_name(name, entry.name))
		return mue_fail(e, MUE_EINVAL, "%.80s: no usable name for a trusted key", name);
	if (t->count >= MUE_TRUST_MAX)
		return mue_fail(e, MUE_ENOSPC, "more than %d trusted keys", MUE_TRUST_MAX);
	r = mue_pubkey_parse(pem, len, &entry.key, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < t->count; i++)
		if (memcmp(t->entries[i].key.kid, entry.key.kid, MUE_KID_SIZE) == 0)
			return mue_fail(e, MUE_EEXIST, "the same key as %s", t->entries[i].name);
	grown = reallocarray(t->entries, t->count + 1, sizeof(entry));
	if (!grown)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	grown[t->count++] = entry;
	t->entries = grown;
	qsort(t->entries, t->count, sizeof(entry), by_name);
	return MUE_OK;
}

static int load_file(struct mue_trust *t, const char *folder, const char *name, struct mue_error *e)
{
	struct mue_buf b = { .max = FILE_MAX };
	char path[4096];
	int r, n = snprintf(path, sizeof(path), "%s/%s", folder, name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return mue_fail(e, MUE_EINVAL, "%.80s: path too long", folder);
	r = mue_file_read(path, &b, e);
	if (r == 0) {
		r = mue_trust_add(t, name, mue_buf_str(&b), b.len, e);
		/* The same key under two names is untidy, but no doubt about whom to believe. */
		if (r == MUE_EEXIST)
			r = MUE_OK;
		else if (r < 0)
			mue_prefix(e, "%s", path);
	}
	mue_buf_free(&b);
	return r;
}

int mue_trust_load(const char *folder, struct mue_trust *ret, struct mue_error *e)
{
	struct mue_trust t = { 0 };
	DIR *dir = opendir(folder);
	struct dirent *d;
	int r = MUE_OK;

	if (!dir)
		return mue_fail_errno(e, "trust folder %s", folder);
	errno = 0;
	while (r == 0 && (d = readdir(dir)) != NULL) {
		size_t len = strlen(d->d_name);

		if (d->d_name[0] != '.' && len > strlen(SUFFIX) &&
		    strcmp(d->d_name + len - strlen(SUFFIX), SUFFIX) == 0)
			r = load_file(&t, folder, d->d_name, e);
		errno = 0;
	}
	if (r == 0 && errno)
		r = mue_fail_errno(e, "trust folder %s", folder);
	closedir(dir);
	if (r < 0) {
		mue_trust_free(&t);
		return r;
	}
	*ret = t;
	return MUE_OK;
}

void mue_trust_free(struct mue_trust *t)
{
	free(t->entries);
	t->entries = NULL;
	t->count = 0;
}

const struct mue_trust_entry *mue_trust_find(const struct mue_trust *t, const uint8_t *kid,
					     size_t kid_len)
{
	for (size_t i = 0; kid_len == MUE_KID_SIZE && i < t->count; i++)
		if (memcmp(t->entries[i].key.kid, kid, MUE_KID_SIZE) == 0)
			return &t->entries[i];
	return NULL;
}

static enum mue_key_kind kind_of(int32_t alg)
{
	switch (alg) {
	case MUE_COSE_ES256:
	case MUE_COSE_ESP256:
		return MUE_KEY_ES256;
	case MUE_COSE_EDDSA:
	case MUE_COSE_ED25519:
		return MUE_KEY_ED25519;
	case MUE_COSE_HSS_LMS:
		return MUE_KEY_LMS;
	default:
		return (enum mue_key_kind)0;
	}
}

int mue_trust_check(const struct mue_trust *t, int32_t alg, const uint8_t *kid, size_t kid_len,
		    const void *msg, size_t len, const void *sig, size_t sig_len,
		    const struct mue_trust_entry **ret_by)
{
	enum mue_key_kind kind = kind_of(alg);

	if (!kind)
		return MUE_EPROFILE;
	for (size_t i = 0; i < t->count; i++) {
		const struct mue_trust_entry *entry = &t->entries[i];

		if (entry->key.kind != kind)
			continue;
		if (kid_len &&
		    (kid_len != MUE_KID_SIZE || memcmp(entry->key.kid, kid, kid_len) != 0))
			continue;
		if (mue_pubkey_verify(&entry->key, msg, len, sig, sig_len) != 0)
			continue;
		if (ret_by)
			*ret_by = entry;
		return MUE_OK;
	}
	return MUE_ESIGNATURE;
}
