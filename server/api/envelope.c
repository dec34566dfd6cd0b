/* What a .suit artifact must be, and whether it fits a device. */
#include "server/api/upload.h"

#include "host/hash.h"
#include "host/release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

static void uuid_of(struct mue_view id, char ret[37])
{
	if (id.data && id.len == 16)
		mue_uuid_text(id.data, ret);
	else
		ret[0] = '\0';
}

static int facts_of(const struct mue_suit *s, struct mue_envelope_facts *ret, struct mue_error *e)
{
	struct mue_suit_info *info = malloc(sizeof *info);
	struct mue_envelope_facts f = { .is_envelope = true };
	int r;

	if (!info)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	r = mue_suit_describe(s, info);
	if (r < 0) {
		r = mue_fail(e, r, "the manifest cannot be described: %s", mue_err_text(r));
	} else if (info->sequence_number > INT64_MAX) {
		r = mue_fail(e, MUE_EEXHAUSTED, "the sequence number is too large");
	} else {
		f.sequence = (int64_t)info->sequence_number;
		mue_hex(info->digest, sizeof info->digest, f.manifest);
		uuid_of(info->vendor, f.vendor);
		uuid_of(info->class_id, f.class);
		*ret = f;
	}
	free(info);
	return r;
}

static int check_mapped(struct mue_view envelope, const char *trust_folder,
			struct mue_envelope_facts *ret, struct mue_error *e)
{
	struct mue_trust trust;
	struct mue_suit suit;
	int r = mue_trust_load(trust_folder, &trust, e);

	if (r < 0)
		return r;
	if (trust.count == 0)
		r = mue_fail(e, MUE_ESIGNATURE,
			     "this server trusts no release key yet; add one: POST /api/v1/trust");
	else
		r = mue_release_verify(envelope, &trust, &suit, NULL, e);
	if (r == 0)
		r = facts_of(&suit, ret, e);
	mue_trust_free(&trust);
	return r;
}

int mue_envelope_check(int fd, uint64_t size, const char *trust_folder,
		       struct mue_envelope_facts *ret, struct mue_error *e)
{
	void *map;
	int r;

	if (size == 0)
		return mue_fail(e, MUE_ETRUNC, "the file is empty");
	if (size > MUE_RELEASE_MAX)
		return mue_fail(e, MUE_ESIZE, "an envelope has at most %u bytes", MUE_RELEASE_MAX);
	map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return mue_fail_errno(e, "cannot read the envelope back");
	r = check_mapped((struct mue_view){ map, (size_t)size }, trust_folder, ret, e);
	munmap(map, (size_t)size);
	return r;
}

/* ---- does it fit? ---- */

struct device {
	char vendor[128], class[128], sequence[32]; /* as reported; "" unknown */
};

static int read_device(struct mue_db *db, int64_t target_id, struct device *ret,
		       struct mue_error *e)
{
	struct mue_rows rows;
	int r = mue_db_query(db, &rows, e,
			     "SELECT key, value FROM target_attribute WHERE target_id = ?1"
			     " AND key IN ('mue.vendor', 'mue.class', 'mue.sequence')",
			     "i", target_id);

	memset(ret, 0, sizeof *ret);
	while (r == 0 && (r = mue_rows_next(&rows, e)) > 0) {
		const char *key = mue_rows_text(&rows, 0), *value = mue_rows_text(&rows, 1);

		if (!strcmp(key, "mue.vendor"))
			snprintf(ret->vendor, sizeof ret->vendor, "%s", value);
		else if (!strcmp(key, "mue.class"))
			snprintf(ret->class, sizeof ret->class, "%s", value);
		else
			snprintf(ret->sequence, sizeof ret->sequence, "%s", value);
		r = 0;
	}
	mue_rows_end(&rows);
	return r;
}

/* A device may report its ids as UUIDs or as the names they are made of. */
static void ids_of(const struct device *d, char vendor[37], char class[37])
{
	struct mue_error ignored;
	uint8_t v[16], c[16];

	vendor[0] = class[0] = '\0';
	if (!*d->vendor ||
	    (mue_uuid_parse(d->vendor, v) < 0 && mue_release_vendor_id(d->vendor, v, &ignored) < 0))
		return;
	mue_uuid_text(v, vendor);
	if (!*d->class ||
	    (mue_uuid_parse(d->class, c) < 0 && mue_release_class_id(v, d->class, c, &ignored) < 0))
		return;
	mue_uuid_text(c, class);
}

static int check_one(const struct device *d, const struct mue_rows *rows, bool older_allowed,
		     struct mue_error *e)
{
	const char *file = mue_rows_text(rows, 0), *vendor = mue_rows_text(rows, 2),
		   *class = mue_rows_text(rows, 3);
	int64_t sequence = mue_rows_int(rows, 1);
	char own_vendor[37], own_class[37];

	ids_of(d, own_vendor, own_class);
	if (*vendor && *own_vendor && strcasecmp(vendor, own_vendor))
		return mue_fail(e, MUE_EVENDOR,
				"%.80s is made for vendor %s, the device says it is of %s", file,
				vendor, own_vendor);
	if (*class && *own_class && strcasecmp(class, own_class))
		return mue_fail(e, MUE_ECLASS,
				"%.80s is made for class %s, the device says it is of %s", file,
				class, own_class);
	if (*d->sequence && sequence < strtoll(d->sequence, NULL, 10) && !older_allowed)
		return mue_fail(e, MUE_EOLD,
				"%.80s has sequence %lld, the device runs %s; to allow it, give a "
				"reason in the set's metadata mue.allow-older",
				file, (long long)sequence, d->sequence);
	return 0;
}

int mue_assign_check(struct mue_db *db, int64_t target_id, int64_t set_id, struct mue_error *e)
{
	struct mue_rows rows;
	int64_t allowed = 0;
	struct device d;
	int r = read_device(db, target_id, &d, e);

	if (r == 0)
		r = mue_db_int(db, &allowed, e,
			       "SELECT count(*) FROM set_metadata WHERE set_id = ?1"
			       " AND key = 'mue.allow-older' AND value <> ''",
			       "i", set_id);
	if (r < 0)
		return r;
	r = mue_db_query(db, &rows, e,
			 "SELECT DISTINCT a.filename, a.sequence, a.vendor, a.class FROM artifact a"
			 " JOIN set_module s ON s.module_id = a.module_id"
			 " WHERE s.set_id = ?1 AND a.sequence IS NOT NULL",
			 "i", set_id);
	while (r == 0 && (r = mue_rows_next(&rows, e)) > 0)
		r = check_one(&d, &rows, allowed > 0, e);
	mue_rows_end(&rows);
	return r;
}
